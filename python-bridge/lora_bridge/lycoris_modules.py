"""LyCORIS's modules: what each adds to a frozen layer, and the tensors of its file.

LyCORIS itself computes a changed weight less the layer's own, where a change below the number format's
precision is lost; here the change is computed by itself. Its chance is `switches.py`'s. The library has no
types. Source: `lycoris/modules/*.py`.
"""

from __future__ import annotations

import logging
import os
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from torch import Tensor, nn

from lora_bridge.lora_sites import Convolution
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lora_bridge.lora_sites import Rank
    from lora_bridge.lycoris_presets import Algorithm

# Its own kernels would be compiled, and timed, in the first steps of every training.
os.environ.setdefault("LYCORIS_KERNEL_BACKEND", "torch")
_LIBRARY: Any = import_module("lycoris.modules")
_GENERAL: Any = import_module("lycoris.functional.general")
# It would write a line for every layer.
logging.getLogger("LyCORIS").setLevel(logging.ERROR)


class Change(NamedTuple):
    """What is added to a layer's weight and bias, in their shapes."""

    weight: Tensor
    bias: Tensor | None


class Factors(NamedTuple):
    """Tensors that an effect is a multiple of."""

    tensors: list[nn.Parameter]
    root: int
    """All times a number to this root make the effect that number times as large."""


class Module:
    """A module of LyCORIS in one layer."""

    def __init__(self, inner: Any, layer: Any) -> None:
        self.inner = inner
        self.layer = layer

    @property
    def beside(self) -> bool:
        """Whether it computes from the layer's inputs and outputs, and makes no whole matrix."""
        return False

    def change(self, *, learning: bool) -> Change:
        """With `learning`, only what this step trains."""
        del learning
        return Change(*self.inner.get_diff_weight())

    def aside(self, inputs: Tensor) -> Tensor:
        """What is added to the layer's outputs for these inputs."""
        return self.inner.bypass_forward_diff(inputs)

    def factors(self) -> Factors | None:
        """None for what has no size that could be held to a limit."""
        return None

    def effect(self) -> Tensor:
        """What such a limit holds, in the shape of the layer's weight."""
        return self.change(learning=False).weight

    def tensors(self) -> dict[str, Tensor]:
        """As a file has them, by key."""
        return self.inner.state_dict()

    def load(self, given: Mapping[str, Tensor]) -> None:
        """Begin with the tensors of a file, in the shapes of `tensors`."""
        for name, parameter in self.inner.named_parameters():
            parameter.detach().copy_(given[name] if name != "scalar" else 1.0)


class _Product(Module):
    """LoCon, LoHa and LoKr: a product of factors, with or without DoRA."""

    @property
    def beside(self) -> bool:
        return not self.inner.wd and (
            not isinstance(self.inner, _LIBRARY.LohaModule) or self.inner.bypass_mode
        )

    def change(self, *, learning: bool) -> Change:
        del learning
        added = self.effect()
        if not self.inner.wd:
            return Change(added, None)
        own = self.layer.weight.to(added.dtype)
        scale = self.inner.dora_scale
        return Change(
            _GENERAL.weight_decompose(own + added, scale, wd_on_out=self.inner.wd_on_out) - own, None
        )

    def effect(self) -> Tensor:
        inner = self.inner
        if isinstance(inner, _LIBRARY.LoConModule):
            return inner.make_weight() * inner.scale
        # Already scaled: its get_diff_weight would do that twice.
        return inner.get_weight(inner.shape) * inner.scalar

    def factors(self) -> Factors:
        parameters = self.inner.named_parameters()
        tensors = [each for name, each in parameters if name not in {"dora_scale", "scalar"}]
        return Factors(tensors, len(tensors))


class _DyLora(Module):
    """LoRA of which each step trains one block of ranks, with those before it (Valipour et al. 2022).

    Scaled as its file will act, and drawn from torch's generator; LyCORIS does neither.
    """

    def change(self, *, learning: bool) -> Change:
        inner = self.inner
        blocks = int(torch.randint(inner.block_count, (1,))) if learning else inner.block_count
        down, up, _ = inner.get_weight(blocks * inner.block_size)
        return Change(((up @ down) * inner.scale).view(inner.shape), None)

    def factors(self) -> Factors:
        return Factors(list(self.inner.parameters()), 2)

    def load(self, given: Mapping[str, Tensor]) -> None:
        inner = self.inner
        down: Any = given["lora_down.weight"].flatten(1)
        up: Any = given["lora_up.weight"].flatten(1)
        rows = down.split(inner.block_size)
        columns = up.split(inner.block_size, dim=1)
        for parameters, values in ((inner.down_list, rows), (inner.up_list, columns)):
            for parameter, value in zip(parameters, values, strict=True):
                parameter.detach().copy_(value)


