"""The full-size checkpoint with random weights, for as long as it is needed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

ROOT = Path(__file__).resolve().parents[1]
BRIDGE = ROOT / "python-bridge"
sys.path.insert(0, str(BRIDGE))

from lora_bridge import system  # noqa: E402

_BYTES_NEEDED = 9 << 30


def folder() -> Path:
    """Where the checkpoint is made, and what is trained with it."""
    return system.data_dir() / "full-size"


@contextmanager
def made_checkpoint(*, keep: bool) -> Generator[Path]:
    """The file, made where it is not there yet. Raises SystemExit where the disk is too full for it."""
    checkpoint = folder() / "sdxl-random.safetensors"
    folder().mkdir(parents=True, exist_ok=True)
    if not checkpoint.exists():
        free = shutil.disk_usage(folder()).free
        if free < _BYTES_NEEDED:
            raise SystemExit(f"{folder()} needs {_BYTES_NEEDED >> 30} GiB free and has {free >> 30}.")
        print("Making a full-size SDXL checkpoint with random weights (6.9 GB) ...", flush=True)
        run_python("build/make_full_size_checkpoint.py", str(checkpoint))
    try:
        yield checkpoint
    finally:
        if not keep:
            checkpoint.unlink(missing_ok=True)


def run_python(*arguments: str) -> str:
    """Run this Python with the bridge at hand and without a GPU; its output. Raises CalledProcessError."""
    environment = {**os.environ, "PYTHONPATH": str(BRIDGE), "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, *arguments]
    done = subprocess.run(command, check=True, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    return done.stdout
