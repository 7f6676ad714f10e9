"""`events.jsonl`: what a job tells whoever watches it, one JSON object a line, append only."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import msgspec

from lora_bridge.protocol_types import Problem, WarningEvent

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent

PROTOCOL_VERSION = 1
MAX_LINE_BYTES = 1024 * 1024


class _Numbered(msgspec.Struct):
    seq: int


class EventLog:
    """Numbers, dates and appends events. Goes on where an earlier attempt of the same job left off.

    Every line is one write, so what a killed process leaves is whole lines and at most one torn tail; the
    next line begins on a new line after it.
    """

    def __init__(self, path: Path) -> None:
        """Open or create the file. Raises OSError."""
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
        self._file = os.open(path, flags, 0o666)
        tail = _tail(self._file)
        self._torn = tail != b"" and not tail.endswith(b"\n")
        self._seq = _last_seq(tail)

    def write(self, event: JobEvent) -> None:
        """Append one event. One that no reader would take (over 1 MiB) is replaced by a warning that says so.

        Not to be called by two threads at once. Raises OSError when the line could not be written whole.
        """
        line = self._line(event)
        if len(line) > MAX_LINE_BYTES:
            kind = type(event).__name__
            message = f"A {kind} of {len(line)} bytes was left out: longer than a line may be."
            line = self._line(WarningEvent(problem=Problem(code="event_too_long", message=message)))
        if self._torn:
            line = b"\n" + line
        rest = memoryview(line)
        while rest:
            rest = rest[os.write(self._file, rest) :]
            self._torn = len(rest) > 0
        self._seq += 1

    def close(self) -> None:
        os.close(self._file)

    def _line(self, event: JobEvent) -> bytes:
        dated = msgspec.structs.replace(event, v=PROTOCOL_VERSION, seq=self._seq + 1, time=time.time())
        return msgspec.json.encode(dated) + b"\n"


def _tail(file: int) -> bytes:
    """The end of the file: at least its last two lines, where they are not longer than they may be."""
    size = os.fstat(file).st_size
    os.lseek(file, max(0, size - 2 * MAX_LINE_BYTES), os.SEEK_SET)
    tail = b""
    while len(tail) < size and (chunk := os.read(file, size - len(tail))):
        tail += chunk
    return tail


def _last_seq(tail: bytes) -> int:
    for line in reversed(tail.split(b"\n")):
        try:
            return msgspec.json.decode(line, type=_Numbered).seq
        except msgspec.DecodeError:
            continue  # torn, or not ours
    return 0
