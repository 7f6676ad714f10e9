"""What is in a LoRA file."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import safetensors

from lora_bridge.lora_kinds import LEARNT, kind_of, rank_of
from lora_bridge.lora_names import split_key
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Inspection, LoraModule, Parts
from lora_bridge.safetensors_header import DamagedFileError, Header, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

    from lora_bridge.lora_kinds import Kind

_FIRST_ENCODERS_LAYER = re.compile(r"lora_te1_text_model_encoder_layers_(\d+)_")
# Trainers put pictures and the captions of whole data sets into the metadata; a protocol line has an end.
_MAX_METADATA_VALUE = 20_000


class _Values(NamedTuple):
    """What must be known of a tensor's numbers."""

    largest: float | None
    """Largest absolute value; None when it is not finite."""
    first: float


class _Module(NamedTuple):
    """An adapter of one layer."""

    name: str
    kind: Kind
    tensors: dict[str, str]
    """The names of its tensors in the file, by key."""
    rank: int
    """0 for what has none, such as iA3."""


def inspect_lora(path: str) -> Inspection:
    """Read a LoRA file, or one of another kind of adapter, its numbers included.

    Raises ProblemError `lora_missing`, `lora_damaged` or `not_a_lora`.
    """
    file = Path(path).expanduser()
    header = _header(file)
    found = _modules(header)
    if not found:
        raise ProblemError(
            "not_a_lora",
            f"{file} is not a LoRA: none of its {len(header.tensors)} tensors is part of an adapter.",
            "Choose a file that a LoRA training made.",
        )
    try:
        values = dict(_read_values(file))
    except safetensors.SafetensorError as error:
        raise _damaged(f"{file} is damaged: {error}") from None
    modules = [_about(module, values) for module in found]
    return Inspection(
        path=str(file),
        bytes=file.stat().st_size,
        tensors=len(header.tensors),
        dtypes=sorted({tensor.dtype for tensor in header.tensors.values()}),
        modules=modules,
        parts=_parts([module.name for module in modules]),
        ranks=sorted({module.rank for module in modules if module.rank}),
        alphas=sorted({module.alpha for module in modules if module.alpha is not None}),
        non_finite_tensors=sorted(name for name, value in values.items() if value.largest is None),
        empty_modules=_empty(modules),
        metadata={key: _cut(value) for key, value in sorted(header.metadata.items())},
    )


def _header(file: Path) -> Header:
    if not file.is_file():
        raise ProblemError("lora_missing", f"There is no file {file}.", "Choose a LoRA's .safetensors file.")
    try:
        return read_header(file)
    except DamagedFileError as error:
        raise _damaged(str(error)) from None


def _damaged(message: str) -> ProblemError:
    return ProblemError("lora_damaged", message, "Copy or download it again, or train again.")


def _modules(header: Header) -> list[_Module]:
    """By name. What is no adapter's, such as a whole model's weights, is none."""
    grouped: dict[str, dict[str, str]] = {}
    for stored in header.tensors:
        split = split_key(stored)
        if split is not None:
            grouped.setdefault(split[0], {})[split[1]] = stored
    modules: list[_Module] = []
    for name, tensors in sorted(grouped.items()):
        shapes = {key: header.tensors[stored].shape for key, stored in tensors.items()}
        kind = kind_of(shapes)
        if kind is not None:
            modules.append(_Module(name, kind, tensors, rank_of(shapes)))
    return modules


def _about(module: _Module, values: Mapping[str, _Values]) -> LoraModule:
    stored = module.tensors.get("alpha")
    alpha = None
    if module.rank:
        # As every loader has it: without an alpha the LoRA acts unscaled.
        alpha = float(module.rank) if stored is None else values[stored].first
    learnt = [values[module.tensors[key]].largest for key in LEARNT[module.kind] if key in module.tensors]
    finite = [value for value in learnt if value is not None]
    return LoraModule(
        name=module.name,
        rank=module.rank,
        alpha=alpha if alpha is not None and math.isfinite(alpha) else None,
        up_max=max(finite, default=0.0) if len(finite) == len(learnt) else None,
        non_finite=[name for name in module.tensors.values() if values[name].largest is None],
    )


def _empty(modules: list[LoraModule]) -> list[str]:
    """Names of modules that do nothing and could do something.

    SDXL reads the first text encoder's last layer but one, so that nothing after it can learn.
    """
    layers = {
        module.name: int(found[1])
        for module in modules
        if (found := _FIRST_ENCODERS_LAYER.match(module.name)) is not None
    }
    last = max(layers.values(), default=0)
    idle = {name for name, layer in layers.items() if layer == last > 0}
    return [module.name for module in modules if module.up_max == 0 and module.name not in idle]


def _read_values(file: Path) -> Iterator[tuple[str, _Values]]:
    """Every tensor's name and values, one tensor in memory at a time."""
    with cast("Any", safetensors).safe_open(file, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - not a mapping
            tensor: Tensor = tensors.get_tensor(name).float().flatten()
            yield name, _values(tensor)


def _values(tensor: Tensor) -> _Values:
    if tensor.numel() == 0:
        return _Values(0.0, 0.0)
    finite = bool(tensor.isfinite().all())
    return _Values(tensor.abs().max().item() if finite else None, tensor[0].item())


def _parts(names: list[str]) -> Parts:
    def count(*prefixes: str) -> int:
        return sum(name.startswith(prefixes) for name in names)

    unet = count("lora_unet_", "lycoris_unet_", "unet.")
    first = count("lora_te1_", "lycoris_te1_", "lora_te_", "text_encoder.")
    second = count("lora_te2_", "lycoris_te2_", "text_encoder_2.")
    return Parts(
        unet=unet, text_encoder1=first, text_encoder2=second, other=len(names) - unet - first - second
    )


def _cut(value: str) -> str:
    if len(value) <= _MAX_METADATA_VALUE:
        return value
    return f"{value[:_MAX_METADATA_VALUE]}… ({len(value)} characters)"
