"""What is said when the memory runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest
import torch
from training_support import make_config

from lora_bridge import fitting
from lora_bridge.dataset import read_dataset
from lora_bridge.fitting import out_of_memory_problem
from lora_bridge.memory_estimate import UNET_NUMBERS, MemoryEstimate, estimate_memory
from lora_bridge.memory_ladder import Run, after, steps_down

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import Problem, TrainConfig

_GIBIBYTE = 1 << 30
_PIXELS = 128 * 128
"""Of the latent of a picture of 1024x1024."""


def full_config(project: Path, **changes: Any) -> TrainConfig:
    """As people train SDXL."""
    values: dict[str, Any] = {
        "mixed_precision": "bf16",
        "network_dim": 32,
        "network_alpha": 16.0,
        "max_resolution": "1024,1024",
        "max_bucket_reso": 2048,
        "bucket_no_upscale": False,
        "train_batch_size": 4,
        "gradient_checkpointing": True,
    }
    return make_config(project, **{**values, **changes})


def estimate(
    config: TrainConfig, batch: int = 1, pixels: int = _PIXELS, number_bytes: int = 2
) -> MemoryEstimate:
    return estimate_memory(config, pixels, batch, number_bytes=number_bytes)


def problem_with(
    gibibytes: float, config: TrainConfig, monkeypatch: pytest.MonkeyPatch, device: str = "cpu"
) -> Problem:
    """When that much memory is there."""
    monkeypatch.setattr(fitting.system, "total_memory_bytes", lambda: int(gibibytes * _GIBIBYTE))
    return out_of_memory_problem(config, read_dataset(config), torch.device(device)).problem


def test_the_measured_run_is_estimated(project: Path) -> None:
    """256x256 in fp32 on a CPU, rank 16, checkpointed, was seen to take 14.8 GiB at its peak.

    That is while the model is read: its fp16 file is mapped into memory beside the fp32 weights.
    """
    config = full_config(project, mixed_precision="no", network_dim=16)
    size = estimate(config, pixels=32 * 32, number_bytes=4)
    read = 2 * UNET_NUMBERS
    assert (size.weights + read) / _GIBIBYTE == pytest.approx(14.8, rel=0.05)
    assert size.total < size.weights + read


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
        ({"full_bf16": True}, "adapter", 1 / 3),
        ({"optimizer": "AdamW8bit"}, "optimizer", 1 / 4),
        ({"optimizer": "Prodigy"}, "optimizer", 2),
        ({"quantize_base_model": "int8"}, "weights", 0.515),
        ({"quantize_base_model": "nf4"}, "weights", 0.297),
        ({"network_dim": 64}, "adapter", 2),
        ({"text_encoder_lr": 1e-5}, "adapter", 3_563_008 / 2_659_840),
        ({"text_encoder_lr": 1e-5}, "weights", 1.3185),
        ({"cache_text_encoder_outputs": False}, "weights", 1.3185),
        ({"shuffle_caption": True}, "weights", 1.3185),
        ({"cache_latents": False}, "weights", 1.0652),
        ({"random_crop": True}, "weights", 1.0652),
    ],
)
def test_what_changes_the_estimate(project: Path, changes: dict[str, Any], part: str, share: float) -> None:
    usual, changed = estimate(full_config(project)), estimate(full_config(project, **changes))
    assert getattr(changed, part) == pytest.approx(share * getattr(usual, part), rel=0.02)


def test_the_cheapest_change_that_fits_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = full_config(project, train_batch_size=1, gradient_checkpointing=False)
    problem = problem_with(12, config, monkeypatch)
    assert problem.code == "out_of_memory"
    assert "this machine has 12.0 GiB" in problem.message
    assert "needs about 14.1 GiB" in problem.message
    method = "turn Gradient checkpointing on and set Checkpointing method to"
    assert problem.hint == f"It should fit if you {method} selective."
    assert problem_with(9, config, monkeypatch).hint == f"It should fit if you {method} full."


def test_a_smaller_batch_keeps_what_a_step_learns_from(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = full_config(project, gradient_accumulation_steps=2)
    batch, accumulation = "Train batch size to", "Gradient accumulate steps to"
    assert problem_with(9, config, monkeypatch).hint == (
        f"It should fit if you set {batch} 2 and {accumulation} 4."
    )
    assert problem_with(8.3, config, monkeypatch).hint == (
        f"It should fit if you set {batch} 1 and {accumulation} 8."
    )
    odd = [change.values for change in steps_down(Run(full_config(project, train_batch_size=9), 1, 9))]
    assert [values["train_batch_size"] for values in odd if "train_batch_size" in values] == [3, 1]


def test_changes_that_are_not_needed_are_not_asked_for(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With 4 bits for a number it fits, and a smaller batch alone does not do it: so the batch may stay."""
    config = full_config(project, network_dim=8, optimizer="Lion", train_batch_size=2)
    hint = problem_with(3.9, config, monkeypatch).hint
    assert hint == "It should fit if you set Quantize base model to nf4."


def test_everything_together_in_order_of_cost(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = full_config(project, gradient_checkpointing=False, network_dim=128, network_alpha=64.0)
    hint = str(problem_with(2.9, config, monkeypatch).hint)
    advice = (
        "turn Gradient checkpointing on and set Checkpointing method to full",
        "set Train batch size to 1 and Gradient accumulate steps to 4",
        "set Optimizer to AdamW8bit",
        "set Quantize base model to nf4",
        "set Network Rank to 4 and Network Alpha to 2",
        "set Max resolution to 896,896",
    )
    places = [hint.find(each) for each in advice]
    assert -1 not in places
    assert places == sorted(places)


def test_where_nothing_fits_that_is_said(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hint = str(problem_with(2, full_config(project), monkeypatch).hint)
    assert hint.startswith("No parameter makes it fit")
    assert "about 2.5 GiB" in hint


def test_what_ran_out_against_the_estimate_is_not_called_fitting(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Other programs had the memory: only a change that lowers the need can help."""
    problem = problem_with(1000, full_config(project), monkeypatch)
    assert "needs more" in problem.message
    assert "Train batch size to 2" in str(problem.hint)


def test_the_heaviest_batch_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a GPU, with what this process holds of it."""
    card = {
        "mem_get_info": (1 * _GIBIBYTE, 24 * _GIBIBYTE),
        "memory_reserved": 7 * _GIBIBYTE,
        "get_device_name": "TestCard",
    }
    for name, answer in card.items():
        monkeypatch.setattr(torch.cuda, name, Mock(return_value=answer))
    problem = problem_with(1000, full_config(project), monkeypatch, "cuda")
    assert "TestCard has 8.0 GiB" in problem.message
    assert "needs about 9.9 GiB" in problem.message


def test_each_change_lowers_the_need(project: Path) -> None:
    run = Run(
        full_config(
            project,
            cache_latents=False,
            cache_text_encoder_outputs=False,
            gradient_checkpointing=False,
            optimizer="AdamW",
        ),
        _PIXELS,
        4,
    )
    changes = list(steps_down(run))
    assert {change.kind for change in changes} == {
        *("latents", "texts", "checkpointing", "batch", "optimizer", "quantize", "rank", "resolution")
    }
    needs = [
        estimate_memory(changed.config, changed.latent_pixels, changed.batch, number_bytes=2).total
        for changed in (after(run, changes[:count]) for count in range(len(changes) + 1))
    ]
    assert needs == sorted(needs, reverse=True)
    assert len(set(needs)) == len(needs)
    assert after(run, changes).config.max_resolution == "512,512"
