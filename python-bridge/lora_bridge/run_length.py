"""How long a run is: batches, steps and epochs."""

from __future__ import annotations

from bisect import bisect_left
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


def schedule_of(config: TrainConfig, batches_of: Callable[[int], int], period: int) -> Schedule:
    """The schedule when epoch n, counted from 1, has `batches_of(n)` batches, as epoch n + `period` has.

    A step is `gradient_accumulation_steps` batches, or what is left of an epoch. `max_train_steps` above 0
    decides the end, else `epoch` does. All is 0 when the first epoch has no batches.
    """
    batches = batches_of(1)
    if batches == 0:
        return Schedule(0, 0, 0, 0)
    limit = config.max_train_steps
    # No epoch is without a step, so that no more epochs than this are of interest.
    count = min(period, limit if limit > 0 else config.epoch)
    reached = [0]
    while len(reached) <= count and (limit <= 0 or reached[-1] < limit):
        steps = -(-batches_of(len(reached)) // config.gradient_accumulation_steps)
        reached.append(reached[-1] + steps)
    cycle = len(reached) - 1
    if limit > 0:
        whole, rest = divmod(limit, reached[-1])
        return Schedule(batches, reached[1], whole * cycle + bisect_left(reached, rest), limit)
    whole, rest = divmod(config.epoch, cycle)
    return Schedule(batches, reached[1], config.epoch, whole * reached[-1] + reached[rest])
