"""The size of a LoRA told from the base model's files, against the LoRA that is built."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import pytest
import torch
from ldm_checkpoint import convert_folder
from training_support import make_config

from lora_bridge.adapters import build_networks
from lora_bridge.file_sizes import Amount
from lora_bridge.lora_sizes import lora_amount
from lora_bridge.model import open_base_model
from lora_bridge.optimizer_choice import part_rates

if TYPE_CHECKING:
    from pathlib import Path

    from torch import nn

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.protocol_types import TrainConfig


@pytest.fixture(scope="module")
def parts(tiny_sdxl: Path) -> dict[LoraPart, nn.Module]:
    base = open_base_model(str(tiny_sdxl))
    return {
        "unet": base.unet(torch.float32).module,
        "text_encoder_1": base.text_encoder(0, torch.float32).module,
        "text_encoder_2": base.text_encoder(1, torch.float32).module,
    }


def built(config: TrainConfig, parts: dict[LoraPart, nn.Module]) -> Amount:
    rates = part_rates(config)
    networks = build_networks(config, {part: parts[part] for part in rates}, rates, 7)
    tensors = [tensor.value for network in networks for tensor in network.tensors()]
    return Amount(sum(value.numel() for value in tensors), len(tensors))


BLOCK_DIMS = ",".join(["0", "2", "6", *["3"] * 20])


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"text_encoder_lr": 1e-4},
        {"unet_lr": 0.0, "text_encoder_lr": 1e-4, "text_encoder2_lr": 0.0},
        {"lora_type": "LoRA-FA"},
        {"lora_type": "Kohya LoCon", "conv_dim": 2},
        {"lora_type": "Kohya LoCon", "conv_dim": 0},
        {"lora_type": "Kohya LoCon", "conv_block_dims": BLOCK_DIMS},
        {"block_dims": BLOCK_DIMS},
        {"down_lr_weight": "0,0,0,0,0,0,0,0,1"},
        {"lora_type": "Kohya LoHa"},
        {"lora_type": "Kohya LoHa", "conv_dim": 3},
    ],
)
def test_it_is_that_of_the_lora_that_is_built(
    tmp_path: Path, tiny_sdxl: Path, parts: dict[LoraPart, nn.Module], changes: dict[str, Any]
) -> None:
    config = make_config(tmp_path, pretrained_model_name_or_path=str(tiny_sdxl), **changes)
    # A network stays in the modules that it is built into.
    assert lora_amount(config) == built(config, copy.deepcopy(parts))


def test_a_single_file_tells_the_same(tmp_path: Path, tiny_sdxl: Path) -> None:
    file = tmp_path / "single.safetensors"
    convert_folder(tiny_sdxl, file)
    changes: dict[str, Any] = {"lora_type": "Kohya LoCon", "conv_dim": 2, "text_encoder_lr": 1e-4}
    amounts = [
        lora_amount(make_config(tmp_path, pretrained_model_name_or_path=str(model), **changes))
        for model in (file, tiny_sdxl)
    ]
    assert amounts[0] is not None
    assert amounts[0] == amounts[1]


@pytest.mark.parametrize(
    "changes",
    [
        {"lora_type": "LyCORIS/LoKr"},
        {"lora_type": "Kohya LoHa", "dora_wd": True},
        {"dim_from_weights": True, "network_weights": "a.safetensors"},
        {"pretrained_model_name_or_path": "stabilityai/stable-diffusion-xl-base-1.0"},
    ],
)
def test_what_only_the_built_lora_can_tell_is_not_guessed(
    tmp_path: Path, tiny_sdxl: Path, changes: dict[str, Any]
) -> None:
    assert (
        lora_amount(make_config(tmp_path, **{"pretrained_model_name_or_path": str(tiny_sdxl), **changes}))
        is None
    )
