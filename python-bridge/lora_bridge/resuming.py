"""Finding what a training goes on from, and what was told of it so far."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from lora_bridge.identity import changes
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import JobEvent, ResumedEvent, StepEvent, ValidationEvent
from lora_bridge.run_state import FOLDER, find_state, newest_state

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lora_bridge.identity import Identity
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_state import SavedState

_EVENTS = "events.jsonl"
_FIXED = {
    "lora_type": "LoRA type",
    "optimizer": "Optimizer",
    "lr_scheduler": "LR Scheduler",
    "lr_scheduler_type": "LR Scheduler type",
}
"""What an optimizer's memory cannot be carried over."""


def state_to_go_on_from(config: TrainConfig, job_folder: Path) -> SavedState | None:
    """The newest state of the job itself, else that of Resume; None to begin anew.

    Raises ProblemError `state_missing`, `state_damaged` or `state_unfit`.
    """
    own = newest_state(job_folder / FOLDER)
    if own is not None:
        return own
    if not config.resume.strip():
        return None
    saved = find_state(config.resume.strip())
    for key, label in _FIXED.items():
        before, now = saved.about.config.get(key), getattr(config, key)
        if before is not None and before != now:
            raise ProblemError(
                "state_unfit",
                f"{label} was {before or 'empty'} in the run to go on from, and is {now or 'empty'}.",
                f"Set {label} as it was, or empty Resume from saved training state to begin anew.",
            )
    return saved


def require_steps_left(saved: SavedState, job_folder: Path, total_steps: int) -> None:
    """Raise ProblemError `nothing_left` where a new run would have no step to take."""
    is_own = saved.folder.parent == job_folder.absolute() / FOLDER
    if is_own or saved.about.step < total_steps:
        return
    raise ProblemError(
        "nothing_left",
        f"The run to go on from has taken {saved.about.step} steps, and this one is to have {total_steps}.",
        "Give more epochs or more Max train steps than it had.",
    )


def resumed_event(saved: SavedState, identity: Identity, config: TrainConfig) -> ResumedEvent:
    """Where the run goes on, and what is no longer as it was."""
    about = saved.about
    return ResumedEvent(
        path=str(saved.folder),
        step=about.step,
        epoch=about.epoch,
        changes=changes(about.identity, identity, about.config, msgspec.to_builtins(config)),
    )


def earlier_events(saved: SavedState, job_folder: Path) -> Iterator[StepEvent | ValidationEvent]:
    """What another job told of the steps up to its state, so that the curves of this one begin with them.

    Nothing of this very job, which has told it already, nor where the state lies alone.
    """
    if saved.folder.parent.parent != job_folder.absolute():
        yield from _curve(saved)


def losses_before(saved: SavedState) -> list[float]:
    """Of the steps up to the state, as far as they are known and were numbers."""
    return [event.loss for event in _curve(saved) if isinstance(event, StepEvent) and event.loss is not None]


def _curve(saved: SavedState) -> list[StepEvent | ValidationEvent]:
    """What was told of the steps up to the state, in their order; of one that was taken again the last."""
    try:
        lines = (saved.folder.parent.parent / _EVENTS).read_bytes().splitlines()
    except OSError:
        return []  # a state may be moved without the run that it is of
    by_step: dict[tuple[str, int], StepEvent | ValidationEvent] = {}
    for line in lines:
        event = _curve_event(line)
        if event is not None and event.step <= saved.about.step:
            by_step[(type(event).__name__, event.step)] = event
    return sorted(by_step.values(), key=lambda event: event.step)


_CURVE_TYPES = (b'"type":"step"', b'"type":"validation"')


def _curve_event(line: bytes) -> StepEvent | ValidationEvent | None:
    if not any(kind in line for kind in _CURVE_TYPES):
        return None
    try:
        event = msgspec.json.decode(line, type=JobEvent)
    except msgspec.DecodeError:
        return None  # half a line, from a process that was killed
    return event if isinstance(event, StepEvent | ValidationEvent) else None
