"""Jobs in processes of their own: signals, sudden death, a terminal that goes away."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING

import msgspec
from job_support import events_of, make_job, start_bridge

from lora_bridge.protocol_types import FailedEvent, FinishedEvent

if TYPE_CHECKING:
    import subprocess
    from pathlib import Path


def start_job(folder: Path, tmp_path: Path) -> subprocess.Popen[bytes]:
    """Start a job in a process of its own and wait until it trains."""
    process = start_bridge(["job", str(folder)], tmp_path / "data")
    assert process.stdout is not None
    for line in process.stdout:
        if line.startswith(b"step"):
            return process
    raise AssertionError("The job ended before it trained.")


def test_a_signal_stops_and_saves(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", training_comment="until stopped")
    process = start_job(folder, tmp_path)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 0
    last = events_of(folder)[-1]
    assert isinstance(last, FinishedEvent)
    assert last.outcome == "stopped"


def test_the_second_signal_ends_a_job_that_does_not_listen(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", training_comment="deaf")
    process = start_job(folder, tmp_path)
    assert process.stderr is not None
    process.send_signal(signal.SIGINT)
    assert b"once more" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 1
    last = events_of(folder)[-1]
    assert isinstance(last, FailedEvent)
    assert last.problem.code == "interrupted"


def test_a_killed_job_can_be_started_again(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", training_comment="until stopped")
    process = start_job(folder, tmp_path)
    process.kill()
    process.communicate()
    before = (folder / "events.jsonl").read_bytes()
    make_job(folder, training_comment="")
    again = start_bridge(["job", str(folder)], tmp_path / "data")
    again.communicate(timeout=30)
    assert again.returncode == 0
    added = (folder / "events.jsonl").read_bytes()[len(before) :].lstrip(b"\n").splitlines()
    first = msgspec.json.decode(added[0])
    assert first["type"] == "hello"
    assert (
        first["seq"]
        == msgspec.json.decode(before.splitlines()[-1 if before.endswith(b"\n") else -2])["seq"] + 1
    )


def test_a_job_outlives_its_terminal(tmp_path: Path) -> None:
    folder = make_job(tmp_path / "job", training_comment="until stopped")
    process = start_job(folder, tmp_path)
    assert process.stdout is not None
    process.stdout.close()
    (folder / "control").mkdir()
    (folder / "control" / "stop").touch()
    assert process.wait(timeout=30) == 0
    assert isinstance(events_of(folder)[-1], FinishedEvent)
