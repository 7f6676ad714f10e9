"""A job's events as lines for a terminal."""

from __future__ import annotations

import contextlib
import os
import sys
import time

from lora_bridge.protocol_types import (
    CaptionEvent,
    CheckpointEvent,
    FailedEvent,
    FinishedEvent,
    HelloEvent,
    JobEvent,
    LogEvent,
    PhaseEvent,
    PlanEvent,
    Problem,
    SampleEvent,
    StepEvent,
    ValidationEvent,
    WarningEvent,
)

_SECONDS_BETWEEN_PROGRESS = 1.0


class Console:
    """Prints events, progress at most once a second. A dead terminal is no reason to fail."""

    def __init__(self) -> None:
        self._last_progress = 0.0

    def show(self, event: JobEvent) -> None:
        if _is_progress(event):
            now = time.monotonic()
            if now - self._last_progress < _SECONDS_BETWEEN_PROGRESS:
                return
            self._last_progress = now
        if (text := text_of(event)) is not None:
            write_line(text)


def _is_progress(event: JobEvent) -> bool:
    """Whether another event soon says the same with a higher number."""
    match event:
        case StepEvent():
            return event.step < event.total
        case PhaseEvent():
            return 0 < event.done < event.total
        case _:
            return False


def write_line(text: str) -> None:
    try:
        sys.stdout.write(f"{text}\n")
        sys.stdout.flush()
    except OSError:
        # The terminal is gone or its disk is full. Python would fail again when it flushes at the end.
        with contextlib.suppress(OSError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)


def text_of(event: JobEvent) -> str | None:
    """One event in words; None for what a terminal need not show."""
    match event:
        case HelloEvent():
            return f"Python {event.versions.python}, torch {event.versions.torch} on {event.device.name}"
        case PhaseEvent():
            return _phase(event)
        case PlanEvent(plan=plan):
            return f"{plan.images} images, {plan.total_steps} steps in {plan.epochs} epochs"
        case StepEvent() | ValidationEvent():
            return _numbers(event)
        case CheckpointEvent():
            return f"saved {event.path}"
        case SampleEvent():
            return f"drew {event.path}"
        case CaptionEvent():
            said = event.text if event.outcome == "written" else f"{event.outcome}: {event.reason}"
            return f"{event.done}/{event.total} {event.image}: {said}"
        case LogEvent():
            return event.text
        case WarningEvent():
            return f"Warning: {_words(event.problem)}"
        case FailedEvent():
            return f"{event.traceback}\nFailed: {_words(event.problem)}"
        case FinishedEvent():
            return "\n".join([f"Finished ({event.outcome}).", *event.outputs])
        case _:
            return None


def duration(seconds: float) -> str:
    """Seconds as `1:02:03`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}"


def _numbers(event: StepEvent | ValidationEvent) -> str:
    loss = "not a number" if event.loss is None else f"{event.loss:.4f}"
    if isinstance(event, ValidationEvent):
        return f"validation loss {loss} at step {event.step}"
    return (
        f"step {event.step}/{event.total} epoch {event.epoch}/{event.epochs} loss {loss} "
        f"lr {event.learning_rate:.3g} {event.seconds_per_step:.2f} s/step, "
        f"{duration(event.eta_seconds)} left"
    )


def _phase(event: PhaseEvent) -> str:
    name = event.phase.replace("_", " ")
    return f"{name} {event.done}/{event.total}" if event.total else name


def _words(problem: Problem) -> str:
    return f"{problem.message} {problem.hint}" if isinstance(problem.hint, str) else problem.message
