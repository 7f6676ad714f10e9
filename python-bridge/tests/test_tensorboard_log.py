"""TensorBoard's files, read back by TensorBoard itself."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
from training_support import ListSink, losses_of, run_training, warnings_of

from lora_bridge.protocol_types import JobEvent, StepEvent, ValidationEvent

if TYPE_CHECKING:
    from pathlib import Path

_READER: Any = import_module("tensorboard.backend.event_processing.event_accumulator")


def scalars(project: Path) -> dict[str, dict[int, float]]:
    read = _READER.EventAccumulator(str(project / "job" / "tensorboard"), size_guidance={"scalars": 0})
    read.Reload()
    return {tag: {each.step: each.value for each in read.Scalars(tag)} for tag in read.Tags()["scalars"]}


def test_numbers_have_kohyas_names(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {
        "log_with": "tensorboard",
        "scale_weight_norms": 1.0,
        "text_encoder_lr": 5e-4,
        "validation_split": 0.25,
        "epoch": 2,
    }
    _, sink = run_training(project, tiny_sdxl, **changes)
    found = scalars(project)
    steps: list[StepEvent] = sink.of(StepEvent)
    assert found["loss/current"] == pytest.approx({step.step: step.loss for step in steps})
    assert found["loss/average"] == pytest.approx({step.step: step.average_loss for step in steps})
    for name, rate in (("unet", 1e-3), ("textencoder1", 5e-4), ("textencoder2", 5e-4)):
        assert found[f"lr/{name}"] == pytest.approx({step.step: rate for step in steps})
    norms = {step.step: step.key_norms.largest for step in steps if step.key_norms}
    assert found["max_norm/max_key_norm"] == pytest.approx(norms)
    assert len(norms) == len(steps)
    validations: list[ValidationEvent] = sink.of(ValidationEvent)
    assert found["loss/validation/epoch_average"] == pytest.approx(
        {event.step: event.loss for event in validations}
    )
    ends = {step.epoch: step.average_loss for step in steps}
    assert found["loss/epoch_average"] == pytest.approx(ends)
    assert found["norm/grad_norm"] == pytest.approx({step.step: step.grad_norm for step in steps})
    assert found.keys() >= {
        "max_norm/keys_scaled",
        "norm/avg_key_norm",
        "performance/images_per_second",
        "performance/memory_bytes",
    }


def test_an_optimizer_that_finds_its_rate_has_both_in_one(project: Path, tiny_sdxl: Path) -> None:
    run_training(project, tiny_sdxl, log_with="tensorboard", optimizer="Prodigy", learning_rate=1.0)
    assert "lr/d*lr/unet" in scalars(project)


def test_a_resumed_run_goes_on_in_the_same_curves(project: Path, tiny_sdxl: Path) -> None:
    def after(event: JobEvent) -> bool:
        return isinstance(event, StepEvent) and event.step == 3

    changes: dict[str, Any] = {"epoch": 2, "log_with": "tensorboard"}
    _, first = run_training(project, tiny_sdxl, ListSink(pause_when=after), **changes)
    _, second = run_training(project, tiny_sdxl, **changes)
    losses = losses_of(first) + losses_of(second)
    assert scalars(project)["loss/current"] == pytest.approx(dict(enumerate(losses, start=1)))


def test_none_writes_nothing(project: Path, tiny_sdxl: Path) -> None:
    run_training(project, tiny_sdxl, log_with="none", max_train_steps=1)
    assert not (project / "job" / "tensorboard").exists()


def test_files_that_cannot_be_written_end_no_training(project: Path, tiny_sdxl: Path) -> None:
    (project / "job").mkdir()
    (project / "job" / "tensorboard").write_text("a file in the way", encoding="utf-8")
    ending, sink = run_training(project, tiny_sdxl, log_with="tensorboard")
    assert ending.outcome == "completed"
    assert warnings_of(sink).count("tensorboard_failed") == 1
