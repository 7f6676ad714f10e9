"""Which layers of SDXL Kohya's `networks.lora` adapts, and the rank, alpha and rate that each gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple, TypeAlias, cast

from diffusers.models.downsampling import Downsample2D
from diffusers.models.resnet import ResnetBlock2D
from diffusers.models.transformers.transformer_2d import Transformer2DModel
from diffusers.models.upsampling import Upsample2D
from torch import nn
from transformers.models.clip.modeling_clip import CLIPMLP, CLIPAttention

from lora_bridge.quantize import QuantizedConv2d, QuantizedLinear

if TYPE_CHECKING:
    from collections.abc import Iterator

LoraPart: TypeAlias = Literal["unet", "text_encoder_1", "text_encoder_2"]
"""What a network of LoRA layers is built into."""

Convolution: TypeAlias = nn.Conv2d | QuantizedConv2d
Layer: TypeAlias = nn.Linear | QuantizedLinear | Convolution


class Rank(NamedTuple):
    """Of a module: it acts with `alpha / dim`."""

    dim: int
    alpha: float


class Site(NamedTuple):
    """A layer that can be adapted, and where it hangs."""

    name: str
    """In its library's layout."""
    parent: nn.Module
    child: str
    layer: Layer

    @property
    def convolves(self) -> bool:
        """Whether it looks at more than one pixel: Kohya gives these a rank of their own."""
        return isinstance(self.layer, Convolution) and self.layer.kernel_size != (1, 1)

    @property
    def down_shape(self) -> tuple[int, ...]:
        """Of a down matrix, but for the rank in front: [in], or [in, height, width] of a convolution."""
        if isinstance(self.layer, Convolution):
            return (self.layer.in_channels, *self.layer.kernel_size)
        return (self.layer.in_features,)

    @property
    def up_shape(self) -> tuple[int, ...]:
        """Of an up matrix, but for the rank, which comes second: [out], or [out, 1, 1] of a convolution."""
        if isinstance(self.layer, Convolution):
            return (self.layer.out_channels, 1, 1)
        return (self.layer.out_features,)


def sites(part: LoraPart, module: nn.Module, *, convolutions: bool = False) -> Iterator[Site]:
    """In the UNet the linear layers of the transformers, in a text encoder those of attention and MLP.

    With `convolutions` also all layers of the UNet's residual, downsampling and upsampling blocks.
    """
    if part != "unet":
        kinds: tuple[type[nn.Module], ...] = (CLIPAttention, CLIPMLP)
    elif convolutions:
        kinds = (Transformer2DModel, ResnetBlock2D, Downsample2D, Upsample2D)
    else:
        kinds = (Transformer2DModel,)
    for outer, adapted in _named(module.named_modules()):
        if not isinstance(adapted, kinds):
            continue
        for inner, parent in _named(cast("Any", adapted).named_modules()):
            for child, layer in _named(parent.named_children()):
                if isinstance(layer, Layer):
                    name = ".".join(step for step in (outer, inner, child) if step)
                    yield Site(name, parent, child, layer)


def _named(modules: Any) -> Iterator[tuple[str, nn.Module]]:
    """What torch's untyped iterators yield."""
    return modules
