"""A process beside a training's first one on its machine."""

from __future__ import annotations

import os
import sys
import threading
from typing import TYPE_CHECKING, Protocol

import msgspec

from lora_bridge.failures import problem_of
from lora_bridge.joining import Start, device_of, joined_as, rank_folder
from lora_bridge.protocol_types import Problem
from lora_bridge.world import OthersLostError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent, TrainConfig
    from lora_bridge.sink import Sink
    from lora_bridge.world import World

LOST = 3
"""Exit code of a process that lost the others, and is not the one that failed."""


class _Train(Protocol):
    def __call__(
        self, config: TrainConfig, sink: Sink, folder: Path, device: str, world: World, /
    ) -> object: ...


def run_rank(folder: Path, local_rank: int, train: _Train) -> int:
    """Train in a job's folder as the process of this number; the exit code."""
    threading.Thread(target=_die_with_the_job, name="job", daemon=True).start()
    try:
        start = read_start(folder)
        device = start.device or device_of(start.config, local_rank)
        sink = _Silent()
        with joined_as(start, local_rank, device, None, sink) as world:
            train(start.config, sink, folder, device, world)
    except OthersLostError:
        return LOST
    except Exception as error:
        _problem_file(folder, local_rank).write_bytes(msgspec.json.encode(problem_of(error)))
        raise
    return 0


def write_start(folder: Path, start: Start) -> None:
    """Leave what the processes beside the first begin with, and nothing of an earlier try."""
    rank_folder(folder).mkdir(parents=True, exist_ok=True)
    for local_rank in range(start.config.num_processes):
        _problem_file(folder, local_rank).unlink(missing_ok=True)
    _start_file(folder).write_bytes(msgspec.json.encode(start))


def read_start(folder: Path) -> Start:
    return msgspec.json.decode(_start_file(folder).read_bytes(), type=Start)


def read_problem(folder: Path, local_rank: int) -> Problem | None:
    """What a process failed of; None where it could not say."""
    try:
        return msgspec.json.decode(_problem_file(folder, local_rank).read_bytes(), type=Problem)
    except (OSError, msgspec.DecodeError):
        return None


class _Silent:
    """The sink of a process that does not report: the first one says the same."""

    def emit(self, event: JobEvent) -> None: ...

    def stop_requested(self) -> bool:
        return False

    def pause_requested(self) -> bool:
        return False

    def take(self, _wish: object, /) -> bool:
        return False


def _start_file(folder: Path) -> Path:
    return rank_folder(folder) / "start.json"


def _problem_file(folder: Path, local_rank: int) -> Path:
    return rank_folder(folder) / f"{local_rank}.json"


def _die_with_the_job() -> None:
    """The job's process holds the other end of the standard input, and never writes to it."""
    sys.stdin.buffer.read()
    os._exit(LOST)
