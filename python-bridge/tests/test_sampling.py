"""Samples while it trains: when, what they show, and that the training does not notice."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from PIL import Image
from sampling_support import painted
from tensor_files import load_tensors
from training_support import ListSink, losses_of, make_config, run_training, warnings_of

from lora_bridge import sample, train
from lora_bridge.painter import Painter
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CheckpointEvent, PhaseEvent, SampleEvent, StepEvent, WarningEvent
from lora_bridge.sample import Studio
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.unet import Unet
from lora_bridge.vae import Vae

if TYPE_CHECKING:
    from torch import Tensor

    from lora_bridge.protocol_types import JobEvent
    from lora_bridge.sink import Ending

QUICK = "--s 2 --w 64 --h 64 --ss euler"
PROMPT = f"a photo of ohwx person {QUICK}"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def run_with_samples(
    project: Path, model: Path, sink: ListSink | None = None, **changes: Any
) -> tuple[Ending, ListSink]:
    return run_training(project, model, sink, **{"sample_prompts": PROMPT, **changes})


def steps_of(sink: ListSink) -> list[tuple[int, int]]:
    return [(event.step, event.epoch) for event in sink.of(SampleEvent)]


def pixels_of(event: SampleEvent) -> np.ndarray[Any, np.dtype[np.int16]]:
    with Image.open(event.path) as picture:
        return np.asarray(picture.convert("RGB")).astype(np.int16)


def pipeline_of(model: Path) -> Any:
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(model, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = DPMSolverMultistepScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", use_karras_sigmas=True
    )
    return pipeline


@pytest.mark.parametrize("scale", [1.0, 5.0])
def test_a_picture_is_the_one_that_diffusers_draws(project: Path, tiny_sdxl: Path, scale: float) -> None:
    line = f"ohwx person --n a blue car --w 64 --h 128 --s 4 --l {scale} --ss dpm++_2m_karras"
    ours = painted(project, tiny_sdxl, line, seed=9)
    assert ours.shape == (3, 128, 64)
    theirs: Tensor = pipeline_of(tiny_sdxl)(
        "ohwx person",
        negative_prompt="a blue car",
        width=64,
        height=128,
        num_inference_steps=4,
        guidance_scale=scale,
        generator=torch.Generator().manual_seed(9),
        output_type="pt",
    ).images[0]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-4)


@pytest.mark.parametrize("precision", ["no", "bf16"])
def test_a_lora_that_has_learnt_nothing_changes_nothing_and_a_trained_one_does(
    project: Path, tiny_sdxl: Path, precision: str
) -> None:
    changes: dict[str, Any] = {"mixed_precision": precision, "sample_at_first": True, "learning_rate": 0.02}
    line = "ohwx person --w 64 --h 64 --s 4 --d 9 --l 5 --ss dpm++_2m_karras"
    _, sink = run_with_samples(
        project, tiny_sdxl, sample_prompts=line, gradient_checkpointing=True, **changes
    )
    before, after = (pixels_of(event) for event in sink.of(SampleEvent))
    theirs = pipeline_of(tiny_sdxl)(
        "ohwx person",
        negative_prompt="",
        width=64,
        height=64,
        num_inference_steps=4,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(9),
        output_type="np",
    ).images[0]
    off = np.abs(before - theirs * 255).max()
    assert off <= (1 if precision == "no" else 16)
    assert np.abs(before - after).max() > off + 5


def test_a_seed_repeats_its_picture_and_each_prompt_has_its_own(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {"sample_prompts": f"{PROMPT}\n{PROMPT}", "sample_at_first": True}
    _, one = run_with_samples(project, tiny_sdxl, max_train_steps=1, **changes)
    first = [pixels_of(event) for event in one.of(SampleEvent)[:2]]
    _, two = run_with_samples(project, tiny_sdxl, max_train_steps=1, **changes)
    again = [pixels_of(event) for event in two.of(SampleEvent)[:2]]
    assert np.array_equal(first, again)
    assert not np.array_equal(first[0], first[1])
    assert [event.seed for event in one.of(SampleEvent)] == [7, 8, 7, 8]


def test_what_is_told_of_a_picture(project: Path, tiny_sdxl: Path) -> None:
    line = "# comment\na cat --n dog --w 72 --h 64 --d 5 --s 1 --l 0.5 --ss k_dpm_2_a"
    _, sink = run_with_samples(project, tiny_sdxl, sample_prompts=line, max_train_steps=1)
    (event,) = sink.of(SampleEvent)
    assert event == SampleEvent(
        path=str(project / "job" / "samples" / "ohwx_000001_00_5.png"),
        index=0,
        prompt="a cat",
        negative_prompt="dog",
        width=72,
        height=64,
        seed=5,
        sample_steps=1,
        cfg_scale=0.5,
        sampler="k_dpm_2_a",
        step=1,
        epoch=1,
    )
    assert pixels_of(event).shape == (64, 72, 3)
    assert [file.name for file in (project / "job" / "samples").iterdir()] == ["ohwx_000001_00_5.png"]


def test_paths_are_whole_wherever_the_job_was_started(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)
    sink = ListSink()
    config = make_config(
        project,
        pretrained_model_name_or_path=str(tiny_sdxl),
        sample_prompts=PROMPT,
        max_train_steps=1,
    )
    train.run(config, sink, Path("job"), "cpu")
    (event,) = sink.of(SampleEvent)
    assert event.path == str(project / "job" / "samples" / "ohwx_000001_00_7.png")


@pytest.mark.parametrize(
    ("rule", "due"),
    [
        ({}, []),
        ({"sample_every_n_steps": 3}, [3, 6]),
        ({"sample_every_n_epochs": 2}, [8]),
        ({"sample_every_n_steps": 3, "sample_every_n_epochs": 1}, [4, 8]),
    ],
)
def test_epochs_overrule_steps(project: Path, rule: dict[str, int], due: list[int]) -> None:
    config = make_config(project, sample_prompts=PROMPT, **rule)
    studio = Studio(config, parse_prompts(config), None, 7, project)
    epochs = [(step, (step + 3) // 4, step % 4 == 0) for step in range(1, 9)]
    assert [step for step, epoch, ends in epochs if studio.is_due(step, epoch, ends_epoch=ends)] == due
    silent = Studio(config, [], None, 7, project)
    assert not any(silent.is_due(step, epoch, ends_epoch=ends) for step, epoch, ends in epochs)


def test_samples_come_first_on_the_way_and_at_the_end(project: Path, tiny_sdxl: Path) -> None:
    _, sink = run_with_samples(
        project,
        tiny_sdxl,
        epoch=2,
        sample_at_first=True,
        sample_every_n_epochs=1,
        sample_prompts=f"{PROMPT}\n{PROMPT}",
    )
    assert steps_of(sink) == [(0, 0), (0, 0), (4, 1), (4, 1), (8, 2), (8, 2)]
    phases = [
        (event.phase, event.done)
        for event in sink.of(PhaseEvent)
        if event.phase in ("sampling", "training", "saving")
    ]
    round_ = [("sampling", 0), ("sampling", 1), ("sampling", 2)]
    assert phases == [*round_, ("training", 0), *round_, ("training", 4), ("saving", 0), *round_]
    kinds = [type(event) for event in sink.events]
    assert kinds.index(CheckpointEvent) < len(kinds) - 1 - kinds[::-1].index(SampleEvent)


def test_without_rules_the_end_is_drawn_and_without_prompts_nothing(project: Path, tiny_sdxl: Path) -> None:
    _, sink = run_with_samples(project, tiny_sdxl)
    assert steps_of(sink) == [(4, 1)]
    _, silent = run_training(
        project, tiny_sdxl, sample_prompts="# none\n", sample_at_first=True, sample_every_n_steps=1
    )
    assert not silent.of(SampleEvent)
    assert "sampling" not in {event.phase for event in silent.of(PhaseEvent)}


@pytest.mark.parametrize(
    ("precision", "dropouts"),
    [
        ("no", {}),
        ("bf16", {}),
        ("no", {"network_dropout": 0.3, "rank_dropout": 0.3, "module_dropout": 0.3}),
    ],
)
def test_the_training_is_the_same_with_and_without_samples(
    project: Path, tiny_sdxl: Path, precision: str, dropouts: dict[str, float]
) -> None:
    changes: dict[str, Any] = {
        **dropouts,
        "mixed_precision": precision,
        "gradient_checkpointing": True,
        "gradient_accumulation_steps": 2,
        "epoch": 2,
    }
    plain, without = run_training(project, tiny_sdxl, output_name="plain", **changes)
    drawn, sink = run_with_samples(
        project,
        tiny_sdxl,
        sample_prompts=f"{PROMPT} --n blurry\nohwx person --s 3 --w 64 --h 64 --ss euler_a",
        sample_at_first=True,
        sample_every_n_steps=1,
        **changes,
    )
    assert len(sink.of(SampleEvent)) == 10
    assert losses_of(sink) == losses_of(without)
    assert len(losses_of(sink)) == 4
    one, two = (load_tensors(ending.outputs[0]) for ending in (plain, drawn))
    torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_pictures_leave_no_gradients_behind(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    predict = Unet.predict
    with_gradients: list[bool] = []

    def noted(unet: Unet, *arguments: Tensor) -> Tensor:
        prediction = predict(unet, *arguments)
        with_gradients.append(prediction.requires_grad)
        return prediction

    monkeypatch.setattr(Unet, "predict", noted)
    run_with_samples(project, tiny_sdxl, max_train_steps=1, sample_at_first=True)
    assert with_gradients == [False, False, True, False, False]


def test_drawing_takes_no_time_of_the_steps(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def slow(*_arguments: object) -> Tensor:
        time.sleep(0.5)
        return torch.zeros(3, 8, 8)

    monkeypatch.setattr(Painter, "draw", slow)
    _, sink = run_with_samples(
        project, tiny_sdxl, max_train_steps=3, sample_at_first=True, sample_every_n_steps=1
    )
    assert len(sink.of(SampleEvent)) == 4
    assert max(step.seconds_per_step for step in sink.of(StepEvent)) < 0.5


def test_a_stop_between_two_pictures_before_the_first_step(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink(stop_when=lambda event: isinstance(event, SampleEvent))
    ending, _ = run_with_samples(
        project, tiny_sdxl, sink, sample_prompts=f"{PROMPT}\n{PROMPT}", sample_at_first=True
    )
    assert (ending.outcome, ending.outputs) == ("stopped", [])
    assert len(sink.of(SampleEvent)) == 1
    assert not sink.of(StepEvent)


def test_a_stop_within_a_picture_keeps_what_was_learnt(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink(stop_when=lambda event: isinstance(event, PhaseEvent) and event.phase == "sampling")
    ending, _ = run_with_samples(project, tiny_sdxl, sink, sample_every_n_steps=2)
    assert ending.outcome == "stopped"
    assert [path.name for path in ending.outputs] == ["ohwx.safetensors"]
    assert [step.step for step in sink.of(StepEvent)] == [1, 2]
    assert not sink.of(SampleEvent)
    assert not warnings_of(sink)


def test_a_stop_while_the_end_is_drawn_comes_too_late(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink(stop_when=lambda event: isinstance(event, CheckpointEvent))
    ending, _ = run_with_samples(project, tiny_sdxl, sink)
    assert ending.outcome == "completed"
    assert not sink.of(SampleEvent)


def test_a_stopped_training_is_not_drawn(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink(stop_when=lambda event: isinstance(event, StepEvent) and event.step == 2)
    ending, _ = run_with_samples(project, tiny_sdxl, sink)
    assert ending.outcome == "stopped"
    assert "sampling" not in {event.phase for event in sink.of(PhaseEvent)}


def test_a_folder_that_cannot_be_made_does_not_end_the_training(project: Path, tiny_sdxl: Path) -> None:
    (project / "job").write_text("a file", encoding="utf-8")
    ending, sink = run_with_samples(
        project, tiny_sdxl, sample_at_first=True, sample_prompts=f"{PROMPT}\n{PROMPT}"
    )
    assert ending.outcome == "completed"
    assert warnings_of(sink) == ["sample_failed"] * 2
    assert len(losses_of(sink)) == 4


def fail_with(error: Exception) -> Any:
    def fail(*_arguments: object) -> None:
        raise error

    return fail


def test_a_full_disk_is_named_and_the_next_round_tries_again(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = sample.write_atomically

    def full_at_first(path: Path, content: bytes) -> None:
        if "_000000_" in path.name:
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(sample, "write_atomically", full_at_first)
    ending, sink = run_with_samples(project, tiny_sdxl, sample_at_first=True)
    assert ending.outcome == "completed"
    (problem,) = (event.problem for event in sink.of(WarningEvent))
    assert problem.code == "sample_failed"
    assert "step 0 are not all there: The disk is full" in problem.message
    assert "ohwx_000000_00_7.png" in problem.message
    assert steps_of(sink) == [(4, 1)]


def test_too_little_memory_for_a_picture_is_only_warned_of(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes")
    monkeypatch.setattr(Vae, "decode", fail_with(error))
    ending, sink = run_with_samples(project, tiny_sdxl)
    assert (ending.outcome, warnings_of(sink)) == ("completed", ["sample_failed"])


def test_what_is_not_understood_is_not_hidden(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Vae, "decode", fail_with(RuntimeError("a bug")))
    with pytest.raises(RuntimeError, match="a bug"):
        run_with_samples(project, tiny_sdxl, sample_every_n_steps=2)
    assert [file.name for file in (project / "model").iterdir()] == ["ohwx-step00000002.safetensors"]


def test_a_picture_that_is_not_finite_is_named(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(*_arguments: object) -> Tensor:
        return torch.full((3, 8, 8), torch.nan)

    monkeypatch.setattr(Vae, "decode", nothing)
    ending, sink = run_with_samples(project, tiny_sdxl)
    assert (ending.outcome, warnings_of(sink)) == ("completed", ["sample_failed"])
    assert not list(project.rglob("*_000004_*"))


class AskingSink(ListSink):
    """Asks for samples once a step is done."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step

    def emit(self, event: JobEvent) -> None:
        super().emit(event)
        if isinstance(event, StepEvent) and event.step == self._step:
            self.wishes.add("sample")


