"""Running a job folder: its events, its state, its end, whatever happens."""

from __future__ import annotations

import errno
import math
import os
import signal
import threading
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import msgspec
import pytest
from job_support import CPU, GOLDEN, events_of, make_job, replace_training, step, train_as_told

import lora_bridge
from lora_bridge import jobs
from lora_bridge.console import text_of
from lora_bridge.device_lock import device_lock
from lora_bridge.events import MAX_LINE_BYTES
from lora_bridge.jobs import run_job
from lora_bridge.protocol_types import (
    FailedEvent,
    FinishedEvent,
    HeartbeatEvent,
    HelloEvent,
    JobState,
    LogEvent,
    SampleEvent,
    StepEvent,
    WarningEvent,
)
from lora_bridge.sink import Ending
from lora_bridge.system import data_dir, stop_signals

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lora_bridge.protocol_types import JobEvent, TrainConfig
    from lora_bridge.sink import Sink

    Training = Callable[[TrainConfig, Sink], Ending]


@pytest.fixture(autouse=True)
def quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One processor, locks of our own, and the signal handlers put back."""
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(jobs, "devices", lambda: [CPU])
    before = {number: signal.getsignal(number) for number in stop_signals()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return make_job(tmp_path / "job")


@pytest.fixture
def train_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[Training], None]:
    def replace(run: Training) -> None:
        monkeypatch.setattr(lora_bridge, "train", replace_training(run), raising=False)

    replace(train_as_told)
    return replace


pytestmark = pytest.mark.usefixtures("train_with")


def state_of(folder: Path) -> JobState:
    return msgspec.json.decode((folder / "state.json").read_bytes(), type=JobState)


def failure_of(folder: Path) -> FailedEvent:
    last = events_of(folder)[-1]
    assert isinstance(last, FailedEvent)
    return last


def test_a_job_says_hello_and_ends(folder: Path) -> None:
    assert run_job(folder) == 0
    events = events_of(folder)
    assert isinstance(events[0], HelloEvent)
    assert events[0].pid == os.getpid()
    assert isinstance(events[-1], FinishedEvent)
    assert events[-1].outcome == "completed"
    assert [event.seq for event in events] == list(range(1, len(events) + 1))
    assert state_of(folder).status == "completed"
    assert state_of(folder).outputs == events[-1].outputs
    assert list(folder.glob(".*")) == []


def test_a_training_is_told_the_jobs_folder(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[Path] = []

    def train(_config: TrainConfig, _sink: Sink, where: Path) -> Ending:
        told.append(where)
        return Ending("completed", [])

    monkeypatch.setattr(lora_bridge, "train", SimpleNamespace(run=train))
    assert run_job(folder) == 0
    assert told == [folder]


def test_the_terminal_shows_the_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run_job(folder)
    lines = capsys.readouterr().out.splitlines()
    assert "training 0/1000" in lines
    assert "Finished (completed)." in lines


def test_the_terminal_names_each_sample() -> None:
    events = [event for event in events_of(GOLDEN) if isinstance(event, SampleEvent)]
    assert [text_of(event) for event in events] == [f"drew {event.path}" for event in events]
    assert len(events) == 2


def test_a_second_attempt_goes_on_after_a_torn_tail(folder: Path) -> None:
    log = folder / "events.jsonl"
    log.write_bytes(b'{"type":"heartbeat","v":1,"seq":7,"time":1.0}\n{"type":"step","v":1,"seq":8,"lo')
    assert run_job(folder) == 0
    lines = log.read_bytes().splitlines()
    assert lines[1] == b'{"type":"step","v":1,"seq":8,"lo'
    assert msgspec.json.decode(lines[2])["seq"] == 8
    assert msgspec.json.decode(lines[2])["type"] == "hello"


def test_numbers_that_are_none_become_null(folder: Path, train_with: Callable[[Training], None]) -> None:
    def train(_config: TrainConfig, sink: Sink) -> Ending:
        sink.emit(step(1, math.nan))
        sink.emit(step(2, -math.inf))
        return Ending("completed", [])

    train_with(train)
    assert run_job(folder) == 0
    assert [event.loss for event in events_of(folder) if isinstance(event, StepEvent)] == [None, None]


def test_what_is_too_long_for_a_line_does_not_hide_the_end(
    folder: Path, train_with: Callable[[Training], None]
) -> None:
    def train(_config: TrainConfig, sink: Sink) -> Ending:
        sink.emit(LogEvent(level="info", text="é" * MAX_LINE_BYTES))
        return Ending("completed", [Path(f"{number:0200d}") for number in range(MAX_LINE_BYTES // 100)])

    train_with(train)
    assert run_job(folder) == 0
    events = events_of(folder)
    assert [event.problem.code for event in events if isinstance(event, WarningEvent)] == ["event_too_long"]
    assert isinstance(events[-1], FinishedEvent)
    assert events[-1].outputs[0] == "0" * 200


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (None, "job_missing"),
        (b'{"kind":"train","schemaVersion":1,"id":"a', "job_invalid"),
        (b"", "job_invalid"),
        (b'{"schemaVersion":2,"kind":"dream"}', "job_version"),
        (b'{"schemaVersion":1,"kind":"dream"}', "job_invalid"),
        (b'{"kind":"train","id":"a"}', "job_invalid"),
    ],
)
def test_a_job_that_cannot_be_read_fails(folder: Path, content: bytes | None, code: str) -> None:
    job = folder / "job.json"
    if content is None:
        job.unlink()
    else:
        job.write_bytes(content)
    assert run_job(folder) == 1
    assert failure_of(folder).problem.code == code
    assert "job.json" in failure_of(folder).problem.message
    assert state_of(folder).status == "failed"


def test_a_setting_that_nobody_knows_is_refused(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "other", new_setting=1)
    assert run_job(folder) == 1
    assert "new_setting" in failure_of(folder).problem.message


def test_a_failure_carries_its_traceback(folder: Path, train_with: Callable[[Training], None]) -> None:
    def train(_config: TrainConfig, _sink: Sink) -> Ending:
        raise ValueError("long story\nthe end")

    train_with(train)
    assert run_job(folder) == 1
    failure = failure_of(folder)
    assert failure.problem.message == "ValueError: the end"
    assert "in train" in failure.traceback
    assert state_of(folder).problem == failure.problem


def test_the_stop_marker_stops(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "other", training_comment="until stopped")
    (folder / "control").mkdir()
    (folder / "control" / "stop").touch()
    assert run_job(folder) == 0
    last = events_of(folder)[-1]
    assert isinstance(last, FinishedEvent)
    assert last.outcome == "stopped"
    assert state_of(folder).status == "stopped"


def test_the_heart_beats_while_it_computes_and_not_after(
    folder: Path, train_with: Callable[[Training], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jobs, "_SECONDS_BETWEEN_HEARTBEATS", 0.001)
    emit, beaten = jobs.JobSink.emit, threading.Event()

    def watch(sink: jobs.JobSink, event: JobEvent) -> None:
        emit(sink, event)
        if isinstance(event, HeartbeatEvent):
            beaten.set()
        if isinstance(event, FinishedEvent):
            assert "heartbeat" not in [thread.name for thread in threading.enumerate()]

    def train(_config: TrainConfig, _sink: Sink) -> Ending:
        assert beaten.wait(10)
        return Ending("completed", [])

    monkeypatch.setattr(jobs.JobSink, "emit", watch)
    train_with(train)
    assert run_job(folder) == 0
    assert isinstance(events_of(folder)[-1], FinishedEvent)


class FullDisk:
    """Lets the event file take `room` more bytes, then refuses, until it is emptied."""

    def __init__(self, log: Path, room: int) -> None:
        self._log, self._write, self.room = log, os.write, room

    def write(self, file: int, data: bytes | memoryview) -> int:
        if not os.path.samestat(os.fstat(file), self._log.stat()):
            return self._write(file, data)
        if self.room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        written = self._write(file, bytes(data[: self.room]))
        self.room -= written
        return written


def test_a_full_disk_stops_the_job_so_that_it_can_save(
    folder: Path,
    train_with: Callable[[Training], None],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    disk = FullDisk(folder / "events.jsonl", 10_000)
    saved: list[int] = []

    def train(_config: TrainConfig, sink: Sink) -> Ending:
        number = 0
        while not sink.stop_requested():
            number += 1
            sink.emit(step(number))
        saved.append(number)
        return Ending("stopped", [])

    train_with(train)
    monkeypatch.setattr(os, "write", disk.write)
    assert run_job(folder) == 1
    assert saved
    assert "The disk is full" in capsys.readouterr().out
    *whole, torn = (folder / "events.jsonl").read_bytes().split(b"\n")
    assert torn != b""
    assert all(isinstance(msgspec.json.decode(line), dict) for line in whole)


def test_the_end_stands_on_its_own_line_once_the_disk_has_room(
    folder: Path, train_with: Callable[[Training], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    disk = FullDisk(folder / "events.jsonl", 10_000)

    def train(_config: TrainConfig, sink: Sink) -> Ending:
        while not sink.stop_requested():
            sink.emit(step(1))
        disk.room = 10_000
        return Ending("stopped", [])

    train_with(train)
    monkeypatch.setattr(os, "write", disk.write)
    assert run_job(folder) == 1
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    last, before = msgspec.json.decode(lines[-1]), msgspec.json.decode(lines[-3])
    assert last["problem"]["code"] == "disk_full"
    assert last["seq"] == before["seq"] + 1


def test_one_job_at_a_time_on_a_device(folder: Path) -> None:
    with device_lock("cpu", "the other job"):
        assert run_job(folder) == 1
    failure = failure_of(folder)
    assert failure.problem.code == "device_busy"
    assert "the other job" in failure.problem.message
    assert run_job(folder) == 0


def test_what_a_dead_job_left_in_the_lock_file_does_not_matter(folder: Path) -> None:
    locks = data_dir() / "locks"
    locks.mkdir(parents=True)
    (locks / "cpu.lock").write_text('{"job":"a job that crashed","pid":1}' * 9)
    with device_lock("cpu", "mine"):
        assert run_job(folder) == 1
    assert "job mine" in failure_of(folder).problem.message


def test_a_folder_that_is_not_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run_job(tmp_path / "nowhere") == 1
    assert "nowhere" in capsys.readouterr().err
