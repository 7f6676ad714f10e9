"""How many numbers an adapter learns, told from the config alone: without the model, and without torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.optimizer_choice import part_rates

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

_PER_RANK = {"unet": 2_659_840, "text_encoder_1": 165_888, "text_encoder_2": 737_280}
"""Of a LoRA on all linear layers that Kohya adapts."""
_RESIDUAL_PER_RANK = 58_560
"""More, where the residual blocks' layers that see one pixel are adapted too."""
_CONVOLUTIONS_PER_RANK = 355_840
_ADAPTED = {"unet": 2_208_680_960, "text_encoder_1": 84_934_656, "text_encoder_2": 629_145_600}
"""Weights of the layers themselves."""
_IA3 = {"unet": 1_300_000, "text_encoder_1": 73_728, "text_encoder_2": 327_680}
_PAIRS = {"Kohya LoHa": 2, "LyCORIS/LoHa": 2, "LyCORIS/GLoRA": 2}
"""Of matrices for a layer; LoRA has one."""
_OWN_FACTOR = 36
"""About what LoKr chooses by itself: the root of a layer's width."""


def adapter_numbers(config: TrainConfig) -> int:
    """Of all parts that learn. LyCORIS's presets, which choose other layers, are not looked at.

    Raises ProblemError `nothing_learned`.
    """
    parts = part_rates(config)
    kind = config.lora_type
    if kind == "LyCORIS/Native Fine-Tuning":
        return sum(_ADAPTED[part] for part in parts)
    if kind == "LyCORIS/iA3":
        return sum(_IA3[part] for part in parts)
    numbers = config.network_dim * sum(_PER_RANK[part] for part in parts)
    if kind.endswith("LoKr"):
        factor = config.factor if config.factor > 0 else _OWN_FACTOR
        whole = sum(_ADAPTED[part] for part in parts) // factor**2
        return min(numbers // factor, whole)
    if "unet" in parts:
        numbers += _convolutions(config)
    return _PAIRS.get(kind, 1) * numbers


def _convolutions(config: TrainConfig) -> int:
    kind = config.lora_type
    if kind in {"Standard", "LoRA-FA"} or (kind.startswith("Kohya") and config.conv_dim == 0):
        return 0
    rank = config.conv_dim or config.network_dim
    return _RESIDUAL_PER_RANK * config.network_dim + _CONVOLUTIONS_PER_RANK * rank
