"""Measures what trainings of the full-size SDXL need of this machine's memory, beside what was estimated.

python build/measure_memory.py [--keep] [CASE ...]

Trains two steps for each case, on the CPU and in a process of its own, and prints a table for docs/memory.md.
CASE picks cases by parts of their names. Needs about 18 GB of memory and 7 GB of disk. Only Linux tells the
peak of each phase. `--keep` leaves the checkpoint for the next time.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import threading
from pathlib import Path
from typing import Any, Literal, NamedTuple

from default_config import default_config
from full_size_checkpoint import made_checkpoint, run_python
from PIL import Image, ImageDraw

from lora_bridge import system
from lora_bridge.dataset import read_dataset
from lora_bridge.memory_fit import heaviest_run
from lora_bridge.memory_phases import memory_phases
from lora_bridge.protocol_types import JobEvent, PhaseEvent, StepEvent, TrainConfig

_GIBIBYTE = 1 << 30
_STEPS = 2
_SAMPLED_EVERY = 0.02
"""Seconds."""
_CHILD = "--child"


def _case(
    mixed_precision: Literal["no", "bf16"],
    side: int,
    checkpointing: Literal["none", "full", "selective"],
    rank: int,
    batch: int = 1,
    **changes: Any,
) -> dict[str, Any]:
    return {
        "mixed_precision": mixed_precision,
        "max_resolution": f"{side},{side}",
        "gradient_checkpointing": checkpointing != "none",
        "checkpointing_method": "full" if checkpointing == "none" else checkpointing,
        "network_dim": rank,
        "network_alpha": rank / 2,
        "train_batch_size": batch,
        **changes,
    }


_DRAWING = {"sample_prompts": "a person --w 512 --h 512 --s 1"}
CASES = {
    "fp32 256 none r16": _case("no", 256, "none", 16),
    "fp32 256 full r16 text encoders": _case("no", 256, "full", 16, text_encoder_lr=1e-5),
    "fp32 256 selective r16 b2": _case("no", 256, "selective", 16, 2),
    "fp32 512 selective r16": _case("no", 512, "selective", 16),
    "bf16 256 full r16": _case("bf16", 256, "full", 16),
    "bf16 256 full r16 samples": _case("bf16", 256, "full", 16, **_DRAWING),
    "bf16 256 none r128 b2": _case("bf16", 256, "none", 128, 2),
    "bf16 512 none r16": _case("bf16", 512, "none", 16),
    "bf16 512 full r16": _case("bf16", 512, "full", 16),
    "bf16 512 selective r128 b2": _case("bf16", 512, "selective", 128, 2),
    "bf16 1024 full r16": _case("bf16", 1024, "full", 16),
}


class _Measured(NamedTuple):
    peak: int
    phases: dict[str, int]
    """Of each phase, the most memory that was resident, as far as it was looked at."""


class _Watch:
    """A sink that looks at the process's memory all the time, by phase."""

    def __init__(self) -> None:
        self.phases: dict[str, int] = {}
        self._phase = "starting"
        self._ended = threading.Event()
        threading.Thread(target=self._look, daemon=True).start()

    def emit(self, event: JobEvent) -> None:
        if isinstance(event, PhaseEvent):
            self._phase = event.phase
        if isinstance(event, StepEvent):
            print(f"  step {event.step}: {event.seconds_per_step:.0f} s", file=sys.stderr, flush=True)

    def stop_requested(self) -> bool:
        return False

    def pause_requested(self) -> bool:
        return False

    def take(self, wish: Literal["save", "sample"], /) -> bool:  # noqa: ARG002
        return False

    def _look(self) -> None:
        status = Path("/proc/self/statm")
        while status.exists() and not self._ended.wait(_SAMPLED_EVERY):
            resident = int(status.read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")
            self.phases[self._phase] = max(self.phases.get(self._phase, 0), resident)


def main(arguments: list[str]) -> int:
    if arguments[:1] == [_CHILD]:
        print(json.dumps(_train(json.loads(arguments[1]))))
        return 0
    wanted = [argument for argument in arguments if argument != "--keep"]
    names = [name for name in CASES if not wanted or any(each in name for each in wanted)]
    with made_checkpoint(keep="--keep" in arguments) as checkpoint:
        print("| case | estimated | measured | ratio | training: estimated | measured |")
        print("| --- | --- | --- | --- | --- | --- |")
        for name in names:
            with tempfile.TemporaryDirectory() as project:
                print(_row(name, _values(Path(project), checkpoint, CASES[name])), flush=True)
    return 0


def _row(name: str, values: dict[str, Any]) -> str:
    config = TrainConfig(**values)
    phases = memory_phases(heaviest_run(config, read_dataset(config)), "cpu")
    peak = max(phase.bytes for phase in phases)
    training = next(phase.bytes for phase in phases if phase.phase == "training")
    measured = _Measured(*json.loads(run_python(__file__, _CHILD, json.dumps(values)).splitlines()[-1]))
    seen = measured.phases.get("training", 0)
    sizes = [_gibibytes(size) for size in (peak, measured.peak, training, seen)]
    cells = [name, *sizes[:2], f"{peak / measured.peak:.2f}", *sizes[2:]]
    return f"| {' | '.join(cells)} |"


def _train(values: dict[str, Any]) -> _Measured:
    # Here alone: whoever estimates must not need torch.
    from lora_bridge.train import run

    watch = _Watch()
    config = TrainConfig(**values)
    run(config, watch, Path(config.logging_dir) / "job", "cpu")
    return _Measured(system.peak_memory_bytes(), watch.phases)


def _values(project: Path, checkpoint: Path, case: dict[str, Any]) -> dict[str, Any]:
    """A config for the case, with one picture for it."""
    side = int(case["max_resolution"].split(",")[0])
    photos = project / "img" / f"{_STEPS * case['train_batch_size']}_ohwx person"
    photos.mkdir(parents=True)
    photo = Image.new("RGB", (side, side), "navy")
    ImageDraw.Draw(photo).ellipse((side // 4, side // 8, 3 * side // 4, 7 * side // 8), fill="orange")
    photo.save(photos / "photo.png")
    return {
        **default_config(),
        "pretrained_model_name_or_path": str(checkpoint),
        "output_name": "measured",
        "train_data_dir": str(project / "img"),
        "output_dir": str(project / "model"),
        "logging_dir": str(project / "log"),
        "epoch": 1,
        "seed": 1,
        "sample_at_first": False,
        "save_state_on_train_end": False,
        **case,
    }


def _gibibytes(size: int) -> str:
    return f"{size / _GIBIBYTE:.2f}" if size else "-"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
