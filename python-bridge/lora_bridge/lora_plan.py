"""What a config builds into each layer."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.block_weights import block_of, read_blocks
from lora_bridge.flat_weights import Section
from lora_bridge.ldm_names import unet_name
from lora_bridge.lora import PlannedSite
from lora_bridge.lora_sites import Rank, sites
from lora_bridge.network_weights import ranks_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import nn

    from lora_bridge.block_weights import Blocks
    from lora_bridge.lora_sites import LoraPart, Site
    from lora_bridge.protocol_types import TrainConfig


def plan_sites(config: TrainConfig, part: LoraPart, module: nn.Module) -> list[PlannedSite]:
    """The layers of a part that learn, with their ranks, alphas and rates."""
    blocks = read_blocks(config)
    known = ranks_of(config.network_weights, part) if config.dim_from_weights else None
    convolutions = config.lora_type == "Kohya LoCon" or known is not None
    planned: list[PlannedSite] = []
    for site in sites(part, module, convolutions=convolutions):
        block = block_of(unet_name(site.name)) if part == "unet" else None
        rank = _rank(config, blocks, block, site, known)
        if rank is not None:
            planned.append(PlannedSite(site, rank, *_sections(config, blocks, part, block)))
    return planned


def plus_ratio(config: TrainConfig, part: LoraPart) -> float:
    """How many times faster than down an up learns: LoRA+ (Hayou et al. 2024)."""
    own = config.loraplus_unet_lr_ratio if part == "unet" else config.loraplus_text_encoder_lr_ratio
    return own or config.loraplus_lr_ratio or 1.0


def _rank(
    config: TrainConfig, blocks: Blocks, block: int | None, site: Site, known: Mapping[str, Rank] | None
) -> Rank | None:
    """None for a layer that stays as it is."""
    if block is not None and blocks.weights[block] == 0:
        return None
    if known is not None:
        return known.get(site.name)
    if block is None:
        return Rank(config.network_dim, config.network_alpha)
    ranks = blocks.convolutions if site.convolves else blocks.linear
    return Rank(ranks.dims[block], ranks.alphas[block]) if ranks.dims[block] else None


def _sections(
    config: TrainConfig, blocks: Blocks, part: LoraPart, block: int | None
) -> tuple[Section, Section]:
    weighted = bool(
        config.down_lr_weight.strip() or config.mid_lr_weight.strip() or config.up_lr_weight.strip()
    )
    name = f"block{block}" if weighted and block is not None else ""
    factor = 1.0 if block is None else blocks.weights[block]
    ratio = plus_ratio(config, part)
    down = Section(0.0, "") if config.lora_type == "LoRA-FA" else Section(factor, name)
    if ratio == 1:
        return down, Section(factor, name)
    return down, Section(factor * ratio, f"{name} plus".strip())


def network_args(config: TrainConfig) -> dict[str, str]:
    """What sd-scripts would have been given as `--network_args`."""
    given: dict[str, object] = {
        "rank_dropout": config.rank_dropout,
        "module_dropout": config.module_dropout,
        "loraplus_lr_ratio": config.loraplus_lr_ratio,
        "loraplus_unet_lr_ratio": config.loraplus_unet_lr_ratio,
        "loraplus_text_encoder_lr_ratio": config.loraplus_text_encoder_lr_ratio,
        "down_lr_weight": config.down_lr_weight.strip(),
        "mid_lr_weight": config.mid_lr_weight.strip(),
        "up_lr_weight": config.up_lr_weight.strip(),
        "block_lr_zero_threshold": config.block_lr_zero_threshold,
        "block_dims": config.block_dims.strip(),
        "block_alphas": config.block_alphas.strip(),
    }
    if config.lora_type == "Kohya LoCon":
        given |= {
            "conv_dim": config.conv_dim,
            "conv_alpha": config.conv_alpha,
            "conv_block_dims": config.conv_block_dims.strip(),
            "conv_block_alphas": config.conv_block_alphas.strip(),
        }
    return {key: str(value) for key, value in given.items() if value}
