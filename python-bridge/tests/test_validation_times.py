"""After which steps of a run the pictures that were kept back are looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_support import run_training, save_picture

from lora_bridge.protocol_types import PlanEvent, StepEvent, ValidationEvent

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        # 3 of 4 pictures are trained, in 2 batches an epoch.
        ({"validate_every_n_steps": 0, "validate_every_n_epochs": 1}, [2, 4, 6, 8]),
        ({"validate_every_n_steps": 0, "validate_every_n_epochs": 3}, [6, 8]),
        ({"validate_every_n_steps": 3, "validate_every_n_epochs": 1}, [3, 6, 8]),
    ],
)
def test_it_is_validated_when_asked_for_and_at_the_end(
    tmp_path: Path, tiny_sdxl: Path, rule: dict[str, Any], due: list[int]
) -> None:
    for index in range(4):
        save_picture(tmp_path / "img" / "1_ohwx" / f"{index}.png", hue=index * 40)
    _, sink = run_training(tmp_path, tiny_sdxl, epoch=4, validation_split=0.25, **rule)
    assert sink.of(PlanEvent)[0].plan.validation_images == 1
    assert len(sink.of(StepEvent)) == 8
    told = sink.of(ValidationEvent)
    assert [event.step for event in told] == due
    assert [event.epoch for event in told] == [(step + 1) // 2 for step in due]
    assert all(event.loss is not None and event.loss > 0 for event in told)


def test_without_pictures_kept_back_nothing_is_validated(tmp_path: Path, tiny_sdxl: Path) -> None:
    save_picture(tmp_path / "img" / "1_ohwx" / "a.png")
    _, sink = run_training(tmp_path, tiny_sdxl, epoch=2, validate_every_n_steps=1)
    assert sink.of(ValidationEvent) == []
