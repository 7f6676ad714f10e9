"""LoRA files that a training begins with."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora_bridge.lora_sites import LoraPart, Rank


def ranks_of(file: str, part: LoraPart) -> dict[str, Rank]:
    """The rank and alpha of each module of a LoRA file in one part of SDXL, by its name in its library."""
    raise NotImplementedError
