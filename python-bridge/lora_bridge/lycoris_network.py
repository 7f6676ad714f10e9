"""Adapters of other kinds than LoRA: LyCORIS's modules, with all their weights in one flat buffer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lora_bridge.flat_weights import FlatWeights, Section, Slot
from lora_bridge.lora_sites import Convolution
from lora_bridge.lycoris_modules import make_module
from lora_bridge.networks import KeyNormTensors, Network, NetworkTensor
from lora_bridge.switches import Chances, Switches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lora_bridge.lora_sites import LoraPart, Rank, Site
    from lora_bridge.lycoris_modules import Module
    from lora_bridge.lycoris_presets import Algorithm


class LycorisSite(NamedTuple):
    """A layer with what is built into it."""

    site: Site
    algorithm: Algorithm
    rank: Rank
    parameters: Mapping[str, Any]
    """Of the module, by LyCORIS's names."""


class LycorisChances(NamedTuple):
    """What chance leaves out of LyCORIS's modules."""

    chances: Chances
    strengthens: bool
    """Whether the rows that rank dropout leaves are made larger, so that their sum stays."""


class _LycorisLayer(nn.Module):
    """A frozen layer and what a module adds to it."""

    def __init__(self, base: nn.Module, module: Module, switches: Switches, *, strengthens: bool) -> None:
        super().__init__()
        self.base = base
        self._module = module
        self._switches = switches
        self._strengthens = strengthens
        self._channels = 1 if isinstance(base, Convolution | nn.GroupNorm) else -1

    def forward(self, inputs: Tensor) -> Tensor:
        """As the base layer."""
        switches = self._switches
        outputs = self.base(inputs)
        if not switches.on or (switches.draws and self._left_out()):
            return outputs
        added = self._added(inputs).to(outputs.dtype)
        return outputs + (self._thinned(added) if switches.draws else added)

    def _left_out(self) -> bool:
        chance = self._switches.chances.modules
        # Drawn on the host: nothing waits for a device.
        return chance > 0 and float(torch.rand(1)) < chance

    def _added(self, inputs: Tensor) -> Tensor:
        module = self._module
        if module.beside:
            return module.aside(inputs)
        weight, bias = module.change(learning=self._switches.training)
        bias = None if bias is None else bias.to(inputs.dtype)
        inner = module.inner
        return inner.op(inputs, weight=weight.to(inputs.dtype), bias=bias, **inner.kw_dict)

    def _thinned(self, added: Tensor) -> Tensor:
        """Some rows of the effect left out, which are channels of what it adds, and then some values."""
        chances = self._switches.chances
        if chances.ranks > 0:
            shape = [1] * added.dim()
            shape[self._channels] = -1
            kept = (torch.rand(added.shape[self._channels], device=added.device) > chances.ranks).to(added)
            added = added * (kept / kept.mean() if self._strengthens else kept).view(shape)
        return functional.dropout(added, chances.values)


class LycorisNetwork(Network):
    """LyCORIS's modules in layers of one part of SDXL, computed in the number format of their weights."""

    def __init__(
        self,
        part: LoraPart,
        module: nn.Module,
        planned: Sequence[LycorisSite],
        generator: torch.Generator,
        *,
        chances: LycorisChances,
        norm_limit: float,
        plus: float,
        kohya_module: str,
        network_args: Mapping[str, str],
        weights_dtype: torch.dtype,
    ) -> None:
        """Initial values are drawn from `generator`, on the CPU, in the order of `planned`.

        `norm_limit` is what `limit_norms` holds modules to, 0 is none; `plus` how much faster an up matrix
        learns.
        """
        device = next(module.parameters()).device
        self._kohya_module = kohya_module
        self._norm_limit = norm_limit
        self._modules = {each.site.name: _drawn(each, generator) for each in planned}
        weights = [weight for made in self._modules.values() for weight in _weights(made)]
        slots = [Slot(weight.shape, _section(weight.name, plus)) for weight in weights]
        flat = FlatWeights(slots, dtype=weights_dtype, compute_dtype=weights_dtype, device=device)
        super().__init__(part, flat, Switches(chances.chances), network_args)
        self._silent: list[nn.Parameter] = []
        for weight, place in zip(weights, flat.matrices, strict=True):
            if weight.values is None:
                self._silent.append(place)
            else:
                place.detach().copy_(weight.values)
            setattr(weight.owner, weight.name.rpartition(".")[2], place)
        for each in planned:
            made = self._modules[each.site.name]
            made.inner.to(device)
            layer = _LycorisLayer(each.site.layer, made, self._switches, strengthens=chances.strengthens)
            setattr(each.site.parent, each.site.child, layer)

    @property
    def kohya_module(self) -> str:
        return self._kohya_module

    def has_learnt(self) -> bool:
        """Whether anything has left the zeros that keep a module from doing anything at first."""
        return any(bool(parameter.any()) for parameter in self._silent)

    @torch.no_grad()
    def limit_norms(self) -> KeyNormTensors | None:
        """Hold the size of each module's effect to the limit, by all of its factors alike."""
        if self._norm_limit <= 0:
            return None
        limited = [
            (made, factors) for made in self._modules.values() if (factors := made.factors()) is not None
        ]
        if not limited:
            return None
        norms = torch.stack([made.effect().float().square().sum().sqrt() for made, _ in limited])
        kept = (self._norm_limit / norms).clamp(max=1.0)
        for (_, factors), share in zip(limited, kept, strict=True):
            for tensor in factors.tensors:
                tensor.mul_(share ** (1 / factors.root))
        return KeyNormTensors((kept < 1).sum(), norms * kept)

    @torch.no_grad()
    def tensors(self) -> Iterator[NetworkTensor]:
        """What a file holds, under LyCORIS's keys."""
        for name, made in self._modules.items():
            for key, value in made.tensors().items():
                yield NetworkTensor(name, key, value)

    @torch.no_grad()
    def load(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Begin with these, by module and key as `tensors` has them; modules that are not there stay."""
        for name, made in self._modules.items():
            if name in weights:
                made.load(weights[name])


class _Weight(NamedTuple):
    """A tensor of a module that is to learn, and where it hangs."""

    owner: Any
    name: str
    shape: tuple[int, ...]
    values: Tensor | None
    """As it begins; None for zeros."""


def _drawn(planned: LycorisSite, generator: torch.Generator) -> Module:
    """A module, with a seed of its own, so that what one layer draws touches no other."""
    seed = int(torch.randint(2**62, (1,), generator=generator))
    chance: Any = torch.random
    with chance.fork_rng(devices=[]):
        chance.manual_seed(seed)
        return make_module(planned.algorithm, planned.site.layer, planned.rank, planned.parameters)


def _weights(made: Module) -> list[_Weight]:
    found: list[_Weight] = []
    for name, parameter in made.inner.named_parameters():
        owner = made.inner.get_submodule(name.rpartition(".")[0])
        zeros = not bool(parameter.any())
        found.append(_Weight(owner, name, tuple(parameter.shape), None if zeros else parameter.detach()))
        if zeros:
            # Of a whole model they would take as much room as the buffer that takes their place.
            parameter.data = parameter.data.new_empty(0)
    return found


def _section(name: str, plus: float) -> Section:
    return Section(plus, "plus") if plus != 1 and name.startswith(("lora_up", "up_list")) else Section()
