"""Which parameters of the network contradict each other, and which a person should know of. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.block_weights import read_blocks
from lora_bridge.lora_file_rules import base_weights_of, require_lora_file
from lora_bridge.lycoris_rules import lycoris_warnings, require_lycoris
from lora_bridge.optimizer_choice import choose_optimizer, part_rates
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import TrainConfig

_BLOCK_TYPES = frozenset({"Standard", "Kohya LoCon", "LoRA-FA"})
"""Whose blocks can have ranks and rates of their own."""
_HIGH_RANK = 320
"""The narrowest layers of SDXL's UNet are so wide: what is above it fits in no module whole."""

_LOW_ALPHA = 1 / 16
"""Of the rank. Kohya's alpha of 1 beside its rank of 8 is above it; beside a rank of 64 it is not."""


def require_network(config: TrainConfig) -> None:
    """Raise ProblemError for parameters of the network that contradict each other, or name no file."""
    _require_chances(config)
    if config.dim_from_weights and not config.network_weights.strip():
        raise ProblemError(
            "network_weights_missing",
            "DIM from weights is on, but there is no file in Network weights to take ranks from.",
            "Choose a LoRA in Network weights, or turn DIM from weights off.",
        )
    if config.dim_from_weights and config.lora_type not in _BLOCK_TYPES:
        raise ProblemError(
            "dim_from_weights_type",
            f"DIM from weights is on, and a {config.lora_type} takes its rank from the fields alone.",
            "Turn DIM from weights off.",
        )
    if config.network_weights.strip():
        require_lora_file(config.network_weights, "network_weights")
    base_weights_of(config)
    if config.lora_type in _BLOCK_TYPES:
        read_blocks(config)
    else:
        require_lycoris(config)
    _require_fitting_optimizer(config)


def network_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What is odd about the network's parameters."""
    ranked = config.lora_type in _BLOCK_TYPES and not config.dim_from_weights
    if ranked and config.network_alpha > config.network_dim:
        yield Problem(
            code="alpha_above_rank",
            message=f"Network Alpha ({config.network_alpha:g}) is more than Network Rank "
            f"({config.network_dim}), which acts like a higher learning rate.",
            hint="Half the rank is the usual choice.",
        )
    if ranked and 0 < config.network_alpha < config.network_dim * _LOW_ALPHA:
        yield Problem(
            code="alpha_far_below_rank",
            message=f"Network Alpha ({config.network_alpha:g}) is a small part of Network Rank "
            f"({config.network_dim}): the LoRA acts with {config.network_alpha / config.network_dim:.2g} of "
            "what it learns, like a learning rate as much lower.",
            hint="Half the rank is the usual choice; or raise Learning rate.",
        )
    if ranked and config.network_dim > _HIGH_RANK:
        yield Problem(
            code="rank_above_width",
            message=f"Network Rank is {config.network_dim}, and many layers of SDXL are {_HIGH_RANK} wide: "
            "such a LoRA is larger than what it changes.",
            hint="16 to 64 is plenty for a person.",
        )
    written = config.conv_block_dims.strip()
    if ranked and config.lora_type == "Kohya LoCon" and config.conv_dim == 0 and not written:
        yield Problem(
            code="no_convolutions",
            message="LoRA type is Kohya LoCon, but Convolution Rank is 0, so no convolution is trained.",
            hint="Give Convolution Rank 4 to 16, or choose Standard.",
        )
    if config.lora_type not in _BLOCK_TYPES:
        yield from lycoris_warnings(config)


def _require_chances(config: TrainConfig) -> None:
    chances = {
        "Network dropout": config.network_dropout,
        "Rank dropout": config.rank_dropout,
        "Module dropout": config.module_dropout,
    }
    for label, chance in chances.items():
        if chance >= 1:
            raise ProblemError(
                "nothing_kept",
                f"{label} is {chance:g}, which leaves out everything, so nothing would be learned.",
                "Give it a number below 1; 0.1 to 0.3 is usual.",
            )


def _require_fitting_optimizer(config: TrainConfig) -> None:
    choice = choose_optimizer(config)
    if config.use_ema and choice.averages:
        raise ProblemError(
            "averaged_twice",
            f"EMA is on, and {config.optimizer} keeps an average of the weights itself.",
            "Turn EMA off, or choose another optimizer.",
        )
    if not (choice.one_rate or choice.sets_rate):
        return
    for label in _rates_of_their_own(config):
        raise ProblemError(
            "one_rate_only",
            f"{label} is set, but {config.optimizer} has one learning rate for all.",
            f"Empty {label}, or choose an optimizer that takes your rates, such as AdamW.",
        )


def _rates_of_their_own(config: TrainConfig) -> Iterator[str]:
    """Labels of what would give parts of a network other rates."""
    ratios = [config.loraplus_lr_ratio]
    parts = part_rates(config)
    if "unet" in parts:
        ratios.append(config.loraplus_unet_lr_ratio)
    if parts.keys() - {"unet"}:
        ratios.append(config.loraplus_text_encoder_lr_ratio)
    if max(ratios) > 0:
        yield "LoRA+ learning rate ratio"
    if config.lora_type in _BLOCK_TYPES and len({*read_blocks(config).weights} - {0.0}) > 1:
        yield "Down, Mid and Up LR weights"
