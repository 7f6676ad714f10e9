"""Trainings that go wrong: what is said, and what is kept."""

from __future__ import annotations

import math
import shutil
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from tensor_files import load_tensors, save_tensors
from training_support import ListSink, losses_of, make_config, run_training, warnings_of

from lora_bridge import disk_room, output
from lora_bridge.diagnosis import likely_cause
from lora_bridge.inspection import inspect_lora
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import PlanEvent, StepEvent
from lora_bridge.unet import Unet

if TYPE_CHECKING:
    from pathlib import Path


class Spoiled(torch.autograd.Function):
    """Lets numbers through and makes nothing finite of their gradients."""

    @staticmethod
    def forward(ctx: Any, numbers: torch.Tensor) -> torch.Tensor:  # noqa: ARG004 - torch's name
        return numbers.clone()

    @staticmethod
    def backward(ctx: Any, *gradients: torch.Tensor) -> torch.Tensor:  # noqa: ARG004 - torch's name
        return gradients[0] * math.inf


def spoil_gradients(patch: pytest.MonkeyPatch, steps: range) -> None:
    predict = Unet.predict
    calls = 0

    def sometimes_spoiled(unet: Unet, *arguments: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        predicted = predict(unet, *arguments)
        spoiled: Any = Spoiled
        return spoiled.apply(predicted) if calls in steps else predicted

    patch.setattr(Unet, "predict", sometimes_spoiled)


def test_a_step_whose_gradient_is_not_finite_is_left_out(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_gradients(monkeypatch, range(2, 4))
    ending, sink = run_training(project, tiny_sdxl)
    assert [step.grad_norm is None for step in sink.of(StepEvent)] == [False, True, True, False]
    assert warnings_of(sink) == ["non_finite_gradient"]
    assert not inspect_lora(str(ending.outputs[0])).non_finite_tensors


def test_ten_gradients_in_a_row_that_are_not_finite_end_the_training(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil_gradients(monkeypatch, range(3, 100))
    sink = ListSink()
    with pytest.raises(ProblemError, match="10 steps in a row, up to step 12") as caught:
        run_training(project, tiny_sdxl, sink, epoch=10)
    assert caught.value.problem.code == "training_diverged"
    assert [file.name for file in (project / "model").iterdir()] == ["ohwx-step00000011.safetensors"]


def test_a_loss_that_is_no_number_ends_the_training_and_names_its_pictures(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Unet.predict
    calls = 0

    def finally_nan(unet: Unet, *arguments: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return predict(unet, *arguments) * (math.nan if calls == 3 else 1.0)

    monkeypatch.setattr(Unet, "predict", finally_nan)
    sink = ListSink()
    with pytest.raises(
        ProblemError, match=r"The loss of step 3 .* pictures: (\d\.png, )?\d\.png\."
    ) as caught:
        run_training(project, tiny_sdxl, sink)
    assert caught.value.problem.code == "loss_not_finite"
    assert [step.loss is None for step in sink.of(StepEvent)] == [False, False, True]
    (kept,) = (project / "model").iterdir()
    assert kept.name == "ohwx-step00000002.safetensors"
    found = inspect_lora(str(kept))
    assert not found.non_finite_tensors
    assert not found.empty_modules


@pytest.mark.parametrize(
    ("changes", "norms", "words"),
    [
        ({}, [0.1] * 20 + [5.0] * 5, "learning rate"),
        ({"mixed_precision": "fp16"}, [0.1] * 20, "65,504"),
        ({"max_grad_norm": 0.0}, [0.1] * 20, "Max grad norm is 0"),
        ({}, [0.1] * 20, "base model"),
        ({}, [], "base model"),
    ],
)
def test_the_likely_cause_of_a_loss_that_is_no_number(
    tmp_path: Path, changes: dict[str, Any], norms: list[float], words: str
) -> None:
    assert words in likely_cause(make_config(tmp_path, **changes), norms).sentence


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
    with pytest.raises(ProblemError, match="Out of memory") as caught:
        run_training(project, tiny_sdxl)
    assert caught.value.problem.code == "out_of_memory"
    kept = [file.name for file in (project / "model").iterdir()]
    assert kept == ([] if fails_at == 1 else ["ohwx-step00000003.safetensors"])


def copy_with_nan(model: Path, to: Path, part: str, tensor: str) -> Path:
    shutil.copytree(model, to)
    file = to / part / "diffusion_pytorch_model.safetensors"
    weights = load_tensors(file)
    weights[tensor][:] = math.nan
    save_tensors(file, weights, format="pt")
    return to


def test_a_base_model_that_makes_nan_ends_the_training_at_once(
    project: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    broken = copy_with_nan(tiny_sdxl, tmp_path / "broken", "unet", "conv_out.bias")
    sink = ListSink()
    with pytest.raises(ProblemError, match="The loss of step 1") as caught:
        run_training(project, broken, sink, epoch=10)
    assert caught.value.problem.code == "loss_not_finite"
    assert len(sink.of(StepEvent)) == 1
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

    monkeypatch.setattr(disk_room.shutil, "disk_usage", nearly_full)
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
