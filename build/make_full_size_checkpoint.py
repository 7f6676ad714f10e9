"""A full-size SDXL checkpoint with random weights: 6.9 GB, in the original layout, made tensor by tensor.

python build/make_full_size_checkpoint.py FILE
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from ldm_checkpoint import random_tensor, sdxl_layout, write_checkpoint

from lora_bridge.model import SDXL_CONFIGS


def make_full_size_checkpoint(file: Path) -> None:
    """Write the checkpoint; `file` appears only when it is whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(0)
    write_checkpoint(file, sdxl_layout(SDXL_CONFIGS), random_tensor)


if __name__ == "__main__":
    make_full_size_checkpoint(Path(sys.argv[1]))