@pytest.mark.parametrize("empty_file", [False, True])
def test_who_asks_for_samples_without_prompts_is_told_where_they_are_set(
    project: Path, tiny_sdxl: Path, *, empty_file: bool
) -> None:
    file = project / "prompts.txt"
    file.write_text("# none\n", encoding="utf-8")
    name = str(file) if empty_file else ""
    _, sink = run_training(project, tiny_sdxl, AskingSink(2), sample_prompts_file=name)
    (problem,) = (event.problem for event in sink.of(WarningEvent))
    assert problem.code == "no_sample_prompts"
    assert "Sample prompts" in str(problem.hint)
    assert not sink.of(SampleEvent)


def test_a_second_drawing_of_a_step_keeps_the_first(project: Path, tiny_sdxl: Path) -> None:
    file = project / "prompts.txt"
    file.write_text(f"a cat {QUICK} --d 5", encoding="utf-8")
    changes: dict[str, Any] = {"sample_prompts_file": str(file), "sample_every_n_steps": 1}
    _, one = run_training(project, tiny_sdxl, max_train_steps=1, **changes)
    (first,) = one.of(SampleEvent)
    before = pixels_of(first)
    # As a run that was resumed comes to the step again, with another prompt.
    file.write_text(f"a dog {QUICK} --d 5", encoding="utf-8")
    for name in ("ohwx_000001_00_5-2.png", "ohwx_000001_00_5-3.png"):
        _, again = run_training(project, tiny_sdxl, max_train_steps=1, **changes)
        (event,) = again.of(SampleEvent)
        assert Path(event.path).name == name
    assert Path(first.path).name == "ohwx_000001_00_5.png"
    assert np.array_equal(pixels_of(first), before)
    assert not np.array_equal(pixels_of(event), before)


def test_asked_for_where_they_are_due_they_are_drawn_once(project: Path, tiny_sdxl: Path) -> None:
    _, sink = run_training(
        project, tiny_sdxl, AskingSink(2), sample_prompts=PROMPT, sample_every_n_steps=2, max_train_steps=3
    )
    assert steps_of(sink) == [(2, 1), (3, 1)]
    assert not warnings_of(sink)


def test_a_bad_prompt_is_told_before_anything_else(project: Path) -> None:
    sink = ListSink()
    with pytest.raises(ProblemError) as caught:
        run_training(project, project / "no-model", sink, sample_prompts="a cat --ss magic")
    assert caught.value.problem.code == "sample_prompt_invalid"
    assert not sink.events
    assert not (project / "model").exists()


def test_a_prompt_that_is_too_long_is_said_so(project: Path, tiny_sdxl: Path) -> None:
    _, sink = run_with_samples(project, tiny_sdxl, sample_prompts="word " * 230 + QUICK, max_train_steps=1)
    assert warnings_of(sink) == ["caption_cut"]
