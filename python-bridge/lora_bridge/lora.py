"""LoRA layers of our own, with all their weights in flat buffers."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from lora_bridge.flat_weights import FlatWeights, Section, Slot
from lora_bridge.lora_sites import Convolution
from lora_bridge.networks import KeyNormTensors, Network, NetworkTensor
from lora_bridge.switches import Chances, Switches

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from lora_bridge.lora_sites import LoraPart, Rank, Site


class PlannedSite(NamedTuple):
    """A layer with what is built into it."""

    site: Site
    rank: Rank
    down: Section = Section()
    up: Section = Section()


class _LoraLayer(nn.Module, ABC):
    """A frozen layer with `scale * up @ down` added to its weight."""

    def __init__(
        self, base: nn.Module, down: nn.Parameter, up: nn.Parameter, scale: float, switches: Switches
    ) -> None:
        super().__init__()
        self.base = base
        self.down = down
        self.up = up
        self.scale = scale
        self._switches = switches

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs [B, ..., in] to [B, ..., out], or of a convolution [B, in, h, w] to [B, out, h', w']."""
        if not self._switches.on:
            return self.base(inputs)
        if not self._switches.draws:
            return self._adapted(inputs)
        chances = self._switches.chances
        # Drawn on the host: torch's checkpointing draws it again alike, and nothing waits for a device.
        if chances.modules > 0 and float(torch.rand(1)) < chances.modules:
            return self.base(inputs)
        middle = self._lower(inputs)
        if chances.values > 0:
            middle = functional.dropout(middle, chances.values)
        scale = self.scale
        if chances.ranks > 0:
            middle = middle * self._kept_ranks(middle, chances.ranks)
            scale /= 1 - chances.ranks
        return self.base(inputs) + self._raise(middle) * scale

    def _adapted(self, inputs: Tensor) -> Tensor:
        return self.base(inputs) + self._raise(self._lower(inputs)) * self.scale

    @abstractmethod
    def _lower(self, inputs: Tensor) -> Tensor: ...

    @abstractmethod
    def _raise(self, middle: Tensor) -> Tensor: ...

    @abstractmethod
    def _kept_ranks(self, middle: Tensor, chance: float) -> Tensor:
        """For each sample, which ranks are kept, to be multiplied with what is between down and up."""


class LoraLinear(_LoraLayer):
    """A linear layer, plain or quantised."""

    def _adapted(self, inputs: Tensor) -> Tensor:
        rows = inputs.flatten(0, -2)
        base = self.base(rows)
        # The scale and the sum come for free with the product.
        rows = torch.addmm(base, functional.linear(rows, self.down), self.up.t(), alpha=self.scale)
        return rows.view(*inputs.shape[:-1], -1)

    def _lower(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.down)

    def _raise(self, middle: Tensor) -> Tensor:
        return functional.linear(middle, self.up)

    def _kept_ranks(self, middle: Tensor, chance: float) -> Tensor:
        shape = (len(middle), *[1] * (middle.dim() - 2), middle.shape[-1])
        return torch.rand(shape, device=middle.device) > chance


class LoraConv(_LoraLayer):
    """A convolution: down has its kernel, stride and padding, up is 1x1."""

    base: Convolution

    def _lower(self, inputs: Tensor) -> Tensor:
        return functional.conv2d(inputs, self.down, None, self.base.stride, self.base.padding)

    def _raise(self, middle: Tensor) -> Tensor:
        return functional.conv2d(middle, self.up)

    def _kept_ranks(self, middle: Tensor, chance: float) -> Tensor:
        return torch.rand((*middle.shape[:2], 1, 1), device=middle.device) > chance


class LoraPair(NamedTuple):
    """The weights of one module: down [rank, in] and up [out, rank]; of a convolution [.., .., h, w]."""

    name: str
    """Of the adapted layer, in its library's layout."""
    down: Tensor
    up: Tensor
    rank: Rank

    @property
    def scale(self) -> float:
        return self.rank.alpha / self.rank.dim


