"""The learning rate of each step."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lora_bridge.problems import ProblemError
from lora_bridge.schedule_choice import choose_schedule, settings, warmup_steps

__all__ = ["make_schedule", "warmup_steps"]

if TYPE_CHECKING:
    from lora_bridge.optimizer_choice import OptimizerChoice
    from lora_bridge.protocol_types import TrainConfig


def make_schedule(optimizer: Any, choice: OptimizerChoice, config: TrainConfig, total_steps: int) -> Any:
    """A scheduler of torch's kind: its `step()` is called after each step of the optimizer.

    None for optimizers that set their rate themselves, or average the weights instead of letting it fall.
    Raises ProblemError `bad_schedule`, with the library's words.
    """
    if choice.sets_rate or choice.averages:
        return None
    schedule = choose_schedule(config)
    arguments = dict(schedule.arguments)
    if not config.lr_scheduler_type.strip():
        arguments = {**settings(config, total_steps), **arguments}
        if "min_lr" in arguments:
            # The library takes one of them, and the user's own word counts.
            del arguments["min_lr_rate"]
    try:
        make: Any = getattr(import_module(schedule.module), schedule.name)
        made = make(optimizer, **arguments)
        made.get_last_lr()
    except Exception as error:
        raise refused_schedule(schedule.name, error) from error
    return made


def refused_schedule(name: str, error: Exception) -> ProblemError:
    """A library's refusal in words that name the fields."""
    return ProblemError(
        "bad_schedule",
        f"The scheduler {name} does not work as it is set: {error}",
        "Check LR Scheduler type and LR scheduler extra arguments.",
    )
