"""`state.json`: where a job stands, for a quick list. The events are the truth."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

import msgspec

from lora_bridge.files import write_atomically
from lora_bridge.protocol_types import (
    CaptionEvent,
    FailedEvent,
    FinishedEvent,
    JobEvent,
    JobState,
    PhaseEvent,
    StepEvent,
)

if TYPE_CHECKING:
    from pathlib import Path

_SECONDS_BETWEEN_WRITES = 1.0
_logger = logging.getLogger(__name__)


class StateFile:
    """Follows a job's events and writes where it stands, at most once a second but for its end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._written = 0.0
        self._state = JobState(
            schema_version=1,
            status="running",
            phase="starting",
            done=0,
            total=0,
            updated_at=0,
            outputs=[],
            problem=None,
        )

    def update(self, event: JobEvent) -> None:
        state = self._state
        match event:
            case PhaseEvent():
                state.phase, state.done, state.total = event.phase, event.done, event.total
            case StepEvent():
                state.done, state.total = event.step, event.total
            case CaptionEvent():
                state.done, state.total = event.done, event.total
            case FinishedEvent():
                state.status, state.outputs = event.outcome, event.outputs
            case FailedEvent():
                state.status, state.problem = "failed", event.problem
            case _:
                pass
        now = time.monotonic()
        if state.status != "running" or now - self._written >= _SECONDS_BETWEEN_WRITES:
            self._written = now
            self._write()

    def _write(self) -> None:
        self._state.updated_at = time.time()
        try:
            write_atomically(self._path, msgspec.json.encode(self._state))
        except OSError as error:
            # On Windows a reader is enough to keep it from being replaced. The next write tries again.
            _logger.warning("state.json could not be written: %s", error)
