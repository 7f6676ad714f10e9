"""How long a run is: batches, steps and epochs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Callable

    from lora_bridge.protocol_types import TrainConfig


class Schedule(Struct, frozen=True):
    """How many batches, steps and epochs a run has."""

    batches_per_epoch: int
    """Of the first epoch. Others differ where regularization pictures of several shapes take turns."""
    steps_per_epoch: int
    """Of the first epoch, too."""
    epochs: int
    """The last one may be cut short by `max_train_steps`."""
    total_steps: int


def schedule_of(config: TrainConfig, batches_of: Callable[[int], int]) -> Schedule:
    """The schedule when epoch n, counted from 1, has `batches_of(n)` batches; nothing without a first.

    A step is `gradient_accumulation_steps` batches, or what is left of an epoch. `max_train_steps` above 0
    decides the end, else `epoch` does.
    """

    def steps_of(epoch: int) -> int:
        return -(-batches_of(epoch) // config.gradient_accumulation_steps)

    first = batches_of(1), steps_of(1)
    if first == (0, 0):
        return Schedule(0, 0, 0, 0)
    if config.max_train_steps <= 0:
        return Schedule(*first, config.epoch, sum(steps_of(epoch) for epoch in range(1, config.epoch + 1)))
    epochs, steps = 0, 0
    while steps < config.max_train_steps:
        epochs += 1
        steps += steps_of(epochs)
    return Schedule(*first, epochs, config.max_train_steps)
