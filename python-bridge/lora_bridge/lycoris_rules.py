"""What LyCORIS cannot build of a config, and what it advises against. Asked while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.lycoris_presets import read_preset
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import TrainConfig

_LEAST_BOFT_RANK = 10
"""SDXL's layers have 5 times a power of two outputs, and BOFT's blocks an even number of them."""


def require_lycoris(config: TrainConfig) -> None:
    """Raise ProblemError for what cannot be built: `lycoris_preset_…`, `rank_in_blocks` or `no_weight`."""
    if config.lora_type.startswith("LyCORIS/"):
        read_preset(config.lycoris_preset)
    ranks = {"Network Rank": config.network_dim, "Convolution Rank": config.conv_dim}
    if config.lora_type.endswith("DyLoRA"):
        for label, rank in ranks.items():
            if rank % config.unit:
                raise ProblemError(
                    "rank_in_blocks",
                    f"{label} is {rank}, which cannot be divided into blocks of {config.unit}.",
                    f"Choose a rank that DyLoRA Unit / Block size ({config.unit}) divides.",
                )
    if config.lora_type == "LyCORIS/BOFT":
        for label, rank in ranks.items():
            if 0 < rank < _LEAST_BOFT_RANK:
                raise ProblemError(
                    "rank_in_blocks",
                    f"{label} is {rank}, and LyCORIS/BOFT cannot divide SDXL's layers into blocks so small.",
                    f"Choose a rank of at least {_LEAST_BOFT_RANK}.",
                )
    if config.quantize_base_model != "none":
        _require_weights(config)


def lycoris_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What LyCORIS itself advises against."""
    if config.lora_type == "LyCORIS/iA3" and config.lycoris_preset.strip() != "ia3":
        yield Problem(
            code="not_ia3s_preset",
            message=f"LyCORIS Preset is {config.lycoris_preset}; iA3 was made for the few layers of ia3.",
            hint="Choose the preset ia3.",
        )


def _require_weights(config: TrainConfig) -> None:
    """Some kinds compute with the base model's weights themselves."""
    quantized = f"Quantize base model is {config.quantize_base_model}"
    if config.lora_type == "LyCORIS/Native Fine-Tuning":
        raise ProblemError(
            "no_weight",
            f"{quantized}, and LyCORIS/Native Fine-Tuning trains the whole weights.",
            "Set Quantize base model to none, or choose another LoRA type.",
        )
    if config.dora_wd:
        raise ProblemError(
            "no_weight",
            f"{quantized}, and DoRA needs the length of the weights as they are.",
            "Set Quantize base model to none, or turn DoRA Weight Decompose off.",
        )
