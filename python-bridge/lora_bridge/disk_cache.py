"""What was computed from files, kept for the next run: found by what went into it, so never stale."""

from __future__ import annotations

import contextlib
import hashlib
import os
import time
import zlib
from typing import TYPE_CHECKING, NamedTuple

import msgspec
from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import uint8

from lora_bridge import system
from lora_bridge.file_memory import FileMemory
from lora_bridge.files import write_atomically
from lora_bridge.protocol_types import Problem, WarningEvent
from lora_bridge.safetensors_header import LENGTH_BYTES

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Self

    from torch import Tensor

    from lora_bridge.sink import Sink

SIZE_LIMIT = 20 * 2**30
"""Bytes, of all kinds together."""
_ABANDONED_SECONDS = 24 * 60 * 60
"""A temporary file of this age belongs to no process that is still writing it."""
_CHUNK_BYTES = 2**20


def cache_key(*parts: str) -> str:
    """A name for what was made of all these; no two lists of parts share one."""
    return hashlib.sha256(msgspec.json.encode(parts)).hexdigest()


def _sha256(file: Path) -> str:
    digest = hashlib.sha256()
    with file.open("rb") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            digest.update(chunk)
    return digest.hexdigest()


content_hash = FileMemory(_sha256)
"""SHA-256 of what is in a file. Raises OSError."""


class DiskCache:
    """Tensors on disk by key, one file each, for use in a `with`: at its end what is too much goes.

    Several processes may use it at once. It never fails: what cannot be read is not there, and what cannot
    be written is told once.
    """

    def __init__(self, kind: str, sink: Sink, limit: int = SIZE_LIMIT) -> None:
        self._root = system.data_dir() / "cache"
        self._folder = self._root / kind
        self._sink = sink
        self._limit = limit
        self._wrote = False
        self._writable = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        if self._wrote:
            prune(self._root, self._limit)

    def read(self, key: str) -> dict[str, Tensor] | None:
        """What was written for the key, on the CPU. A damaged file is removed."""
        file = self._file(key)
        try:
            content = file.read_bytes()
        except OSError:
            return None  # not there, or as good as that
        tensors = _decode(content)
        # Another process may have removed it, and a folder that cannot be written is told when writing.
        with contextlib.suppress(OSError):
            if tensors is None:
                file.unlink()
            else:
                os.utime(file)  # Not touch, which would make anew, and empty, what another process removed.
        return tensors

    def write(self, key: str, tensors: dict[str, Tensor]) -> None:
        """Keep CPU tensors for the key."""
        if not self._writable:
            return
        file = self._file(key)
        try:
            file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(file, _encode(tensors))
            self._wrote = True
        except OSError as error:
            if file.is_file():
                return  # On Windows, where another process reads or writes the same.
            self._writable = False
            self._sink.emit(WarningEvent(problem=_cannot_keep(self._folder, error)))

    def _file(self, key: str) -> Path:
        return self._folder / key[:2] / f"{key}.safetensors"


class _Kept(NamedTuple):
    used: float
    size: int
    file: Path


def prune(root: Path, limit: int) -> None:
    """Remove the files that were used longest ago until `limit` bytes are left, and what was abandoned."""
    kept: list[_Kept] = []
    for file in root.rglob("*"):
        with contextlib.suppress(OSError):  # removed by another process meanwhile
            if not file.is_file():
                continue
            stat = file.stat()
            if file.suffix == ".safetensors":
                kept.append(_Kept(stat.st_mtime, stat.st_size, file))
            elif stat.st_mtime < time.time() - _ABANDONED_SECONDS:
                file.unlink()
    size = sum(each.size for each in kept)
    for each in sorted(kept):
        if size <= limit:
            return
        with contextlib.suppress(OSError):  # removed already, or being read on Windows
            each.file.unlink()
            size -= each.size


class _Summed(msgspec.Struct):
    """The part of a .safetensors header that is asked for."""

    metadata: dict[str, str] = msgspec.field(name="__metadata__")


def _encode(tensors: dict[str, Tensor]) -> bytes:
    whole = {name: tensor.contiguous() for name, tensor in tensors.items()}
    return save(whole, metadata={"crc32": _checksum(whole)})


def _decode(content: bytes) -> dict[str, Tensor] | None:
    """The tensors of a file; None when it is not as it was written."""
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    try:
        header = msgspec.json.decode(content[LENGTH_BYTES : LENGTH_BYTES + length], type=_Summed)
        tensors = load(content)
    except (msgspec.DecodeError, SafetensorError, UnicodeDecodeError):
        return None
    return tensors if header.metadata.get("crc32") == _checksum(tensors) else None


def _checksum(tensors: dict[str, Tensor]) -> str:
    crc = 0
    for name in sorted(tensors):
        content = tensors[name].reshape(-1).view(uint8).numpy().data
        crc = zlib.crc32(content, zlib.crc32(name.encode(), crc))
    return str(crc)


def _cannot_keep(folder: Path, error: OSError) -> Problem:
    return Problem(
        code="cache_not_written",
        message=f"Nothing can be kept in {folder} for the next run: {error.strerror or error}.",
        hint="The training goes on without. Make room there, or allow writing.",
    )
