"""The settings that the guides name, from ten photos to a LoRA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_support import ListSink, losses_of, make_config, save_picture

from lora_bridge import train
from lora_bridge.inspection import inspect_lora
from lora_bridge.plan import make_plan
from lora_bridge.protocol_types import PlanEvent, StepEvent

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent

GUIDE: dict[str, Any] = {
    "network_dim": 64,
    "network_alpha": 32.0,
    "mixed_precision": "bf16",
    "train_batch_size": 4,
    "learning_rate": 0.0003,
    "max_resolution": "64,64",
}


@pytest.fixture
def ten_photos(tmp_path: Path) -> Path:
    for index in range(10):
        save_picture(tmp_path / "img" / "20_ohwx person" / f"{index}.png", (64, 64), hue=20 * index)
    for index in range(30):
        save_picture(tmp_path / "reg" / "1_person" / f"{index}.png", (64, 64), hue=8 * index)
    return tmp_path


def is_said_before_the_start(events: list[JobEvent]) -> bool:
    kinds = [type(event) for event in events]
    return kinds.index(PlanEvent) < kinds.index(StepEvent)


def test_an_epoch_has_50_steps_and_100_with_regularization(ten_photos: Path) -> None:
    alone = make_plan(make_config(ten_photos, **GUIDE, epoch=20))
    both = make_plan(make_config(ten_photos, **GUIDE, epoch=10, reg_data_dir=str(ten_photos / "reg")))
    assert (alone.steps_per_epoch, alone.epochs, alone.total_steps) == (50, 20, 1000)
    assert (both.steps_per_epoch, both.epochs, both.total_steps) == (100, 10, 1000)


def test_the_guides_run_with_regularization(ten_photos: Path, tiny_sdxl: Path) -> None:
    sink = ListSink()
    config = make_config(
        ten_photos,
        **GUIDE,
        max_train_steps=1000,
        reg_data_dir=str(ten_photos / "reg"),
        pretrained_model_name_or_path=str(tiny_sdxl),
    )
    ending = train.run(config, sink, ten_photos / "job", "cpu")
    steps = sink.of(StepEvent)
    (plan,) = (event.plan for event in sink.of(PlanEvent))
    assert is_said_before_the_start(sink.events)
    assert (plan.steps_per_epoch, plan.epochs, plan.total_steps) == (100, 10, 1000)
    assert (plan.images, plan.regularization_images) == (10, 30)
    assert [step.step for step in steps] == list(range(1, 1001))
    assert [step.epoch for step in steps] == [epoch for epoch in range(1, 11) for _ in range(100)]
    assert None not in losses_of(sink)
    assert ending.outcome == "completed"
    found = inspect_lora(str(ending.outputs[0]))
    assert found.metadata["ss_num_train_images"] == "200"
    assert found.metadata["ss_num_batches_per_epoch"] == "100"
    assert found.metadata["ss_steps"] == "1000"
    assert not found.empty_modules
