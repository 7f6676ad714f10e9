"""When a run saves on its way and what it deletes again, against sd-scripts' arithmetic."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from training_support import ListSink, make_config, run_training, warnings_of

from lora_bridge.appearances import Step
from lora_bridge.output import OutputFolder
from lora_bridge.protocol_types import CheckpointRemovedEvent
from lora_bridge.run_length import Schedule
from lora_bridge.saving import SaveTimes

EPOCHS, STEPS = 12, 36
"""Of three steps each."""


def files(**changes: Any) -> tuple[set[str], int]:
    """What is there after a run, but for its last file; and the most there were at one time."""
    times = SaveTimes(make_config(Path(), **changes), Schedule(3, 3, EPOCHS, STEPS))
    there: set[str] = set()
    most = 0
    for number in range(1, STEPS + 1):
        step = Step(number, (number + 2) // 3, [], ends_epoch=number % 3 == 0)
        if times.is_due_epoch(step):
            there.add(f"e{step.epoch}")
            most = max(most, len(there))
            there.discard(f"e{times.epoch_to_remove(step.epoch)}")
        if times.is_due_step(number):
            there.add(f"s{number}")
            most = max(most, len(there))
            there.discard(f"s{times.step_to_remove(number)}")
    assert most <= times.most_files()
    return there, times.most_files()


@pytest.mark.parametrize(
    ("changes", "left"),
    [
        ({}, ""),
        ({"save_every_n_epochs": 3}, "e3 e6 e9"),
        ({"save_every_n_steps": 10}, "s10 s20 s30"),
        # The last step has the final file.
        ({"save_every_n_steps": 12}, "s12 s24"),
        ({"save_every_n_epochs": 1, "save_every_n_steps": 18}, "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11 s18"),
        # 12 // 5 epochs apart, whatever is said of epochs.
        ({"save_n_epoch_ratio": 5, "save_every_n_epochs": 7}, "e2 e4 e6 e8 e10"),
        ({"save_n_epoch_ratio": 100}, "e1 e2 e3 e4 e5 e6 e7 e8 e9 e10 e11"),
        # `get_remove_epoch_no`: epoch - every * last.
        ({"save_every_n_epochs": 1, "save_last_n_epochs": 2}, "e10 e11"),
        ({"save_every_n_epochs": 2, "save_last_n_epochs": 2}, "e8 e10"),
        # `get_remove_step_no`: step - last - 1, down to a multiple of every.
        ({"save_every_n_steps": 5, "save_last_n_steps": 10}, "s25 s30 s35"),
        ({"save_every_n_steps": 5, "save_last_n_steps": 9}, "s30 s35"),
        ({"save_every_n_steps": 5, "save_last_n_steps": 1}, "s35"),
    ],
)
def test_what_is_left_is_what_sd_scripts_leaves(changes: dict[str, Any], left: str) -> None:
    config = {"save_every_n_epochs": 0, **changes}
    assert files(**config)[0] == set(left.split())


@pytest.mark.parametrize(
    ("changes", "epoch", "step"),
    [
        ({"save_last_n_epochs": 2, "save_last_n_steps": 10}, 6, 20),
        ({"save_last_n_epochs_state": 3, "save_last_n_steps_state": 20}, 4, 10),
        ({}, None, None),
    ],
)
def test_states_have_numbers_of_their_own(
    changes: dict[str, Any], epoch: int | None, step: int | None
) -> None:
    config = make_config(Path(), save_every_n_epochs=2, save_every_n_steps=5, **changes)
    times = SaveTimes(config, Schedule(3, 3, EPOCHS, STEPS))
    assert times.epoch_state_to_remove(10) == epoch
    assert times.step_state_to_remove(35) == step


def test_where_no_step_is_saved_none_is_removed() -> None:
    config = make_config(Path(), save_every_n_steps=0, save_last_n_steps=10, save_last_n_steps_state=5)
    times = SaveTimes(config, Schedule(3, 3, EPOCHS, STEPS))
    assert times.step_to_remove(35) is None
    assert times.step_state_to_remove(35) is None


def test_what_was_saved_before_an_interruption_is_the_runs_own_again(tmp_path: Path) -> None:
    sink = ListSink()
    output = OutputFolder(make_config(tmp_path), sink)
    model = tmp_path / "model"
    kept, gone, foreign = (model / f"ohwx-00000{number}.safetensors" for number in (1, 2, 3))
    kept.write_bytes(b"1")
    foreign.write_bytes(b"3")
    output.adopt([kept, gone])
    assert output.checkpoints == [kept]
    output.remove_epoch(2)
    output.remove_epoch(3)
    assert foreign.exists()
    assert not sink.events
    output.remove_epoch(1)
    assert not kept.exists()
    assert output.newest_first() == []
    assert [event.path for event in sink.of(CheckpointRemovedEvent)] == [str(kept)]


def test_only_the_files_of_this_run_are_deleted(project: Path, tiny_sdxl: Path) -> None:
    model = project / "model"
    model.mkdir()
    foreign = model / "ohwx-step00000001.safetensors"
    foreign.write_bytes(b"of another run")
    other = model / "another-000001.safetensors"
    other.write_bytes(b"of another run")
    # Too few steps apart for the first to be this run's.
    _, sink = run_training(project, tiny_sdxl, ListSink(), epoch=2, save_every_n_steps=2, save_last_n_steps=1)
    assert [Path(event.path).name for event in sink.of(CheckpointRemovedEvent)] == [
        "ohwx-step00000002.safetensors",
        "ohwx-step00000004.safetensors",
    ]
    assert sorted(path.name for path in model.iterdir()) == [
        "another-000001.safetensors",
        "ohwx-step00000001.safetensors",
        "ohwx-step00000006.safetensors",
        "ohwx.safetensors",
    ]
    assert foreign.read_bytes() == other.read_bytes() == b"of another run"


def test_a_file_that_cannot_be_deleted_is_warned_of(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def refuse(path: Path, *, missing_ok: bool = False) -> None:
        if "step0" in path.name and not path.name.startswith("."):
            raise PermissionError(13, "in use", str(path))
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", refuse)
    _, sink = run_training(project, tiny_sdxl, save_every_n_steps=1, save_last_n_steps=1)
    assert "not_removed" in warnings_of(sink)
    assert sink.of(CheckpointRemovedEvent) == []
    assert len(list((project / "model").iterdir())) == 4
