"""torch's global chance, from which layers draw what they leave out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, cast

import torch

from lora_bridge.lycoris_presets import PRESETS

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig


def layers_draw(config: TrainConfig) -> bool:
    """Whether layers of the network leave something out by chance."""
    dropouts = (config.network_dropout, config.rank_dropout, config.module_dropout)
    # A preset of one's own can make any layer a DyLoRA, which draws its ranks.
    own_preset = config.lora_type.startswith("LyCORIS/") and config.lycoris_preset not in PRESETS
    return max(dropouts) > 0 or config.lora_type.endswith("DyLoRA") or own_preset


def seed_layers(seed: int, step: int, batch: int, rank: int = 0) -> None:
    """Let what layers draw in a batch of a step depend on these numbers alone.

    So a resumed run draws the same, and so does a block that is computed again in the backward pass. Each of
    the processes that share a batch, counted from 0, draws its own.
    """
    process = f"-{rank}" if rank else ""
    chance = random.Random(f"layers-{seed}-{step}-{batch}{process}").randrange(2**63)
    cast("Any", torch).manual_seed(chance)
