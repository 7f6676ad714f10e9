"""What is said when the memory runs out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import torch
from training_support import make_config

from lora_bridge import fitting
from lora_bridge.dataset import read_dataset
from lora_bridge.fitting import out_of_memory_problem
from lora_bridge.memory_estimate import Run, estimate_memory
from lora_bridge.memory_ladder import after, steps_down

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

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


def problem_with(
    gibibytes: float, config: TrainConfig, monkeypatch: pytest.MonkeyPatch, device: str = "cuda"
) -> Problem:
    """When that much memory is there, of a GPU some of it in this process's hands already."""
    monkeypatch.setattr(fitting.system, "total_memory_bytes", lambda: int(gibibytes * _GIBIBYTE))
    card = {
        "mem_get_info": (int((gibibytes - 1) * _GIBIBYTE), 24 * _GIBIBYTE),
        "memory_reserved": _GIBIBYTE,
        "get_device_name": "TestCard",
    }
    for name, answer in card.items():
        monkeypatch.setattr(torch.cuda, name, Mock(return_value=answer))
    return out_of_memory_problem(config, read_dataset(config), torch.device(device)).problem


def test_the_cheapest_change_that_fits_is_named(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = full_config(project, train_batch_size=1, gradient_checkpointing=False)
    problem = problem_with(12, config, monkeypatch)
    assert problem.code == "out_of_memory"
    assert "TestCard has 12.0 GiB" in problem.message
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
    hint = str(problem_with(2.6, config, monkeypatch).hint)
    advice = (
        "turn Gradient checkpointing on and set Checkpointing method to full",
        "set Train batch size to 1 and Gradient accumulate steps to 4",
        "set Optimizer to AdamW8bit",
        "set Quantize base model to nf4",
        "set Network Rank to 4 and Network Alpha to 2",
        "set Max resolution to 512,512",
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


def test_on_a_cpu_the_memory_of_the_machine_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    problem = problem_with(10, full_config(project), monkeypatch, "cpu")
    assert "this machine has 10.0 GiB" in problem.message
    assert "Train batch size to 2" in str(problem.hint)


def test_what_one_of_several_processes_takes_counts(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = full_config(project, train_batch_size=2, num_processes=2, gradient_checkpointing=False)
    assert "needs about 20.8 GiB" in problem_with(20, config, monkeypatch).message


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
    steps = [after(run, changes[:count]) for count in range(len(changes) + 1)]
    needs = [estimate_memory(each, "cuda").total for each in steps]
    assert needs == sorted(needs, reverse=True)
    assert len(set(needs)) == len(needs)
    assert after(run, changes).config.max_resolution == "512,512"
