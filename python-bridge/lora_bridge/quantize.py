"""The frozen UNet's weights in 8 or 4 bits, opened one layer at a time when a product needs them.

Plain torch, so that it works on every device without a compiler. torch's own products would let autograd keep
each opened weight until the backward pass, which costs more than the bits save; here that opens it again.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, Literal, TypeAlias, cast

import torch
from torch import Tensor, nn
from torch.nn import functional

from lora_bridge.problems import ProblemError

How: TypeAlias = Literal["fp8", "int8", "nf4"]

_LARGEST = {"fp8": torch.finfo(torch.float8_e4m3fn).max, "int8": 127.0}
_NF4_BLOCK = 64
_NF4_LEVELS = (
    -1.0,
    -0.6961928009986877,
    -0.5250730514526367,
    -0.39491748809814453,
    -0.28444138169288635,
    -0.18477343022823334,
    -0.09105003625154495,
    0.0,
    0.07958029955625534,
    0.16093020141124725,
    0.24611230194568634,
    0.33791524171829224,
    0.44070982933044434,
    0.5626170039176941,
    0.7229568362236023,
    1.0,
)
"""Quantiles of a normal distribution, as equally likely as they can be with an exact zero among them."""
_KEPT = ("conv_in", "conv_out", "time_embedding", "add_embedding")
"""Small, and what all else depends on."""


class _Rows(nn.Module):
    """fp8 (e4m3) or int8 with one scale for each row, so that an outlier costs no other row its precision."""

    def __init__(self, weight: Tensor, how: How) -> None:
        super().__init__()
        rows = weight.detach().flatten(1).float()
        scale = rows.abs().amax(1, keepdim=True) / _LARGEST[how]
        scale = torch.where(scale > 0, scale, 1.0)
        rows = rows / scale
        # As bytes: a change of the module's number format would open an fp8 tensor for good.
        codes = rows.round().to(torch.int8) if how == "int8" else _bytes(rows.to(torch.float8_e4m3fn))
        self._fp8 = how == "fp8"
        self._shape = weight.shape
        self.register_buffer("codes", codes)
        self.register_buffer("scale", scale)

    def opened(self, dtype: torch.dtype) -> Tensor:
        codes = cast("Tensor", self.codes)
        values = codes.view(torch.float8_e4m3fn) if self._fp8 else codes
        return values.to(dtype).mul_(cast("Tensor", self.scale)).view(self._shape)


class _Blocks(nn.Module):
    """NF4 with one scale for each 64 weights, two weights in a byte (Dettmers et al. 2023, QLoRA)."""

    def __init__(self, weight: Tensor) -> None:
        super().__init__()
        flat = weight.detach().flatten().float()
        blocks = functional.pad(flat, (0, -len(flat) % _NF4_BLOCK)).view(-1, _NF4_BLOCK)
        scale = blocks.abs().amax(1, keepdim=True)
        scale = torch.where(scale > 0, scale, 1.0)
        levels = torch.tensor(_NF4_LEVELS, device=weight.device)
        nearest = torch.bucketize(blocks / scale, (levels[1:] + levels[:-1]) / 2).to(torch.uint8)
        self._shape = weight.shape
        self.register_buffer("codes", nearest[:, ::2] << 4 | nearest[:, 1::2])
        self.register_buffer("scale", scale)
        # Both weights of each of the 256 bytes: a look-up is one launch on any device.
        pairs = torch.stack([levels.repeat_interleave(len(levels)), levels.repeat(len(levels))], dim=1)
        self.register_buffer("pairs", pairs)

    def opened(self, dtype: torch.dtype) -> Tensor:
        pairs, codes = cast("Tensor", self.pairs), cast("Tensor", self.codes)
        blocks = functional.embedding(codes.int(), pairs.to(dtype)).flatten(1)
        return blocks.mul_(cast("Tensor", self.scale)).flatten()[: self._shape.numel()].view(self._shape)


class QuantizedLayer(nn.Module, ABC):
    """What a linear layer or a convolution does with a weight that is opened for each product."""

    def __init__(self, layer: nn.Linear | nn.Conv2d, how: How) -> None:
        super().__init__()
        self.bias = layer.bias
        self.packed = _Blocks(layer.weight) if how == "nf4" else _Rows(layer.weight, how)

    def forward(self, inputs: Tensor) -> Tensor:
        """As the layer that it stands for, in the number format of the inputs."""
        return cast("Any", _FrozenProduct).apply(inputs, self)

    @abstractmethod
    def product(self, inputs: Tensor) -> Tensor:
        """What the layer makes of its inputs."""

    @abstractmethod
    def input_gradient(self, gradient: Tensor, shape: torch.Size) -> Tensor:
        """The gradient of inputs of `shape` from that of the product."""


class QuantizedLinear(QuantizedLayer):
    """`nn.Linear`."""

    def __init__(self, layer: nn.Linear, how: How) -> None:
        super().__init__(layer, how)
        self.in_features = layer.in_features
        self.out_features = layer.out_features

    def product(self, inputs: Tensor) -> Tensor:
        return functional.linear(inputs, self.packed.opened(inputs.dtype), self.bias)

    def input_gradient(self, gradient: Tensor, shape: torch.Size) -> Tensor:
        return (gradient @ self.packed.opened(gradient.dtype)).view(shape)


class QuantizedConv2d(QuantizedLayer):
    """`nn.Conv2d`, as SDXL has them: in one group, without dilation."""

    def __init__(self, layer: nn.Conv2d, how: How) -> None:
        super().__init__(layer, how)
        self.in_channels = layer.in_channels
        self.out_channels = layer.out_channels
        self.kernel_size: Any = layer.kernel_size
        self.stride: Any = layer.stride
        self.padding: Any = layer.padding

    def product(self, inputs: Tensor) -> Tensor:
        weight = self.packed.opened(inputs.dtype)
        return functional.conv2d(inputs, weight, self.bias, self.stride, self.padding)

    def input_gradient(self, gradient: Tensor, shape: torch.Size) -> Tensor:
        weight = self.packed.opened(gradient.dtype)
        return cast("Any", torch.nn).grad.conv2d_input(shape, weight, gradient, self.stride, self.padding)


class _FrozenProduct(torch.autograd.Function):
    """Keeps nothing for the backward pass: the inputs' gradient needs the weight alone."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, layer: QuantizedLayer) -> Tensor:
        ctx.layer, ctx.shape = layer, inputs.shape
        return layer.product(inputs)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.layer.input_gradient(gradients[0], ctx.shape), None


