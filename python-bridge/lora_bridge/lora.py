"""LoRA layers of our own, with all their weights in flat buffers.

SDXL has 1,444 LoRA matrices. Handled one by one, their updates, casts and norms are thousands of tiny
launches a step; as views of one buffer they are one each.
"""

from __future__ import annotations

import math
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

import torch
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from torch import Tensor, nn
from torch.nn import functional
from transformers.models.clip.modeling_clip import CLIPMLP, CLIPAttention

from lora_bridge.quantize import QuantizedLinear

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

LoraPart: TypeAlias = Literal["unet", "text_encoder_1", "text_encoder_2"]
"""What a network of LoRA layers is built into."""


class _Switch:
    """Whether a network's layers add anything: one for all, so that turning them off touches one place."""

    on = True


class LoraLinear(nn.Module):
    """A frozen linear layer, plain or quantised, with `scale * up @ down` added to its weight."""

    def __init__(
        self, base: nn.Module, down: nn.Parameter, up: nn.Parameter, scale: float, switch: _Switch
    ) -> None:
        super().__init__()
        self.base = base
        self.down = down
        self.up = up
        self.scale = scale
        self._switch = switch

    def forward(self, inputs: Tensor) -> Tensor:
        """inputs [..., in] to [..., out]."""
        if not self._switch.on:
            return self.base(inputs)
        rows = inputs.flatten(0, -2)
        base = self.base(rows)
        # The scale and the sum come for free with the product.
        rows = torch.addmm(base, functional.linear(rows, self.down), self.up.t(), alpha=self.scale)
        return rows.view(*inputs.shape[:-1], -1)


class LoraPair(NamedTuple):
    """The weights of one module: down [rank, in] and up [out, rank]."""

    name: str
    """Of the adapted layer, in its library's layout."""
    down: Tensor
    up: Tensor


class _Site(NamedTuple):
    name: str
    parent: nn.Module
    child: str
    layer: nn.Linear | QuantizedLinear


class LoraNetwork:
    """LoRA on every linear layer that Kohya's `networks.lora` takes in one part of SDXL.

    In the UNet those are in the transformers, in a text encoder in attention and MLP. `weights` and
    `gradients` are flat and in `weights_dtype`; `gradients` belongs to `weights` as its `.grad`. The layers
    compute with views of `weights`, or of a copy where the part computes in another dtype.
    """

    def __init__(
        self,
        part: LoraPart,
        module: nn.Module,
        rank: int,
        alpha: float,
        generator: torch.Generator,
        *,
        weights_dtype: torch.dtype = torch.float32,
    ) -> None:
        sites = list(_sites(part, module))
        # A quantised layer has no parameters, so that this one tells what the part computes in.
        like = next(module.parameters())
        sizes = [
            size for site in sites for size in (rank * site.layer.in_features, site.layer.out_features * rank)
        ]
        total = sum(sizes)
        self.part: LoraPart = part
        self.rank = rank
        self.alpha = alpha
        self.weights = nn.Parameter(torch.zeros(total, dtype=weights_dtype, device=like.device))
        self.gradients = torch.zeros_like(self.weights.detach())
        self.weights.grad = self.gradients
        self._split = like.dtype != weights_dtype
        self._active = (
            torch.zeros(total, dtype=like.dtype, device=like.device) if self._split else self.weights.detach()
        )
        self._active_gradients = torch.zeros_like(self._active) if self._split else self.gradients
        self._pairs: list[LoraPair] = []
        self._matrices: list[nn.Parameter] = []
        self._switch = _Switch()
        self._install(sites, generator)
        self.publish()

    @property
    def pairs(self) -> list[LoraPair]:
        """The weights by module, as views."""
        return self._pairs

    @property
    def matrices(self) -> list[nn.Parameter]:
        """Each down and up as a view of `weights` with a view of `gradients` as its `.grad`.

        For optimizers that need a matrix's shape. What is written to one is written to the other; the `.grad`
        must stay the same tensor.
        """
        return self._matrices

    @contextmanager
    def off(self) -> Generator[None]:
        """The base model alone: inside, the layers add nothing. No backward pass may cross its end."""
        before = self._switch.on
        self._switch.on = False
        try:
            yield
        finally:
            self._switch.on = before

    def has_learnt(self) -> bool:
        """Whether any up has left the zeros that all begin with."""
        return any(bool(pair.up.any()) for pair in self._pairs)

    def collect(self) -> None:
        """Add what a backward pass left to `gradients`: in fp32, many small batches lose nothing."""
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
            down = self._matrix(start, middle, down_shape)
            up = self._matrix(middle, end, up_shape)
            # Kaiming-uniform with a = sqrt(5), as torch initializes a linear layer; drawn on the CPU so that
            # a seed means the same on every device.
            down.detach().copy_(
                nn.init.kaiming_uniform_(torch.empty(down_shape), a=math.sqrt(5), generator=generator)
            )
            self._pairs.append(LoraPair(site.name, down.detach(), up.detach()))
            self._matrices += [down, up]
            if self._split:
                down = _view(self._active, self._active_gradients, start, middle, down_shape)
                up = _view(self._active, self._active_gradients, middle, end, up_shape)
            layer = LoraLinear(site.layer, down, up, self.alpha / self.rank, self._switch)
            setattr(site.parent, site.child, layer)
            start = end

    def _matrix(self, start: int, end: int, shape: tuple[int, int]) -> nn.Parameter:
        return _view(self.weights.detach(), self.gradients, start, end, shape)


def _view(values: Tensor, gradients: Tensor, start: int, end: int, shape: tuple[int, int]) -> nn.Parameter:
    leaf = nn.Parameter(values[start:end].view(shape))
    # Autograd adds in place to a gradient that is already there.
    leaf.grad = gradients[start:end].view(shape)
    return leaf


def _sites(part: LoraPart, module: nn.Module) -> Iterator[_Site]:
    kinds = (Transformer2DModel,) if part == "unet" else (CLIPAttention, CLIPMLP)
    for outer, adapted in _named(module.named_modules()):
        if not isinstance(adapted, kinds):
            continue
        for inner, parent in _named(cast("Any", adapted).named_modules()):
            for child, layer in _named(parent.named_children()):
                if isinstance(layer, nn.Linear | QuantizedLinear):
                    name = ".".join(step for step in (outer, inner, child) if step)
                    yield _Site(name, parent, child, layer)


def _named(modules: Any) -> Iterator[tuple[str, nn.Module]]:
    """What torch's untyped iterators yield."""
    return modules
