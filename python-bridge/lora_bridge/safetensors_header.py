"""The header of a .safetensors file: names, types and places of its tensors, read without loading any."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

LENGTH_BYTES = 8
_LONGEST_HEADER = 100_000_000
"""Bytes; the limit of the safetensors library."""


class TensorInfo(Struct, frozen=True):
    """A tensor as the header describes it; the offsets are bytes after the header."""

    dtype: str
    shape: tuple[int, ...]
    data_offsets: tuple[int, int]


class Header(Struct, frozen=True):
    """What a file says that it holds."""

    tensors: dict[str, TensorInfo]
    metadata: dict[str, str]


class DamagedFileError(Exception):
    """The file is not a whole .safetensors file; the message names it and says how."""


def read_header(file: Path) -> Header:
    """Read and check the header. Raises DamagedFileError, or OSError when the file cannot be read."""
    with file.open("rb") as stream:
        size = os.fstat(stream.fileno()).st_size
        length = int.from_bytes(stream.read(LENGTH_BYTES), "little")
        if size < LENGTH_BYTES or not 2 <= length <= _LONGEST_HEADER:
            raise DamagedFileError(f"{file} is not a .safetensors file, though its name says so.")
        if LENGTH_BYTES + length > size:
            raise DamagedFileError(f"{file} is cut short: it ends within its header.")
        text = stream.read(length)
    try:
        entries = msgspec.json.decode(text, type=dict[str, msgspec.Raw])
        metadata = msgspec.json.decode(entries.pop("__metadata__", b"{}"), type=dict[str, str])
        tensors = {name: msgspec.json.decode(raw, type=TensorInfo) for name, raw in entries.items()}
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedFileError(f"{file} is not a .safetensors file: its header cannot be read.") from error
    data = max((info.data_offsets[1] for info in tensors.values()), default=0)
    if LENGTH_BYTES + length + data > size:
        missing = LENGTH_BYTES + length + data - size
        raise DamagedFileError(f"{file} is cut short: its last {missing:,} bytes are missing.")
    return Header(tensors, metadata)
