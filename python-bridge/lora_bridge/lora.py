"""LoRA layers of our own, with all their weights in flat buffers.

SDXL has 1,444 LoRA matrices. Handled one by one, their updates, casts and norms are thousands of tiny
launches a step; as views of one buffer they are one each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator


class LoraLinear(nn.Module):
    """A frozen linear layer with `scale * up @ down` added to its weight."""

    def __init__(self, base: nn.Linear, down: nn.Parameter, up: nn.Parameter, scale: float) -> None:
        super().__init__()
        self.base = base
        self.down = down
        self.up = up
        self.scale = scale

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs [..., in] to [..., out]."""
        rows = inputs.flatten(0, -2)
        base = functional.linear(rows, self.base.weight, self.base.bias)
        # The scale and the sum come for free with the product.
        rows = torch.addmm(base, functional.linear(rows, self.down), self.up.t(), alpha=self.scale)
        return rows.view(*inputs.shape[:-1], -1)


class LoraPair(NamedTuple):
    """The fp32 weights of one module: down [rank, in] and up [out, rank]."""

    name: str
    """Of the adapted layer, in diffusers' layout."""
    down: Tensor
    up: Tensor


class _Site(NamedTuple):
    name: str
    parent: nn.Module
    child: str
    layer: nn.Linear


class LoraNetwork:
    """LoRA on every linear layer in a UNet's transformers, as Kohya's `networks.lora` for SDXL.

    `weights` and `gradients` are fp32 and flat; the layers compute with views of a copy in the UNet's dtype,
    or of `weights` itself when that is fp32. `gradients` belongs to `weights` as its `.grad`.
    """

    def __init__(self, unet: nn.Module, rank: int, alpha: float, generator: torch.Generator) -> None:
        sites = list(_sites(unet))
        like = next(unet.parameters())
        sizes = [
            size for site in sites for size in (rank * site.layer.in_features, site.layer.out_features * rank)
        ]
        total = sum(sizes)
        self.rank = rank
        self.alpha = alpha
        self.weights = nn.Parameter(torch.zeros(total, device=like.device))
        self.gradients = torch.zeros(total, device=like.device)
        self.weights.grad = self.gradients
        self._split = like.dtype != torch.float32
        self._active = (
            torch.zeros(total, dtype=like.dtype, device=like.device) if self._split else self.weights.detach()
        )
        self._active_gradients = torch.zeros_like(self._active) if self._split else self.gradients
        self._pairs: list[LoraPair] = []
        self._install(sites, generator)
        self.publish()

    @property
    def pairs(self) -> list[LoraPair]:
        """The weights by module, as views."""
        return self._pairs

    def has_learnt(self) -> bool:
        """Whether any up has left the zeros that all begin with."""
        return any(bool(pair.up.any()) for pair in self._pairs)

    def collect(self) -> None:
        """Add what a backward pass left to `gradients`: in fp32, so that many small batches lose nothing."""
        if self._split:
            self.gradients.add_(self._active_gradients)
            self._active_gradients.zero_()

    def publish(self) -> None:
        """Let the layers compute with the present `weights`, and forget the gradients."""
        if self._split:
            self._active.copy_(self.weights.detach())
        self.gradients.zero_()

    def _install(self, sites: list[_Site], generator: torch.Generator) -> None:
        start = 0
        for site in sites:
            down_shape = (self.rank, site.layer.in_features)
            up_shape = (site.layer.out_features, self.rank)
            middle = start + math.prod(down_shape)
            end = middle + math.prod(up_shape)
            pair = LoraPair(
                site.name,
                self._weights_view(start, middle, down_shape),
                self._weights_view(middle, end, up_shape),
            )
            # Kaiming-uniform with a = sqrt(5), as torch initializes a linear layer; drawn on the CPU so that
            # a seed means the same on every device.
            pair.down.copy_(
                nn.init.kaiming_uniform_(torch.empty(down_shape), a=math.sqrt(5), generator=generator)
            )
            down = self._leaf(start, middle, down_shape)
            up = self._leaf(middle, end, up_shape)
            setattr(site.parent, site.child, LoraLinear(site.layer, down, up, self.alpha / self.rank))
            self._pairs.append(pair)
            start = end

    def _weights_view(self, start: int, end: int, shape: tuple[int, int]) -> Tensor:
        return self.weights.detach()[start:end].view(shape)

    def _leaf(self, start: int, end: int, shape: tuple[int, int]) -> nn.Parameter:
        leaf = nn.Parameter(self._active[start:end].view(shape))
        # Autograd adds in place to a gradient that is already there.
        leaf.grad = self._active_gradients[start:end].view(shape)
        return leaf


def _sites(unet: nn.Module) -> Iterator[_Site]:
    for outer, transformer in _named(unet.named_modules()):
        if not isinstance(transformer, Transformer2DModel):
            continue
        for inner, parent in _named(cast("Any", transformer).named_modules()):
            for child, layer in _named(parent.named_children()):
                if isinstance(layer, nn.Linear):
                    name = ".".join(part for part in (outer, inner, child) if part)
                    yield _Site(name, parent, child, layer)


def _named(modules: Any) -> Iterator[tuple[str, nn.Module]]:
    """What torch's untyped iterators yield."""
    return modules
