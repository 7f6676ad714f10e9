"""Trainings that go wrong: what is said, and what is kept."""

from __future__ import annotations

import math
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tensor_files import load_tensors, save_tensors
from training_support import ListSink, losses_of, run_training, warnings_of

from lora_bridge import output
from lora_bridge.inspection import inspect_lora
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import PlanEvent, StepEvent
from lora_bridge.unet import Unet

if TYPE_CHECKING:
    from pathlib import Path

    import torch


def test_a_step_that_is_not_finite_is_left_out(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Unet.predict
    calls = 0

    def sometimes_nan(unet: Unet, *arguments: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return predict(unet, *arguments) * (math.nan if calls in (2, 3) else 1.0)

    monkeypatch.setattr(Unet, "predict", sometimes_nan)
    ending, sink = run_training(project, tiny_sdxl)
    assert [step.loss is None for step in sink.of(StepEvent)] == [False, True, True, False]
    assert warnings_of(sink) == ["non_finite_loss"]
    assert not inspect_lora(str(ending.outputs[0])).non_finite_tensors


@pytest.mark.parametrize("fails_at", [1, 4])
def test_a_training_that_breaks_off_keeps_what_was_learnt(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    predict = Unet.predict
    calls = 0

    def runs_out(unet: Unet, *arguments: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        if calls == fails_at:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
        return predict(unet, *arguments)

    monkeypatch.setattr(Unet, "predict", runs_out)
    with pytest.raises(RuntimeError, match="9 bytes"):
        run_training(project, tiny_sdxl)
    kept = [file.name for file in (project / "model").iterdir()]
    assert kept == ([] if fails_at == 1 else ["ohwx-step00000003.safetensors"])


def copy_with_nan(model: Path, to: Path, part: str, tensor: str) -> Path:
    shutil.copytree(model, to)
    file = to / part / "diffusion_pytorch_model.safetensors"
    weights = load_tensors(file)
    weights[tensor][:] = math.nan
    save_tensors(file, weights, format="pt")
    return to


def test_training_that_diverged_ends_with_the_reason(project: Path, tiny_sdxl: Path, tmp_path: Path) -> None:
    broken = copy_with_nan(tiny_sdxl, tmp_path / "broken", "unet", "conv_out.bias")
    sink = ListSink()
    with pytest.raises(ProblemError, match="10 steps in a row") as caught:
        run_training(project, broken, sink, epoch=10)
    assert caught.value.problem.code == "training_diverged"
    assert len(sink.of(StepEvent)) == 10
    assert not list((project / "model").iterdir())


def test_a_vae_that_makes_nan_is_caught_with_the_pictures_name(
    project: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    broken = copy_with_nan(tiny_sdxl, tmp_path / "broken", "vae", "quant_conv.bias")
    with pytest.raises(ProblemError, match=r"0\.png") as caught:
        run_training(project, broken)
    assert caught.value.problem.code == "latent_not_finite"


def test_pictures_that_break_off_are_left_out(project: Path, tiny_sdxl: Path) -> None:
    picture = project / "img" / "2_ohwx person" / "0.png"
    picture.write_bytes(picture.read_bytes()[:-200])
    _, sink = run_training(project, tiny_sdxl)
    first, second = (event.plan for event in sink.of(PlanEvent))
    assert (first.images, second.images) == (4, 3)
    assert (first.total_steps, second.total_steps) == (4, 3)
    assert "unreadable_image" in {warning.code for warning in second.warnings}
    assert len(losses_of(sink)) == 3


def test_an_older_file_is_kept(project: Path, tiny_sdxl: Path) -> None:
    first, _ = run_training(project, tiny_sdxl, max_train_steps=1)
    before = first.outputs[0].read_bytes()
    second, sink = run_training(project, tiny_sdxl, max_train_steps=2)
    (kept,) = (project / "model").glob("ohwx.previous-*.safetensors")
    assert kept.read_bytes() == before
    assert second.outputs[0].read_bytes() != before
    assert warnings_of(sink) == ["previous_kept"]


def test_an_older_file_that_is_in_use_is_left_alone(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = run_training(project, tiny_sdxl, max_train_steps=1)
    before = first.outputs[0].read_bytes()

    def in_use(file: Path, _target: Path) -> Path:
        raise PermissionError(13, "in use by another program", str(file))

    monkeypatch.setattr(type(project), "rename", in_use)
    second, sink = run_training(project, tiny_sdxl, max_train_steps=2)
    assert first.outputs[0].read_bytes() == before
    assert second.outputs[0].name.startswith("ohwx.new-")
    assert second.outputs[0].exists()
    assert warnings_of(sink) == ["previous_in_use"]


def test_too_little_room_is_said_before_the_first_step(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nearly_full(_folder: Path) -> SimpleNamespace:
        return SimpleNamespace(free=5)

    monkeypatch.setattr(output.shutil, "disk_usage", nearly_full)
    sink = ListSink()
    with pytest.raises(ProblemError) as caught:
        run_training(project, tiny_sdxl, sink)
    assert caught.value.problem.code == "disk_full"
    message = caught.value.problem.message
    assert message.startswith(f"The disk of {project / 'model'} has 0.0 MiB free, but the LoRA of this run")
    assert not losses_of(sink)


def test_a_checkpoint_that_cannot_be_written_does_not_end_the_training(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = output.write_lora

    def fails_for_epochs(file: Path, *arguments: Any) -> None:
        if "-0000" in file.name:
            raise OSError(28, "No space left on device", str(file))
        write(file, *arguments)

    monkeypatch.setattr(output, "write_lora", fails_for_epochs)
    ending, sink = run_training(project, tiny_sdxl, epoch=2, save_every_n_epochs=1)
    assert warnings_of(sink) == ["checkpoint_failed"]
    assert [path.name for path in ending.outputs] == ["ohwx.safetensors"]


@pytest.mark.parametrize("full", [{"model"}, {"model", "log"}])
def test_a_lora_that_cannot_be_saved_where_it_should_is_saved_elsewhere(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch, full: set[str]
) -> None:
    write = output.write_lora
    monkeypatch.setattr(output.system, "data_dir", lambda: project / "data")

    def fails_where_full(file: Path, *arguments: Any) -> None:
        if file.parent.name in full:
            raise OSError(28, "No space left on device", str(file))
        write(file, *arguments)

    monkeypatch.setattr(output, "write_lora", fails_where_full)
    with pytest.raises(ProblemError) as caught:
        run_training(project, tiny_sdxl, max_train_steps=1)
    (rescued,) = project.rglob("ohwx.safetensors")
    assert caught.value.problem.code == "disk_full"
    assert str(rescued) in caught.value.problem.message
    assert str(project / "model" / "ohwx.safetensors could") in caught.value.problem.message
    assert rescued.parent == project / ("data/rescued" if "log" in full else "log")
    assert inspect_lora(str(rescued)).modules


def test_the_output_folder_is_checked_before_the_model_is_loaded(project: Path) -> None:
    (project / "model").write_text("a file", encoding="utf-8")
    with pytest.raises(ProblemError) as caught:
        run_training(project, project / "no-model")
    assert caught.value.problem.code == "output_dir_unusable"


def test_a_missing_base_model_is_an_error(project: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        run_training(project, project / "no-model")
    assert caught.value.problem.code == "base_model_missing"


def test_fp16_on_a_cpu_becomes_fp32(project: Path, tiny_sdxl: Path) -> None:
    _, sink = run_training(project, tiny_sdxl, mixed_precision="fp16", max_train_steps=1)
    assert warnings_of(sink) == ["fp16_on_cpu"]
