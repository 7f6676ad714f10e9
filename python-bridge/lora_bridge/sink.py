"""What a job sees of whoever started it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, Protocol

from msgspec import Struct

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent


class Sink(Protocol):
    """Takes a job's events and passes on what the app asks of it."""

    def emit(self, event: JobEvent) -> None:
        """Report an event; the sink numbers and dates it."""
        ...

    def stop_requested(self) -> bool:
        """Whether to end at the next safe point, keeping what was done: to stop, or to pause."""
        ...

    def pause_requested(self) -> bool:
        """Whether it is to go on later."""
        ...

    def take(self, wish: Literal["save", "sample"], /) -> bool:
        """Whether it is asked for now. It is asked once: this takes the wish away."""
        ...


class PassingSink:
    """Passes everything on to another sink; what is made of it changes some of that."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def emit(self, event: JobEvent) -> None:
        self._sink.emit(event)

    def stop_requested(self) -> bool:
        return self._sink.stop_requested()

    def pause_requested(self) -> bool:
        return self._sink.pause_requested()

    def take(self, wish: Literal["save", "sample"], /) -> bool:
        return self._sink.take(wish)


class Ending(Struct, frozen=True):
    """How a job ended when it did not fail."""

    outcome: Literal["completed", "stopped", "paused"]
    outputs: list[Path]
    """The files that it made, the most important first."""
