"""LoRA files that a training begins with, made to act as they do, whatever alpha and rank are now."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import torch

from lora_bridge.lora_file import PART_NAMES, read_lora, shapes
from lora_bridge.lora_file_rules import problem
from lora_bridge.lora_kinds import kind_of, rank_of
from lora_bridge.lora_sites import Rank
from lora_bridge.protocol_types import Problem
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from lora_bridge.lora_file import LoraFile, Tensors
    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig

_FIELD = "network_weights"
_CONVOLVING = (".resnets.", ".downsamplers.", ".upsamplers.")

_DIM_AXES = {
    "lora_down.weight": 0,
    "lora_up.weight": 1,
    "hada_w1_a": 1,
    "hada_w1_b": 0,
    "hada_w2_a": 1,
    "hada_w2_b": 0,
    "lokr_w1_a": 1,
    "lokr_w1_b": 0,
    "lokr_w2_a": 1,
    "lokr_w2_b": 0,
}
"""Which axis of a tensor is the rank. What comes second in a product begins with zeros where it is new."""
_SCALED = frozenset({"lora_up.weight", "hada_w2_a", "lokr_w1", "lokr_w1_a", "a2.weight", "b2.weight"})
"""What takes the factor of an effect in: one tensor of each product that a module adds."""


_Wanted: TypeAlias = "Mapping[LoraPart, Mapping[str, Tensors]]"
"""What the networks hold, by module."""


class _Module(NamedTuple):
    """A module of the file and its place in the network."""

    name: str
    scale: float
    given: Tensors
    wanted: Tensors
    """As the network begins without the file."""


def ranks_of(file: str, part: LoraPart) -> dict[str, Rank]:
    """The rank and alpha of each module of a LoRA file in one part of SDXL, by its name in its library.

    Raises ProblemError `network_weights_…`: for what cannot be read, is no LoRA of up and down matrices, or
    has nothing for the part.
    """
    lora = read_lora(file, _FIELD, values=False)
    if not lora.kinds() <= {"LoRA"}:
        raise problem(
            _FIELD,
            "other_type",
            f"{lora.path.name} is a {listed(sorted(lora.kinds()))}; DIM from weights needs a LoRA.",
            "Turn DIM from weights off.",
        )
    modules = lora.modules.get(part, {})
    if not modules:
        raise problem(
            _FIELD,
            "part_missing",
            f"{lora.path.name} has nothing for the {PART_NAMES[part]}, so that nothing would learn there.",
            "Set that part's learning rate to 0, or turn DIM from weights off.",
        )
    ranks: dict[str, Rank] = {}
    for name, tensors in modules.items():
        dim = rank_of(shapes(tensors))
        if dim:
            ranks[name] = Rank(dim, lora.scale(part, name) * dim)
    return ranks


def load_start(networks: Sequence[Network], config: TrainConfig) -> list[Problem]:
    """Let networks begin with the effect of the file in `network_weights`, if any.

    Modules that are not in it begin as ever. Returns warnings about what of the file is left out. Raises
    ProblemError `network_weights_…` for a file that cannot be read, is of another type, is not for SDXL, has
    larger ranks or convolutions that the config has not.
    """
    if not config.network_weights.strip():
        return []
    lora = read_lora(config.network_weights, _FIELD)
    wanted: _Wanted = {network.part: _tensors_of(network) for network in networks}
    left_out: list[tuple[LoraPart, str]] = [
        (part, name)
        for part, modules in lora.modules.items()
        for name in modules
        if name not in wanted.get(part, {})
    ]
    _require_fit(lora, wanted)
    _require_convolutions(lora, wanted, left_out)
    for network in networks:
        modules = lora.modules.get(network.part, {})
        network.load(
            {
                name: _converted(lora, _Module(name, lora.scale(network.part, name), modules[name], tensors))
                for name, tensors in wanted[network.part].items()
                if name in modules
            }
        )
    return list(_warnings(lora, wanted, left_out))


def _tensors_of(network: Network) -> dict[str, dict[str, Tensor]]:
    found: dict[str, dict[str, Tensor]] = {}
    for module, key, value in network.tensors():
        found.setdefault(module, {})[key] = value
    return found


def _require_fit(lora: LoraFile, wanted: _Wanted) -> None:
    """Something of the file is trained."""
    if any(name in wanted[part] for part in wanted for name in lora.modules.get(part, {})):
        return
    parts = listed([PART_NAMES[part] for part in wanted])
    raise problem(
        _FIELD,
        "unmatched",
        f"none of the modules of {lora.path.name} is one that this run trains in the {parts}.",
        "Choose a LoRA that was made for SDXL and for the parts that have a learning rate.",
    )


def _require_convolutions(
    lora: LoraFile,
    wanted: _Wanted,
    left_out: Sequence[tuple[LoraPart, str]],
) -> None:
    convolving = [name for part, name in left_out if part == "unet" and _convolves(name)]
    if not convolving or any(_convolves(name) for name in wanted.get("unet", {})):
        return
    if "unet" not in wanted:
        return
    largest = max(rank_of(shapes(lora.modules["unet"][name])) for name in convolving)
    raise problem(
        _FIELD,
        "convolutions",
        f"{lora.path.name} changes {len(convolving)} layers of the U-Net's convolution blocks, and this run "
        "does not train them.",
        f"Choose the LoRA type Kohya LoCon with a Convolution Rank of at least {largest}, or turn DIM from "
        "weights on.",
    )


def _convolves(name: str) -> bool:
    return any(block in name for block in _CONVOLVING)


def _warnings(
    lora: LoraFile,
    wanted: _Wanted,
    left_out: Sequence[tuple[LoraPart, str]],
) -> Iterator[Problem]:
    untrained: list[LoraPart] = [part for part in lora.modules if part not in wanted]
    if untrained:
        yield Problem(
            code="network_weights_untrained_part",
            message=f"Network weights: {lora.path.name} has modules for the "
            f"{listed([PART_NAMES[part] for part in untrained])}, which this run does not train.",
            hint="The result will lack them. Give that part a learning rate to keep them.",
        )
    names = [name for part, name in left_out if part in wanted] + lora.strangers
    if names:
        yield Problem(
            code="network_weights_left_out",
            message=f"Network weights: this run has no place for {len(names)} modules or tensors of "
            f"{lora.path.name}: {listed(sorted(names))}.",
            hint="What is a layer of SDXL needs other block dims or weights; the rest does nothing in SDXL.",
        )


def _converted(lora: LoraFile, module: _Module) -> dict[str, Tensor]:
    """The module's tensors in the network's shapes and at its scale, in fp32."""
    _require_type(lora, module)
    dim = rank_of(shapes(module.wanted))
    alpha = module.wanted.get("alpha")
    now = float(alpha) / dim if dim and alpha is not None else 1.0
    converted = {
        key: _fitted(lora, module, key, value * (module.scale / now) if key in _SCALED else value)
        for key, value in ((key, value.float()) for key, value in module.given.items() if key != "alpha")
    }
    return converted if alpha is None else {**converted, "alpha": alpha}


def _require_type(lora: LoraFile, module: _Module) -> None:
    given, wanted = (set(tensors) - {"alpha"} for tensors in (module.given, module.wanted))
    if given == wanted and _same_side(module):
        return
    kinds = [kind_of(shapes(tensors)) for tensors in (module.given, module.wanted)]
    other = f"a {kinds[0]}, and this run trains a {kinds[1]}" if kinds[0] != kinds[1] else "made another way"
    raise problem(
        _FIELD,
        "other_type",
        f"{lora.path.name} is {other}: {module.name} has {listed(sorted(given))} instead of "
        f"{listed(sorted(wanted))}.",
        "Choose the LoRA type and settings that the file was made with, or merge it as Base weights.",
    )


def _same_side(module: _Module) -> bool:
    """iA3 scales what goes into a layer or what comes out."""
    sides = [tensors.get("on_input") for tensors in (module.given, module.wanted)]
    return len({side is not None and bool(side) for side in sides}) == 1


def _fitted(lora: LoraFile, module: _Module, key: str, value: Tensor) -> Tensor:
    """With further ranks where the network has more: they do nothing yet, and can learn."""
    target = module.wanted[key]
    axis = _DIM_AXES.get(key)
    if value.numel() == target.numel() and _bare(value) == _bare(target):
        return value.reshape(target.shape)
    if axis is None or value.dim() <= axis or _tucker(module):
        raise _shape(lora, module, key)
    if value.shape[axis] > target.shape[axis]:
        raise problem(
            _FIELD,
            "rank",
            f"{lora.path.name} has rank {value.shape[axis]} in {module.name}, and this run has "
            f"{target.shape[axis]} there.",
            f"Set {_rank_label(module)} to at least {value.shape[axis]}, or turn DIM from weights on.",
        )
    grown = torch.zeros_like(target, dtype=torch.float32) if axis else target.detach().float().clone()
    place = grown.narrow(axis, 0, value.shape[axis])
    if _bare(value) != _bare(place):
        raise _shape(lora, module, key)
    place.copy_(value.reshape(place.shape))
    return grown


def _bare(tensor: Tensor) -> tuple[int, ...]:
    """Its shape but for a 1x1 window: some write linear layers as convolutions."""
    shape = tuple(tensor.shape)
    return shape[:2] if shape[2:] == (1, 1) else shape


def _tucker(module: _Module) -> bool:
    """Between up and down is a core, with the rank in both its directions."""
    return any(key in module.given for key in ("lora_mid.weight", "hada_t1", "lokr_t2"))


def _rank_label(module: _Module) -> str:
    window = [tuple(tensor.shape[2:]) for tensor in module.wanted.values()]
    return "Convolution Rank" if any(each not in {(), (1, 1)} for each in window) else "Network Rank"


def _shape(lora: LoraFile, module: _Module, key: str) -> Exception:
    given, wanted = (tensors.get(key) for tensors in (module.given, module.wanted))
    sizes = [
        "no such tensor" if each is None else f"{key} {list(each.shape) or each.item()}"
        for each in (given, wanted)
    ]
    return problem(
        _FIELD,
        "shape",
        f"{lora.path.name} does not fit {module.name}: it has {sizes[0]}, and this run has {sizes[1]}.",
        "Choose a LoRA that was made for SDXL, with the settings of this run.",
    )
