"""What the tests of LoRA layers share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lora_bridge.lora import LoraNetwork, PlannedSite
from lora_bridge.lora_sites import Rank, sites

if TYPE_CHECKING:
    import torch
    from torch import nn

    from lora_bridge.lora_sites import LoraPart


def plain_lora(
    part: LoraPart, module: nn.Module, dim: int, alpha: float, generator: torch.Generator, **options: Any
) -> LoraNetwork:
    """Standard, with the same rank everywhere."""
    planned = [PlannedSite(site, Rank(dim, alpha)) for site in sites(part, module)]
    return LoraNetwork(part, module, planned, generator, **options)
