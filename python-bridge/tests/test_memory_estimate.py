"""How much memory a training is said to need."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
from test_fitting import full_config

from lora_bridge.memory_estimate import MemoryEstimate, Run, estimate_memory
from lora_bridge.model_size import UNET_NUMBERS, ModelSize

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import TrainConfig

_PIXELS = 128 * 128
"""Of the latent of a picture of 1024x1024."""


def estimate(config: TrainConfig, batch: int = 1) -> MemoryEstimate:
    return estimate_memory(Run(config, _PIXELS, batch), "cuda")


def test_parts_of_the_estimate(project: Path) -> None:
    config = full_config(project)
    size = estimate(config, batch=2)
    numbers = 32 * 2_659_840
    assert size.weights == 2 * UNET_NUMBERS
    # Weights and gradients in fp32, and a copy of both in bf16.
    assert size.adapter == numbers * 2 * (4 + 2)
    assert size.optimizer == numbers * 8
    assert size.activations == pytest.approx(2 * 604 * (1 << 20), rel=0.02)
    assert size.total == size.weights + size.adapter + size.optimizer + size.activations


@pytest.mark.parametrize(
    ("changes", "part", "share"),
    [
        ({"gradient_checkpointing": False}, "activations", 10.75),
        ({"checkpointing_method": "selective"}, "activations", 4.35),
        ({"mixed_precision": "no"}, "activations", 2),
        ({"full_bf16": True}, "adapter", 1 / 3),
        ({"optimizer": "AdamW8bit"}, "optimizer", 1 / 4),
        ({"optimizer": "Prodigy"}, "optimizer", 2),
        ({"use_ema": True}, "optimizer", 3 / 2),
        ({"quantize_base_model": "int8"}, "weights", 0.515),
        ({"quantize_base_model": "nf4"}, "weights", 0.297),
        ({"network_dim": 64}, "adapter", 2),
        ({"text_encoder_lr": 1e-5}, "adapter", 3_563_008 / 2_659_840),
        ({"text_encoder_lr": 1e-5}, "weights", 1.3185),
        ({"cache_text_encoder_outputs": False}, "weights", 1.3185),
        ({"shuffle_caption": True}, "weights", 1.3185),
        ({"cache_latents": False}, "weights", 1.0652),
        ({"cache_latents": False, "cache_latents_to_disk": True}, "weights", 1),
        ({"random_crop": True}, "weights", 1.0652),
        ({"lora_type": "Kohya LoHa"}, "adapter", 2),
        ({"lora_type": "Kohya LoCon"}, "adapter", 1),
        ({"lora_type": "Kohya LoCon", "conv_dim": 32}, "adapter", (2_718_400 + 355_840) / 2_659_840),
        ({"lora_type": "LyCORIS/LoKr", "network_dim": 100000, "factor": 8}, "adapter", 0.405),
        ({"lora_type": "LyCORIS/Native Fine-Tuning"}, "adapter", 25.95),
        ({"lora_type": "LyCORIS/iA3"}, "adapter", 0.0153),
    ],
)
def test_what_changes_the_estimate(project: Path, changes: dict[str, Any], part: str, share: float) -> None:
    usual, changed = estimate(full_config(project)), estimate(full_config(project, **changes))
    assert getattr(changed, part) == pytest.approx(share * getattr(usual, part), rel=0.02)


def test_a_small_model_needs_little(project: Path) -> None:
    config = full_config(project)
    whole, small = (
        estimate_memory(Run(config, _PIXELS, 1, 0, ModelSize(share)), "cpu") for share in (1, 0.01)
    )
    assert small.weights == pytest.approx(whole.weights / 100, rel=0.01)
    assert small.activations == pytest.approx(whole.activations / 10, rel=0.01)


def test_fp16_is_not_used_on_a_cpu(project: Path) -> None:
    run = Run(full_config(project, mixed_precision="fp16"), _PIXELS, 1)
    assert estimate_memory(run, "cpu").weights == 2 * estimate_memory(run, "cuda").weights


def test_an_estimate_needs_no_torch() -> None:
    code = "import sys, lora_bridge.memory_plan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
