"""A training in a process of its own that is killed at a chosen moment."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from training_support import ListSink, make_config

from lora_bridge import train

if TYPE_CHECKING:
    from lora_bridge.protocol_types import JobEvent


class Death(NamedTuple):
    """After so many of something a process kills itself, as a power cut would."""

    of: Literal["steps", "touches", "never"]
    """`touches`: what Python's own audit tells of files and folders in `resume` and `model`."""
    after: int = 0


def run_until(project: Path, model: Path, death: Death, **changes: Any) -> int | None:
    """Run, or go on with, the training of a project; the exit code of its process, -9 where it was killed."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["lora_bridge.train"])
    process = context.Process(target=_run, args=(project, model, death, changes))
    process.start()
    process.join()
    return process.exitcode


def _run(project: Path, model: Path, death: Death, changes: dict[str, Any]) -> None:
    if death.of == "touches":
        _die_of_touches(death.after)
    sink = _Sink(death.after) if death.of == "steps" else ListSink()
    config = make_config(project, pretrained_model_name_or_path=str(model), **changes)
    train.run(config, sink, project / "job", "cpu")


class _Sink(ListSink):
    def __init__(self, steps: int) -> None:
        super().__init__()
        self._steps = steps

    def emit(self, event: JobEvent) -> None:
        super().emit(event)
        self._steps -= type(event).__name__ == "StepEvent"
        if self._steps == 0:
            _die()


def _die_of_touches(count: int) -> None:
    left = count

    def on_event(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal left
        if event.partition(".")[0] not in {"open", "os", "shutil"}:
            return
        places = [str(each) for each in arguments if isinstance(each, str | Path)]
        if any({"resume", "model"} & set(Path(place).parts) for place in places):
            left -= 1
            if left == 0:
                _die()

    sys.addaudithook(on_event)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
