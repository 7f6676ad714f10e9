"""The networks that a config asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge.lora import LoraNetwork
from lora_bridge.lora_plan import network_args, plan_sites, plus_ratio
from lora_bridge.switches import Chances

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import nn

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig

_OWN_TYPES = frozenset({"Standard", "Kohya LoCon", "LoRA-FA"})


def build_networks(
    config: TrainConfig, modules: Mapping[LoraPart, nn.Module], parts: Iterable[LoraPart], seed: int
) -> list[Network]:
    """A network in each of `parts`, built into its module, all with values drawn from `seed`."""
    generator = torch.Generator().manual_seed(seed)
    return [_build(config, part, modules[part], generator) for part in parts]


def _build(config: TrainConfig, part: LoraPart, module: nn.Module, generator: torch.Generator) -> Network:
    if config.lora_type in _OWN_TYPES:
        return LoraNetwork(
            part,
            module,
            plan_sites(config, part, module),
            generator,
            chances=Chances(config.network_dropout, config.rank_dropout, config.module_dropout),
            norm_limit=config.scale_weight_norms,
            network_args=network_args(config),
            weights_dtype=_weights_dtype(config),
        )
    # Only here: few trainings need the library, and it takes seconds to load.
    from lora_bridge.lycoris_network import LycorisNetwork
    from lora_bridge.lycoris_plan import kohya_module, lycoris_chances, lycoris_network_args, plan_modules

    return LycorisNetwork(
        part,
        module,
        plan_modules(config, part, module),
        generator,
        chances=lycoris_chances(config),
        norm_limit=config.scale_weight_norms,
        plus=plus_ratio(config, part),
        kohya_module=kohya_module(config),
        network_args=lycoris_network_args(config),
        weights_dtype=_weights_dtype(config),
    )


def _weights_dtype(config: TrainConfig) -> torch.dtype:
    return torch.bfloat16 if config.full_bf16 else torch.float32
