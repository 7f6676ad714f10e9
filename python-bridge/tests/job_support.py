"""Job folders for tests, and a training that does as it is told in the job's training comment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import msgspec

from lora_bridge.protocol_types import Device, JobEvent, LearningRate, PhaseEvent, StepEvent
from lora_bridge.sink import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink

GOLDEN = Path(__file__).parents[2] / "tests" / "fixtures" / "protocol"
CPU = Device(kind="cpu", name="a processor", memory_bytes=None)


def golden(name: str) -> list[dict[str, Any]]:
    """The lines of a golden file that both sides parse."""
    return [json.loads(line) for line in (GOLDEN / name).read_bytes().splitlines()]


def make_job(folder: Path, **changes: object) -> Path:
    """A folder with the golden training job, its top-level fields or (others) its config changed."""
    job = golden("jobs.jsonl")[0]
    for key, value in changes.items():
        (job if key in job else job["config"])[key] = value
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return folder


def events_of(folder: Path) -> list[JobEvent]:
    """Every event of a job; fails at a line that is none."""
    lines = (folder / "events.jsonl").read_bytes().splitlines()
    return [msgspec.json.decode(line, type=JobEvent) for line in lines]


def step(number: int, loss: float | None = 0.1) -> StepEvent:
    return StepEvent(
        step=number,
        total=1000,
        epoch=1,
        epochs=1,
        loss=loss,
        average_loss=loss,
        learning_rate=1e-4,
        rates=[LearningRate(name="unet", value=1e-4)],
        grad_norm=1.0,
        key_norms=None,
        images_per_second=2.0,
        seconds_per_step=0.5,
        eta_seconds=10.0,
        memory_bytes=0,
    )


class CollectingSink:
    """Keeps the events; asks to stop once it has seen `stop_after` of them."""

    def __init__(self, stop_after: int | None = None) -> None:
        self.events: list[JobEvent] = []
        self._stop_after = stop_after

    def emit(self, event: JobEvent) -> None:
        self.events.append(event)

    def stop_requested(self) -> bool:
        return self._stop_after is not None and len(self.events) >= self._stop_after

    def pause_requested(self) -> bool:
        return False

    def take(self, _wish: str) -> bool:
        return False


def train_as_told(config: TrainConfig, sink: Sink) -> Ending:
    sink.emit(PhaseEvent(phase="training", done=0, total=1000))
    behaviour = config.training_comment
    number = 0
    while behaviour == "deaf" or (behaviour == "until stopped" and not sink.stop_requested()):
        number = number % 999 + 1
        sink.emit(step(number))
        time.sleep(0.001)  # a step takes its time
    return Ending("stopped" if sink.stop_requested() else "completed", [Path("model", "lora.safetensors")])


def replace_training(run: Callable[[TrainConfig, Sink], Ending]) -> object:
    """What stands in for the module `lora_bridge.train`."""

    def run_in(config: TrainConfig, sink: Sink, _folder: Path) -> Ending:
        return run(config, sink)

    return SimpleNamespace(run=run_in)


def start_bridge(
    arguments: list[str], data_dir: Path, *, is_scripted: bool = True
) -> subprocess.Popen[bytes]:
    """`python -m lora_bridge`, by default with the scripted training, its three streams on pipes."""
    environment = {
        **os.environ,
        "ATELIER_DATA_DIR": str(data_dir),
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    program = [__file__] if is_scripted else ["-m", "lora_bridge"]
    command = [sys.executable, *program, *arguments]
    pipe = subprocess.PIPE
    return subprocess.Popen(command, env=environment, stdin=pipe, stdout=pipe, stderr=pipe)


if __name__ == "__main__":
    from lora_bridge import __main__, jobs

    sys.modules["lora_bridge.train"] = cast("Any", replace_training(train_as_told))
    jobs.devices = lambda: [CPU]
    sys.exit(__main__.main(sys.argv[1:]))
