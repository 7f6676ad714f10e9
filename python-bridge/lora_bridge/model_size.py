"""How large a base model is and what its numbers are, from the header of its file. Without torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import NamedTuple

from lora_bridge.ldm_names import UNET_PREFIX
from lora_bridge.safetensors_header import DamagedFileError, read_header

UNET_NUMBERS = 2_567_463_684
"""In SDXL's UNet."""


class ModelSize(NamedTuple):
    """Of a base model."""

    share: float = 1.0
    """Of the numbers in SDXL's UNet. Below 1 it is a small model of its shape, to try things out with."""
    dtype: str = "F16"
    """The format that most numbers have in the file, as safetensors calls it."""


def read_model_size(model: str) -> ModelSize:
    """Of a file or a diffusers folder; where it cannot be read, that of SDXL as it is usually kept."""
    place = Path(model).expanduser()
    files = sorted((place / "unet").glob("*.safetensors")) if place.is_dir() else [place]
    try:
        found = [item for file in files for item in read_header(file).tensors.items()]
    except (OSError, ValueError, DamagedFileError):
        return ModelSize()
    tensors = [info for name, info in found if place.is_dir() or name.startswith(UNET_PREFIX)]
    if not tensors:
        return ModelSize()
    numbers = sum(math.prod(info.shape) for info in tensors)
    largest = max(tensors, key=lambda info: math.prod(info.shape))
    # A folder may hold the model in two formats.
    return ModelSize(min(1.0, numbers / UNET_NUMBERS), largest.dtype)
