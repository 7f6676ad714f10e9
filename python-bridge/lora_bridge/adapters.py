"""The networks that a config asks for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge.lora import Chances, LoraNetwork
from lora_bridge.lora_plan import network_args, plan_sites

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import nn

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig


def build_networks(
    config: TrainConfig, modules: Mapping[LoraPart, nn.Module], parts: Iterable[LoraPart], seed: int
) -> list[Network]:
    """A network in each of `parts`, built into its module, all with values drawn from `seed`."""
    generator = torch.Generator().manual_seed(seed)
    return [_build(config, part, modules[part], generator) for part in parts]


def _build(config: TrainConfig, part: LoraPart, module: nn.Module, generator: torch.Generator) -> Network:
    dtype = torch.bfloat16 if config.full_bf16 else torch.float32
    return LoraNetwork(
        part,
        module,
        plan_sites(config, part, module),
        generator,
        chances=Chances(config.network_dropout, config.rank_dropout, config.module_dropout),
        norm_limit=config.scale_weight_norms,
        network_args=network_args(config),
        weights_dtype=dtype,
    )
