"""Runs the job that a folder describes, and tells in that folder how it goes and how it ends."""

from __future__ import annotations

import os
import signal
import sys
import threading
import traceback
from contextlib import ExitStack, contextmanager, suppress
from itertools import accumulate
from typing import TYPE_CHECKING, Literal, TypeAlias

import msgspec

from lora_bridge.console import Console
from lora_bridge.device_lock import device_lock
from lora_bridge.events import MAX_LINE_BYTES, PROTOCOL_VERSION, EventLog
from lora_bridge.failures import problem_of
from lora_bridge.probe import devices, versions
from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import gpu_ids
from lora_bridge.protocol_types import (
    FailedEvent,
    FinishedEvent,
    HeartbeatEvent,
    HelloEvent,
    Job,
    JobEvent,
    PhaseEvent,
    TrainJob,
)
from lora_bridge.state import StateFile
from lora_bridge.system import stop_signals

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path
    from types import FrameType

    from lora_bridge.sink import Ending

SCHEMA_VERSION = 1
Control: TypeAlias = Literal["stop", "pause", "save", "sample"]
_SECONDS_BETWEEN_HEARTBEATS = 2.0


class JobSink:
    """The sink of a job folder: `events.jsonl`, `state.json`, the terminal, and the wish to stop."""

    def __init__(self, folder: Path) -> None:
        self._events = EventLog(folder / "events.jsonl")
        self._state = StateFile(folder / "state.json")
        self._console = Console()
        self._controls = folder / "control"
        self._stop = threading.Event()
        self._turn = threading.Lock()
        self._failure: OSError | None = None

    def emit(self, event: JobEvent) -> None:
        """Report an event. Where it cannot be written the job is asked to stop, and saves what it has."""
        with self._turn:
            try:
                self._events.write(event)
            except OSError as error:
                self._failure = error
                self._stop.set()
            self._state.update(event)
            self._console.show(event)

    def request_stop(self) -> None:
        self._stop.set()

    def stop_requested(self) -> bool:
        return self._stop.is_set() or self._asked("stop") or self._asked("pause")

    def pause_requested(self) -> bool:
        return not self._stop.is_set() and not self._asked("stop") and self._asked("pause")

    def take(self, wish: Literal["save", "sample"]) -> bool:
        if not self._asked(wish):
            return False
        (self._controls / wish).unlink(missing_ok=True)
        return True

    def _asked(self, control: Control) -> bool:
        return (self._controls / control).exists()

    def raise_failure(self) -> None:
        """Raise what kept events from being written, if anything did."""
        if self._failure is not None:
            raise self._failure


def run_job(folder: Path) -> int:
    """Run the job of this folder. The exit code: 0 only when it finished, completed or stopped as asked."""
    try:
        sink = JobSink(folder)
    except OSError as error:
        sys.stderr.write(f"The job folder {folder} cannot be used: {error}\n")
        return 1
    try:
        _stop_on_signals(sink)
        ending = _run(folder, sink)
        sink.raise_failure()
        sink.emit(FinishedEvent(outcome=ending.outcome, outputs=_listed(ending.outputs)))
        sink.raise_failure()
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the job writes its own ending, whatever it is
        sink.emit(FailedEvent(problem=problem_of(error), traceback=_traceback(error)))
        return 1
    return 0


def _run(folder: Path, sink: JobSink) -> Ending:
    job = read_job(folder / "job.json")
    available, numbers = devices(), _gpu_numbers(job)
    is_gpu = available[0].kind == "cuda"
    device = available[min(numbers[0], len(available) - 1)] if is_gpu else available[0]
    locks = [f"cuda-{number}" for number in numbers] if is_gpu else ["cpu"]
    sink.emit(
        HelloEvent(protocol_version=PROTOCOL_VERSION, pid=os.getpid(), versions=versions(), device=device)
    )
    with ExitStack() as stack:
        for lock in locks:
            stack.enter_context(device_lock(lock, job.id))
        stack.enter_context(_heartbeat(sink))
        sink.emit(PhaseEvent(phase="starting", done=0, total=0))
        if isinstance(job, TrainJob):
            from lora_bridge import train

            return train.run(job.config, sink, folder)
        from lora_bridge import caption

        return caption.run(job.config, sink)


def _gpu_numbers(job: Job) -> list[int]:
    return gpu_ids(job.config) if isinstance(job, TrainJob) else [0]


# Half a line. Each checkpoint was told when it was saved, so none is lost with the rest of the list.
_MAX_OUTPUTS_BYTES = MAX_LINE_BYTES // 2


def _listed(outputs: list[Path]) -> list[str]:
    """The first files, as many as fit in a line: an event that is too long would be left out."""
    sizes = accumulate(len(msgspec.json.encode(str(path))) + 1 for path in outputs)
    return [str(path) for path, size in zip(outputs, sizes, strict=True) if size <= _MAX_OUTPUTS_BYTES]


class _Versioned(msgspec.Struct):
    schema_version: int = msgspec.field(name="schemaVersion")


def read_job(path: Path) -> Job:
    """The job that a file describes. Raises ProblemError `job_missing`, `job_version` or `job_invalid`."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        raise ProblemError(
            "job_missing", f"{path} does not exist.", "Start the job from the app again."
        ) from None
    try:
        version = msgspec.json.decode(content, type=_Versioned).schema_version
        if version != SCHEMA_VERSION:
            raise ProblemError(
                "job_version",
                f"{path} has schema version {version}; this bridge reads {SCHEMA_VERSION}.",
                "Start the job from the app of the same version.",
            )
        return msgspec.json.decode(content, type=Job)
    except msgspec.DecodeError as error:
        raise ProblemError(
            "job_invalid", f"{path} is not a job: {error}", "Start the job from the app again."
        ) from error


def _stop_on_signals(sink: JobSink) -> None:
    """The first signal asks the job to stop and save, the second ends it."""

    signalled = False

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        nonlocal signalled
        if signalled:
            raise KeyboardInterrupt
        signalled = True
        sink.request_stop()
        with suppress(OSError):
            os.write(2, b"Stopping at the next safe point; once more to end at once.\n")

    for number in stop_signals():
        signal.signal(number, on_signal)


@contextmanager
def _heartbeat(sink: JobSink) -> Generator[None]:
    """Show signs of life while the job computes."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(_SECONDS_BETWEEN_HEARTBEATS):
            sink.emit(HeartbeatEvent())

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


# Leaves room for the rest of the event in a line.
_MAX_TRACEBACK = 100_000


def _traceback(error: BaseException) -> str:
    return "".join(traceback.format_exception(error))[-_MAX_TRACEBACK:]
