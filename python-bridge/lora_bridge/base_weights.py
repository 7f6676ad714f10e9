"""A base model with LoRAs merged into it, so that what is trained builds on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from lora_bridge.adapter_weights import changed_weight
from lora_bridge.file_stamp import file_stamps
from lora_bridge.lora_file import PART_NAMES, read_lora, shapes
from lora_bridge.lora_file_rules import base_weights_of, problem
from lora_bridge.lora_kinds import kind_of
from lora_bridge.model import BaseModel
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor, nn

    from lora_bridge.lora_file import LoraFile, Tensors
    from lora_bridge.lora_file_rules import BaseWeights
    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.model import CachedPart
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.text_encoder import TextEncoder
    from lora_bridge.unet import Unet
    from lora_bridge.vae import Vae

_FIELD = "base_weights"


def with_base_weights(base: BaseModel, config: TrainConfig) -> BaseModel:
    """The base model with the LoRAs of `base_weights`, if any, merged into each part as it is loaded.

    Raises ProblemError `base_weights_missing`, `base_weights_format` or `base_weights_multiplier`; loading a
    part may raise others that begin with `base_weights_`.
    """
    weights = base_weights_of(config)
    return WithBaseWeights(base, weights) if weights else base


class WithBaseWeights(BaseModel):
    """A base model with LoRAs in its UNet and text encoders."""

    def __init__(self, base: BaseModel, weights: Sequence[BaseWeights]) -> None:
        self._base = base
        self._weights = weights

    def vae(self) -> Vae:
        return self._base.vae()

    def text_encoder(self, number: int, dtype: torch.dtype) -> TextEncoder:
        encoder = self._base.text_encoder(number, dtype)
        merge(self._weights, "text_encoder_2" if number else "text_encoder_1", encoder.module)
        return encoder

    def unet(self, dtype: torch.dtype) -> Unet:
        unet = self._base.unet(dtype)
        merge(self._weights, "unet", unet.module)
        return unet

    def identity(self, part: CachedPart) -> str:
        if part == "vae":
            return self._base.identity(part)
        merged = (f"{file_stamps([each.file])} {each.multiplier}" for each in self._weights)
        return "\n".join([self._base.identity(part), *merged])

    @property
    def configs(self) -> Path:
        return self._base.configs


def merge(weights: Sequence[BaseWeights], part: LoraPart, module: nn.Module) -> None:
    """Add LoRAs, one after the other, to the weights of a part that is neither quantised nor adapted yet.

    Computed in fp32 and rounded once per file. Raises ProblemError `base_weights_…` for a file that cannot be
    read or does not fit the model.
    """
    for file, multiplier in weights:
        lora = read_lora(str(file), _FIELD)
        modules = lora.modules.get(part, {})
        layers = dict(cast("Any", module).named_modules())
        strangers = [name for name in modules if name not in layers]
        if strangers:
            raise problem(
                _FIELD,
                "unmatched",
                f"{file.name} changes layers that the {PART_NAMES[part]} does not have: "
                f"{listed(sorted(strangers))}.",
                "Choose a LoRA that was made for SDXL.",
            )
        for name, tensors in modules.items():
            _merge_layer(lora, (part, name), layers[name], tensors, multiplier)


@torch.no_grad()
def _merge_layer(
    lora: LoraFile, place: tuple[LoraPart, str], layer: Any, tensors: Tensors, multiplier: float
) -> None:
    kind = kind_of(shapes(tensors))
    values = {key: tensor.float() for key, tensor in tensors.items()}
    bias = values.get("b_norm" if kind == "norm" else "diff_b")
    weight: Tensor = layer.weight
    try:
        merged = (
            changed_weight(kind, values, weight.float(), lora.scale(*place), multiplier) if kind else None
        )
        if merged is not None and bias is not None:
            layer.bias.add_(multiplier * bias.reshape(layer.bias.shape))
    except (RuntimeError, AttributeError) as error:
        raise problem(
            _FIELD,
            "shape",
            f"{lora.path.name} does not fit {place[1]}, which has a weight of {list(weight.shape)}: {error}",
            "Choose a LoRA that was made for SDXL.",
        ) from error
    if merged is None:
        raise problem(
            _FIELD,
            "type",
            f"{lora.path.name} is {f'a {kind}' if kind else 'of an unknown kind'} in {place[1]}, and that "
            "cannot be merged.",
            "Choose a LoRA, DoRA, LoHa, LoKr, iA3 or full difference.",
        )
    weight.copy_(merged)
