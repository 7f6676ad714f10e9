"""What was read from a file, kept for as long as the file is not touched."""

from __future__ import annotations

from errno import EINVAL
from stat import S_ISREG
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

T = TypeVar("T")


class FileMemory(Generic[T]):
    """Calls `read` once for each state of a file, told apart by time and size. Failures are not kept.

    Raises OSError for a pipe or a device: opening one would wait for ever.
    """

    def __init__(self, read: Callable[[Path], T]) -> None:
        self._read = read
        self._known: dict[Path, tuple[tuple[int, int], T]] = {}

    def __call__(self, file: Path) -> T:
        stat = file.stat()
        if not S_ISREG(stat.st_mode):
            raise OSError(EINVAL, "This is not a file", str(file))
        stamp = (stat.st_mtime_ns, stat.st_size)
        known = self._known.get(file)
        if known is not None and known[0] == stamp:
            return known[1]
        value = self._read(file)
        self._known[file] = (stamp, value)
        return value