def quantize(module: nn.Module, how: How, dtype: torch.dtype, device: torch.device | None = None) -> None:
    """Replace the weights of a frozen UNet's linear layers and convolutions, one layer after the other.

    Those of the first and last layer and of the embeddings stay, in `dtype`, as the biases and norms do.
    All of it ends on `device`, or stays where it is. Raises ProblemError `quantization_unsupported`.
    """
    place = device or next(module.parameters()).device
    _require_support(how, place)
    # By name: a list of the layers would keep every weight until the last is replaced.
    for name in _replaceable(module):
        layer: Any = module.get_submodule(name).to(place)
        kind: Any = QuantizedLinear if isinstance(layer, nn.Linear) else QuantizedConv2d
        module.set_submodule(name, kind(layer, how))
    for parameter in module.parameters():
        parameter.data = parameter.data.to(dtype)
    module.to(place)


def _replaceable(module: nn.Module) -> list[str]:
    return [
        name
        for name, layer in cast("Any", module).named_modules()
        if isinstance(layer, nn.Linear | nn.Conv2d) and name.partition(".")[0] not in _KEPT
    ]


def _require_support(how: How, device: torch.device) -> None:
    """Pack and open a small weight where the large ones will be."""
    layer = nn.Linear(_NF4_BLOCK, 1, bias=False, device=device)
    try:
        QuantizedLinear(layer, how)(torch.ones(1, _NF4_BLOCK, device=device))
    except (RuntimeError, TypeError) as error:
        others = ", ".join(other for other in ("int8", "fp8", "nf4", "none") if other != how)
        raise ProblemError(
            "quantization_unsupported",
            f"Quantize base model is {how}, which {_name(device)} cannot compute with: {error}",
            f"Choose another of {others}.",
        ) from error


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else f"this machine's {device.type}"


def _bytes(tensor: Tensor) -> Tensor:
    return tensor.view(torch.uint8)
