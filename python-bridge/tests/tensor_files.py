"""Whole .safetensors files, read and written. The library's own functions are only partly typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import safetensors.torch

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

_library = cast("Any", safetensors.torch)


def load_tensors(file: Path) -> dict[str, Tensor]:
    return _library.load_file(file)


def save_tensors(file: Path, tensors: Mapping[str, Tensor], **metadata: str) -> Path:
    _library.save_file(tensors, file, metadata or None)
    return file
