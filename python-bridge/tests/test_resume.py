"""A run that is paused, stopped or killed, and gone on with, ends as one that never was."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import pytest
from killed_run import Death, run_until
from tensor_files import load_tensors
from training_support import ListSink, losses_of, run_training, save_picture, warnings_of

from lora_bridge import run_state
from lora_bridge.events import EventLog
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import (
    CheckpointEvent,
    JobEvent,
    PhaseEvent,
    ResumedEvent,
    StateEvent,
    StepEvent,
)
from lora_bridge.run_state import FOLDER, newest_state

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def after(step: int) -> Callable[[JobEvent], bool]:
    return lambda event: isinstance(event, StepEvent) and event.step == step


def assert_same_files(one: Path, other: Path) -> None:
    first, second = load_tensors(one), load_tensors(other)
    assert first.keys() == second.keys()
    for name, tensor in first.items():
        assert tensor.equal(second[name]), name


def straight(project: Path, model: Path, **changes: Any) -> tuple[Path, list[float]]:
    """The file of a run that is never interrupted, and its losses."""
    ending, sink = run_training(project, model, output_name="straight", **changes)
    assert ending.outcome == "completed"
    for state in (project / "job").glob(f"{FOLDER}/*"):
        pytest.fail(f"{state} was not asked for")
    return ending.outputs[0], losses_of(sink)


KINDS: dict[str, dict[str, Any]] = {
    "AdamW": {},
    "AdamW8bit": {"optimizer": "AdamW8bit", "network_dim": 64},
    "Lion": {"optimizer": "Lion", "lr_scheduler": "cosine"},
    "Prodigy": {"optimizer": "Prodigy", "learning_rate": 1.0},
    "DAdaptAdam": {"optimizer": "DAdaptAdam", "learning_rate": 1.0},
    "Adafactor": {"optimizer": "Adafactor"},
    "schedule-free": {"optimizer": "AdamWScheduleFree"},
    "prodigyplus": {"optimizer": "prodigyplus.ProdigyPlusScheduleFree", "learning_rate": 1.0},
    "CAME": {"optimizer": "pytorch_optimizer.CAME"},
    "bf16 weights": {"full_bf16": True, "mixed_precision": "bf16"},
    "fp16": {"mixed_precision": "fp16"},
    "EMA": {"use_ema": True, "ema_decay": 0.9},
    "dropouts": {"network_dropout": 0.3, "rank_dropout": 0.3, "module_dropout": 0.3},
    "dropouts, checkpointed": {"network_dropout": 0.3, "rank_dropout": 0.3, "gradient_checkpointing": True},
    "norm limit": {"scale_weight_norms": 0.01},
    "text encoders": {"text_encoder_lr": 5e-4, "shuffle_caption": True, "caption_tag_dropout_rate": 0.5},
    "accumulation": {"gradient_accumulation_steps": 3, "train_batch_size": 1},
    "LoRA+ and blocks": {"loraplus_lr_ratio": 4.0, "up_lr_weight": "cosine+0.5"},
    "restarts": {"lr_scheduler": "cosine_with_restarts", "lr_warmup_steps": 3, "lr_scheduler_num_cycles": 2},
    "LyCORIS": {"lora_type": "LyCORIS/LoKr", "rank_dropout": 0.3, "module_dropout": 0.2, "train_norm": True},
    "DyLoRA, checkpointed": {"lora_type": "Kohya DyLoRA", "gradient_checkpointing": True},
    "own schedule": {"lr_scheduler_type": "CosineAnnealingLR", "lr_scheduler_args": "T_max=9"},
}


@pytest.mark.parametrize("kind", KINDS)
def test_paused_and_resumed_is_bit_identical(project: Path, tiny_sdxl: Path, kind: str) -> None:
    changes: dict[str, Any] = {
        "epoch": 2,
        "noise_offset": 0.05,
        "noise_offset_random_strength": True,
        **KINDS[kind],
    }
    expected, losses = straight(project, tiny_sdxl, **changes)
    found: list[float] = []
    for step in (3, 4):
        ending, sink = run_training(project, tiny_sdxl, ListSink(pause_when=after(step)), **changes)
        found += losses_of(sink)
        assert (ending.outcome, ending.outputs) == ("paused", [])
        assert not (project / "model" / "ohwx.safetensors").exists()
    ending, sink = run_training(project, tiny_sdxl, **changes)
    assert [event.step for event in sink.of(ResumedEvent)] == [4]
    assert sink.of(ResumedEvent)[0].changes == []
    assert found + losses_of(sink) == losses
    assert_same_files(ending.outputs[0], expected)
    assert ending.outcome == "completed"


def test_twenty_violent_deaths(project: Path, tiny_sdxl: Path) -> None:
    """At random steps and in the middle of saves, some twice in a row; the newest state always loads."""
    changes: dict[str, Any] = {"epoch": 30, "save_every_n_steps": 3, "save_last_n_steps": 6, "use_ema": True}
    expected, _ = straight(project, tiny_sdxl, **changes)
    chance = random.Random(20)
    reached: list[int] = []
    for number in range(20):
        kind = "touches" if number % 2 else "steps"
        # A start and a save touch about 60 times.
        death = Death(kind, chance.randint(1, 70) if kind == "touches" else chance.randint(1, 5))
        code = run_until(project, tiny_sdxl, death, **changes)
        assert code == -9, death
        state = newest_state(project / "job" / FOLDER)
        reached.append(0 if state is None else state.about.step)
    assert reached == sorted(reached)
    assert len(set(reached)) > 10, reached
    assert run_until(project, tiny_sdxl, Death("never"), **changes) == 0
    assert_same_files(project / "model" / "ohwx.safetensors", expected)
    left = {path.name for path in (project / "job" / FOLDER).iterdir()}
    assert not left, "half states"
    assert not list((project / "model").glob(".*")), "half LoRAs"


def test_stopped_saves_and_goes_on(project: Path, tiny_sdxl: Path) -> None:
    expected, _ = straight(project, tiny_sdxl, epoch=2)
    ending, sink = run_training(project, tiny_sdxl, ListSink(after(3)), epoch=2)
    assert ending.outcome == "stopped"
    assert [event.step for event in sink.of(StateEvent)] == [3]
    early = ending.outputs[0]
    ending, _ = run_training(project, tiny_sdxl, epoch=2)
    assert_same_files(ending.outputs[0], expected)
    assert [path.name for path in early.parent.glob("ohwx.previous-*")] != []


def test_a_finished_run_is_extended_in_another_folder(project: Path, tiny_sdxl: Path) -> None:
    expected, losses = straight(project, tiny_sdxl, epoch=2)
    run_training(project, tiny_sdxl, epoch=1, save_state_on_train_end=True)
    (project / "job").rename(project / "earlier")
    changes: dict[str, Any] = {"epoch": 2, "resume": str(project / "earlier"), "output_name": "longer"}
    ending, sink = run_training(project, tiny_sdxl, **changes)
    resumed = sink.of(ResumedEvent)[0]
    assert resumed.step == 4
    assert resumed.changes == ["epoch was 1 and is 2.", "save_state_on_train_end was true and is false."]
    assert losses_of(sink) == losses[4:]
    assert_same_files(ending.outputs[0], expected)


def test_what_changed_is_told(project: Path, tiny_sdxl: Path) -> None:
    run_training(project, tiny_sdxl, ListSink(pause_when=after(2)), epoch=2)
    folder = project / "img" / "2_ohwx person"
    save_picture(folder / "0.png", hue=200)
    save_picture(folder / "new.png", hue=100)
    (folder / "1.txt").write_text("something else", encoding="utf-8")
    (folder / "3.png").unlink()
    _, sink = run_training(project, tiny_sdxl, epoch=2, noise_offset=0.1)
    name = "2_ohwx person"
    assert sink.of(ResumedEvent)[0].changes == [
        "noise_offset was 0 and is 0.1.",
        f"1 picture is new: {name}/new.png.",
        f"1 picture is no longer there: {name}/3.png.",
        f"1 picture was edited: {name}/0.png.",
        f"1 caption was edited: {name}/1.png.",
    ]


def test_a_dataset_config_and_base_weights_that_changed_are_told(project: Path, tiny_sdxl: Path) -> None:
    early, _ = run_training(project, tiny_sdxl, output_name="base", max_train_steps=1)
    base = early.outputs[0]
    other, _ = run_training(project, tiny_sdxl, output_name="other", max_train_steps=2)
    toml = project / "data.toml"
    text = f"""
        [[datasets]]
        [[datasets.subsets]]
        image_dir = {str(project / "img" / "2_ohwx person")!r}
        num_repeats = 2
    """
    toml.write_text(text, encoding="utf-8")
    changes: dict[str, Any] = {
        "epoch": 2, "dataset_config": str(toml), "train_data_dir": "", "base_weights": str(base)
    }  # fmt: skip
    run_training(project, tiny_sdxl, ListSink(pause_when=after(2)), **changes)
    toml.write_text(text.replace("num_repeats = 2", "num_repeats = 3"), encoding="utf-8")
    other.outputs[0].replace(base)
    _, sink = run_training(project, tiny_sdxl, **changes)
    told = sink.of(ResumedEvent)[0].changes
    assert told[0].startswith("4 pictures are shown by other rules: ")
    assert told[1:] == ["The file of base_weights is another one, or was edited."]


def test_the_average_goes_on_too(project: Path, tiny_sdxl: Path) -> None:
    class Telling(ListSink):
        """Writes what a job would."""

        log = EventLog(project / "events.jsonl")

        def emit(self, event: JobEvent) -> None:
            super().emit(event)
            self.log.write(event)

    _, whole = run_training(project, tiny_sdxl, epoch=2, output_name="straight")
    (project / "job").mkdir(exist_ok=True)
    Telling.log = EventLog(project / "job" / "events.jsonl")
    run_training(project, tiny_sdxl, Telling(pause_when=after(6)), epoch=2)
    _, rest = run_training(project, tiny_sdxl, epoch=2)
    averages = [[step.average_loss for step in sink.of(StepEvent)] for sink in (whole, rest)]
    assert averages[1] == averages[0][6:]


@pytest.mark.parametrize(
    ("change", "label"),
    [
        ({"optimizer": "Lion"}, "Optimizer"),
        ({"network_dim": 8}, "ranks"),
        ({"text_encoder_lr": 1e-4}, "learning rates"),
        ({"lr_scheduler": "cosine"}, "LR Scheduler"),
    ],
)
def test_a_state_of_another_lora_is_refused(
    project: Path, tiny_sdxl: Path, change: dict[str, Any], label: str
) -> None:
    run_training(project, tiny_sdxl, epoch=1, save_state_on_train_end=True)
    (project / "job").rename(project / "earlier")
    with pytest.raises(ProblemError) as caught:
        run_training(project, tiny_sdxl, epoch=2, resume=str(project / "earlier"), **change)
    assert caught.value.problem.code == "state_unfit"
    assert label in f"{caught.value.problem.message} {caught.value.problem.hint}"


@pytest.mark.parametrize(
    ("spoil", "code"),
    [("nothing", "nothing_left"), ("folder", "state_missing"), ("tensors", "state_damaged")],
)
def test_what_cannot_be_gone_on_from_is_said_before_the_run(
    project: Path, tiny_sdxl: Path, spoil: str, code: str
) -> None:
    run_training(project, tiny_sdxl, epoch=1, save_state_on_train_end=True)
    earlier = project / "earlier"
    (project / "job").rename(earlier)
    if spoil == "tensors":
        file = next(earlier.glob("resume/*/tensors.pt"))
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    resume = earlier / "nowhere" if spoil == "folder" else earlier
    with pytest.raises(ProblemError) as caught:
        run_training(project, tiny_sdxl, epoch=1, resume=str(resume))
    assert caught.value.problem.code == code


def test_states_beside_saved_files_are_kept_by_their_number(project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {
        "epoch": 5,
        "save_every_n_epochs": 1,
        "save_last_n_epochs": 2,
        "save_last_n_epochs_state": 1,
        "save_state": True,
    }
    ending, sink = run_training(project, tiny_sdxl, **changes)
    names = sorted(path.name for path in (project / "job" / FOLDER).iterdir())
    assert names == ["000004-state", "step00000020"]
    saved = [event.path for event in sink.of(CheckpointEvent)]
    assert [path.name for path in ending.outputs] == [
        "ohwx.safetensors", "ohwx-000004.safetensors", "ohwx-000003.safetensors",
    ]  # fmt: skip
    assert len(saved) == 5
    # Each of them can be gone on from.
    (project / "job").rename(project / "earlier")
    resume = str(project / "earlier" / FOLDER / "000004-state")
    changes |= {"resume": resume, "output_name": "again"}
    again, _ = run_training(project, tiny_sdxl, **changes)
    assert_same_files(again.outputs[0], ending.outputs[0])


class _Filling:
    """A file on a disk that is full after 10,000 bytes, in the middle of a tensor."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream

    def write(self, content: bytes) -> int:
        if self._stream.tell() + len(content) > 10_000:
            raise OSError(28, "No space left on device")
        return self._stream.write(content)

    def flush(self) -> None:
        self._stream.flush()


