"""LoRA files as others make them, written down here without the trainer's own names and formulas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from tensor_files import save_tensors

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from torch import Tensor

LINEAR = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
OUT = "mid_block.attentions.0.transformer_blocks.0.attn2.to_out.0"
PROJECTION = "up_blocks.0.attentions.1.proj_in"
CONV = "down_blocks.0.resnets.1.conv1"
SHORTCUT = "up_blocks.1.resnets.0.conv_shortcut"
DOWNSAMPLER = "down_blocks.0.downsamplers.0.conv"

LDM = {
    LINEAR: "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
    OUT: "lora_unet_middle_block_1_transformer_blocks_0_attn2_to_out_0",
    PROJECTION: "lora_unet_output_blocks_1_1_proj_in",
    CONV: "lora_unet_input_blocks_2_0_in_layers_2",
    SHORTCUT: "lora_unet_output_blocks_3_0_skip_connection",
    DOWNSAMPLER: "lora_unet_input_blocks_3_0_op",
}
"""Kohya's names, by hand from the table of the original layout."""


class Weights(NamedTuple):
    """What somebody's LoRA does to a layer."""

    down: Tensor
    up: Tensor
    scale: float

    def delta(self) -> Tensor:
        """What is added to the layer's weight, [out, in, ...]."""
        product = self.up.float().flatten(1) @ self.down.float().flatten(1)
        return self.scale * product.view(len(self.up), *self.down.shape[1:])


def random_weights(layer: Any, dim: int, scale: float, dtype: torch.dtype, seed: int = 0) -> Weights:
    generator = torch.Generator().manual_seed(seed)
    out, *inside = layer.weight.shape
    window = [1] * (len(inside) - 1)
    down = torch.randn(dim, *inside, generator=generator) * 0.2
    up = torch.randn(out, dim, *window, generator=generator) * 0.2
    return Weights(down.to(dtype), up.to(dtype), scale)


def kohya_file(
    file: Path,
    weights: dict[str, Weights],
    name: Callable[[str], str] = LDM.__getitem__,
    *,
    alpha: bool = True,
) -> Path:
    tensors: dict[str, Tensor] = {}
    for module, (down, up, scale) in weights.items():
        tensors[f"{name(module)}.lora_down.weight"] = down
        tensors[f"{name(module)}.lora_up.weight"] = up
        if alpha:
            tensors[f"{name(module)}.alpha"] = torch.tensor(scale * len(down)).to(down.dtype)
    return save_tensors(file, tensors)


def dotted_file(file: Path, weights: dict[str, Weights], prefix: str, keys: Sequence[str]) -> Path:
    """With diffusers' own names: `keys` are what down and up are called."""
    return save_tensors(
        file,
        {
            f"{prefix}{module}.{key}": tensor
            for module, each in weights.items()
            for key, tensor in zip(keys, each[:2], strict=True)
        },
    )