class LoraNetwork(Network):
    """LoRA on layers of one part of SDXL. Its weights are `flat`, and in `weights_dtype`.

    Where the part computes in another dtype, so do the layers, with a copy.
    """

    def __init__(
        self,
        part: LoraPart,
        module: nn.Module,
        planned: Sequence[PlannedSite],
        generator: torch.Generator,
        *,
        chances: Chances = Chances(),  # noqa: B008 - a tuple
        norm_limit: float = 0.0,
        network_args: Mapping[str, str] | None = None,
        weights_dtype: torch.dtype = torch.float32,
    ) -> None:
        """Initial values are drawn from `generator`, on the CPU, in the order of `planned`.

        `norm_limit` is what `limit_norms` holds modules to; 0 is none.
        """
        # A quantised layer has no parameters, so that this one tells what the part computes in.
        like = next(module.parameters())
        slots = [slot for each in planned for slot in _slots(each)]
        flat = FlatWeights(slots, dtype=weights_dtype, compute_dtype=like.dtype, device=like.device)
        super().__init__(part, flat, Switches(chances), network_args or {})
        self._norm_limit = norm_limit
        self._frozen = all(each.down.factor == 0 for each in planned)
        self._pairs: list[LoraPair] = []
        for index, each in enumerate(planned):
            self._install(index, each, generator)
        self.flat.publish()

    @property
    def pairs(self) -> list[LoraPair]:
        """The weights by module, as views."""
        return self._pairs

    @property
    def kohya_module(self) -> str:
        """Where nothing of down learns it is LoRA-FA's."""
        return "networks.lora_fa" if self._frozen else "networks.lora"

    def has_learnt(self) -> bool:
        """Whether any up has left the zeros that all begin with."""
        return any(bool(pair.up.any()) for pair in self._pairs)

    @torch.no_grad()
    def limit_norms(self) -> KeyNormTensors | None:
        """Hold the size of each module's effect to the limit: Kohya's `scale_weight_norms`.

        Both matrices of a module that is larger are multiplied with the root of what is missing. None
        without a limit.
        """
        if self._norm_limit <= 0:
            return None
        norms = torch.stack([_effect(pair) for pair in self._pairs])
        kept = (self._norm_limit / norms).clamp(max=1.0)
        for pair, root in zip(self._pairs, kept.sqrt().to(self._pairs[0].up.dtype), strict=True):
            pair.down.mul_(root)
            pair.up.mul_(root)
        self.flat.publish()
        return KeyNormTensors((kept < 1).sum(), norms * kept)

    def tensors(self) -> Iterator[NetworkTensor]:
        """What a file holds, under Kohya's keys, in `weights_dtype`."""
        for pair in self._pairs:
            yield NetworkTensor(pair.name, "alpha", torch.tensor(pair.rank.alpha))
            yield NetworkTensor(pair.name, "lora_down.weight", pair.down)
            yield NetworkTensor(pair.name, "lora_up.weight", pair.up)

    def load(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Begin with these, by module and key as `tensors` has them; modules that are not there stay."""
        for pair in self._pairs:
            given = weights.get(pair.name)
            if given is not None:
                pair.down.copy_(given["lora_down.weight"])
                pair.up.copy_(given["lora_up.weight"])
        self.flat.publish()

    def _install(self, index: int, planned: PlannedSite, generator: torch.Generator) -> None:
        site, rank = planned.site, planned.rank
        down, up = (self.flat.matrices[2 * index + side].detach() for side in (0, 1))
        down.copy_(_first_down(planned, generator))
        self._pairs.append(LoraPair(site.name, down, up, rank))
        kind = LoraConv if isinstance(site.layer, Convolution) else LoraLinear
        layer = kind(
            site.layer,
            self.flat.active[2 * index],
            self.flat.active[2 * index + 1],
            rank.alpha / rank.dim,
            self._switches,
        )
        setattr(site.parent, site.child, layer)


def _slots(planned: PlannedSite) -> tuple[Slot, Slot]:
    site, dim = planned.site, planned.rank.dim
    out, *window = site.up_shape
    return Slot((dim, *site.down_shape), planned.down), Slot((out, dim, *window), planned.up)


def _first_down(planned: PlannedSite, generator: torch.Generator) -> Tensor:
    """Drawn on the CPU, so that a seed means the same on every device."""
    empty = torch.empty((planned.rank.dim, *planned.site.down_shape))
    if planned.down.factor == 0:
        # As LoRA-FA begins, which never changes it.
        spread = math.sqrt(2 / (empty[0].numel() + planned.rank.dim))
        return nn.init.normal_(empty, std=spread, generator=generator)
    # As torch initializes a layer.
    return nn.init.kaiming_uniform_(empty, a=math.sqrt(5), generator=generator)


def _effect(pair: LoraPair) -> Tensor:
    """The Frobenius norm of `scale * up @ down`, [], fp32, without ever making the product."""
    down, up = pair.down.flatten(1).float(), pair.up.flatten(1).float()
    return pair.scale * ((up.t() @ up) * (down @ down.t())).sum().clamp(min=0).sqrt()