class _Full(Module):
    """Every number of the layer."""

    def __init__(self, inner: Any, layer: Any) -> None:
        super().__init__(inner, layer)
        # Copies of the whole model.
        inner._org_weight, inner.org_bias = [], []

    def change(self, *, learning: bool) -> Change:
        del learning
        return Change(self.inner.weight, self.inner.bias)

    def tensors(self) -> dict[str, Tensor]:
        whole = {"diff": self.inner.weight, "diff_b": self.inner.bias}
        return {key: tensor for key, tensor in whole.items() if tensor is not None}

    def load(self, given: Mapping[str, Tensor]) -> None:
        for key, parameter in self.tensors().items():
            parameter.detach().copy_(given[key])


class _Widened:
    """A layer with its weight in the number format of what changes it."""

    def __init__(self, layer: Any, inner: nn.Module) -> None:
        self._layer = layer
        self._inner = inner

    @property
    def weight(self) -> Tensor:
        return self._layer.weight.to(next(self._inner.parameters()).dtype)


class _OfTheLayer(Module):
    """GLoRA, iA3, Diag-OFT and BOFT: they change what the layer itself does, and leave its bias."""

    def __init__(self, inner: Any, layer: Any) -> None:
        super().__init__(inner, layer)
        inner.org_forward = self._unbiased
        inner.org_module = [_Widened(layer, inner)]
        self._number_format = torch.float32

    @property
    def beside(self) -> bool:
        """Where the layer is quantised, its weight is not there to be changed."""
        return not hasattr(self.layer, "weight")

    def aside(self, inputs: Tensor) -> Tensor:
        self._number_format = inputs.dtype
        return super().aside(inputs.to(next(self.inner.parameters()).dtype))

    def factors(self) -> Factors | None:
        if not isinstance(self.inner, _LIBRARY.GLoRAModule):
            return None
        tensors = [each for name, each in self.inner.named_parameters() if name != "scalar"]
        return Factors(tensors, 2)

    def _unbiased(self, inputs: Tensor) -> Tensor:
        layer = self.layer
        outputs = layer(inputs.to(self._number_format))
        if layer.bias is None:
            return outputs
        return outputs - layer.bias.view(
            -1, *[1] * (inputs.dim() - 2 if isinstance(layer, Convolution) else 0)
        )


_KINDS: dict[Algorithm, tuple[Any, type[Module]]] = {
    "lora": (_LIBRARY.LoConModule, _Product),
    "locon": (_LIBRARY.LoConModule, _Product),
    "loha": (_LIBRARY.LohaModule, _Product),
    "lokr": (_LIBRARY.LokrModule, _Product),
    "dylora": (_LIBRARY.DyLoraModule, _DyLora),
    "full": (_LIBRARY.FullModule, _Full),
    "glora": (_LIBRARY.GLoRAModule, _OfTheLayer),
    "ia3": (_LIBRARY.IA3Module, _OfTheLayer),
    "diag-oft": (_LIBRARY.DiagOFTModule, _OfTheLayer),
    "boft": (_LIBRARY.ButterflyOFTModule, _OfTheLayer),
}


def make_module(algorithm: Algorithm, layer: Any, rank: Rank, parameters: Mapping[str, Any]) -> Module:
    """A module for a layer, on the CPU, with values drawn from torch's generator.

    `parameters` are those of LyCORIS's modules, by its names. Raises ProblemError `lycoris_unfit`.
    """
    if isinstance(layer, nn.GroupNorm | nn.LayerNorm):
        return Module(_LIBRARY.NormModule("", layer), layer)
    kind, wrapper = _KINDS[algorithm]
    try:
        inner = kind("", _stand_in(layer), lora_dim=rank.dim, alpha=rank.alpha, **parameters)
    except (ValueError, AssertionError) as error:
        raise ProblemError(
            "lycoris_unfit",
            f"LyCORIS cannot build {algorithm} of rank {rank.dim} into a layer: {error}",
            "Choose another Network Rank or Convolution Rank, or another LoRA type.",
        ) from error
    return wrapper(inner, layer)


def _stand_in(layer: Any) -> nn.Module:
    """A layer of the same geometry where a quantised one has no weight to show."""
    if hasattr(layer, "weight"):
        return layer
    convolution: Any = nn.Conv2d
    with torch.device("meta"):
        if isinstance(layer, Convolution):
            return convolution(
                layer.in_channels,
                layer.out_channels,
                layer.kernel_size,
                layer.stride,
                layer.padding,
                bias=layer.bias is not None,
            )
        return nn.Linear(layer.in_features, layer.out_features, bias=layer.bias is not None)