def test_a_state_that_cannot_be_written_is_warned_of(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = run_state._save_tensors  # pyright: ignore[reportPrivateUsage]

    def save_on_a_full_disk(tensors: dict[str, Any], stream: BinaryIO) -> None:
        save(tensors, cast("Any", _Filling(stream)))

    monkeypatch.setattr(run_state, "_save_tensors", save_on_a_full_disk)
    ending, sink = run_training(project, tiny_sdxl, ListSink(pause_when=after(2)))
    # There would be nothing to go on from, so there is a file.
    assert (ending.outcome, len(ending.outputs)) == ("stopped", 1)
    assert "state_failed" in warnings_of(sink)
    assert list((project / "job" / FOLDER).iterdir()) == []


def test_save_now_and_draw_now(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink()
    sink.wishes = {"save", "sample"}
    changes: dict[str, Any] = {"sample_prompts": "ohwx --w 64 --h 64 --s 2", "sample_every_n_epochs": 0}
    _, sink = run_training(project, tiny_sdxl, sink, **changes)
    assert (project / "model" / "ohwx-step00000001.safetensors").exists()
    assert sink.wishes == set()
    drawn = sorted(path.name for path in (project / "job" / "samples").glob("*.png"))
    assert [name.split("_")[1] for name in drawn] == ["000001", "000004"]
    assert [event.step for event in sink.of(StateEvent)] == [1]


def test_a_pause_while_it_validates_keeps_the_step(project: Path, tiny_sdxl: Path) -> None:
    def validates(event: JobEvent) -> bool:
        return isinstance(event, PhaseEvent) and event.phase == "validating"

    changes: dict[str, Any] = {"epoch": 3, "validation_split": 0.5, "save_every_n_epochs": 1}
    ending, sink = run_training(project, tiny_sdxl, ListSink(pause_when=validates), **changes)
    steps = len(losses_of(sink))
    assert 0 < steps < sink.of(StepEvent)[0].total
    assert ending.outcome == "paused"
    assert sink.of(StateEvent)[-1].step == steps
    # What the run had saved is still told of.
    assert [path.name for path in ending.outputs] == ["ohwx-000001.safetensors"]
