"""Telling whether files are the same as before, without reading the large ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.disk_cache import content_hash

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

_LARGE = frozenset({".safetensors"})


def file_stamps(files: Iterable[Path]) -> str:
    """Weights by path, size and time; all others, such as configs and vocabularies, by what is in them.

    Raises OSError for a file that is not there.
    """
    return "\n".join(_stamp(file) for file in sorted(files) if not file.is_dir())


def _stamp(file: Path) -> str:
    if file.suffix not in _LARGE:
        return f"{file.name} {content_hash(file)}"
    whole = file.resolve()
    stat = whole.stat()
    return f"{whole} {stat.st_size} {stat.st_mtime_ns}"
