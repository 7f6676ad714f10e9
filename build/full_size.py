"""Trains the full-size SDXL for two steps on this machine's CPU, as a job, and checks the LoRA.

python build/full_size.py [--keep]

Needs about 20 GB of memory and 7 GB of disk. `--keep` leaves the checkpoint for the next time.
"""

from __future__ import annotations

import json
import shutil
import sys
from typing import TYPE_CHECKING, Any

from default_config import default_config
from full_size_checkpoint import folder, made_checkpoint, run_python
from PIL import Image, ImageDraw

from lora_bridge.inspection import inspect_lora

if TYPE_CHECKING:
    from pathlib import Path

MODULES = 722
TENSORS = 3 * MODULES
STEPS = 2
SIDE = 256
MEMORY_LIMIT = 24 << 30


def main(arguments: list[str]) -> int:
    with made_checkpoint(keep="--keep" in arguments) as checkpoint:
        project = folder() / "project"
        try:
            job = _write_project(project, checkpoint)
            run_python("-m", "lora_bridge", "job", str(job))
            _report(job / "events.jsonl", project / "model" / "full-size.safetensors")
        finally:
            shutil.rmtree(project, ignore_errors=True)
    return 0


def _write_project(project: Path, checkpoint: Path) -> Path:
    shutil.rmtree(project, ignore_errors=True)
    photos = project / "img" / f"{STEPS}_ohwx person"
    job = project / "log" / "full-size"
    photos.mkdir(parents=True)
    job.mkdir(parents=True)
    photo = Image.new("RGB", (SIDE, SIDE), "navy")
    ImageDraw.Draw(photo).ellipse((64, 32, 192, 224), fill="orange")
    photo.save(photos / "photo.png")
    config = {
        **default_config(),
        "pretrained_model_name_or_path": str(checkpoint),
        "output_name": "full-size",
        "train_data_dir": str(project / "img"),
        "output_dir": str(project / "model"),
        "logging_dir": str(project / "log"),
        "epoch": 1,
        "mixed_precision": "no",
        "seed": 1,
        "lr_scheduler": "constant",
        "max_resolution": f"{SIDE},{SIDE}",
        "network_dim": 16,
        "network_alpha": 8.0,
    }
    description = {
        "schemaVersion": 1,
        "kind": "train",
        "id": "full-size",
        "name": "full-size",
        "createdAt": "1970-01-01T00:00:00Z",
        "appVersion": "0.0.0",
        "config": config,
    }
    (job / "job.json").write_text(json.dumps(description), encoding="utf-8")
    return job


def _report(log: Path, lora: Path) -> None:
    """Print the figures; raises SystemExit when the LoRA or a figure is not as it must be."""
    events: list[dict[str, Any]] = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    steps = [event for event in events if event["type"] == "step"]
    seconds = steps[-1]["time"] - steps[-2]["time"]
    peak = max(step["memoryBytes"] for step in steps)
    found = inspect_lora(str(lora))
    print(f"time to first step  {steps[0]['time'] - events[0]['time']:.1f} s")
    print(f"seconds a step      {seconds:.1f} s (the second; {SIDE}x{SIDE}, batch 1, fp32, CPU)")
    print(f"peak memory         {peak / (1 << 30):.1f} GiB")
    print(f"LoRA                {len(found.modules)} modules, {found.tensors} tensors, {found.bytes:,} bytes")
    checks = {
        f"{STEPS} steps with a finite loss": len(steps) == STEPS
        and all(step["loss"] is not None for step in steps),
        f"{MODULES} modules": len(found.modules) == found.parts.unet == MODULES,
        f"{TENSORS} tensors": found.tensors == TENSORS,
        "all finite": not found.non_finite_tensors,
        "every module has learnt": not found.empty_modules,
        "peak memory under 24 GiB": peak < MEMORY_LIMIT,
    }
    for name, passed in checks.items():
        print(f"{'ok  ' if passed else 'FAIL'} {name}")
    if not all(checks.values()):
        raise SystemExit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
