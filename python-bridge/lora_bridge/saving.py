"""When a run saves on its way, and what it deletes again: Kohya's rules.

As in sd-scripts' `train_util` (`get_remove_epoch_no`, `get_remove_step_no`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora_bridge.appearances import Step
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_length import Schedule


class SaveTimes:
    """After which epochs and steps of a run a file is saved. The last step has the final file."""

    def __init__(self, config: TrainConfig, schedule: Schedule) -> None:
        self._config = config
        self._schedule = schedule
        self._every = config.save_every_n_epochs
        if config.save_n_epoch_ratio > 0:
            self._every = schedule.epochs // config.save_n_epoch_ratio or 1

    def is_due_epoch(self, step: Step) -> bool:
        """Whether the file of an epoch is saved after this step."""
        ends = step.ends_epoch and step.number < self._schedule.total_steps
        return ends and self._every > 0 and step.epoch % self._every == 0

    def is_due_step(self, step: int) -> bool:
        """Whether the file of this step is saved."""
        every = self._config.save_every_n_steps
        return every > 0 and step % every == 0 and step < self._schedule.total_steps

    def epoch_to_remove(self, epoch: int) -> int | None:
        """Whose file is one too many, once that of `epoch` is there."""
        return self._before(epoch, self._config.save_last_n_epochs)

    def step_to_remove(self, step: int) -> int | None:
        """Whose file is one too many, once that of `step` is there."""
        return self._steps_before(step, self._config.save_last_n_steps)

    def epoch_state_to_remove(self, epoch: int) -> int | None:
        """Whose state is one too many, once that of `epoch` is there."""
        config = self._config
        return self._before(epoch, config.save_last_n_epochs_state or config.save_last_n_epochs)

    def step_state_to_remove(self, step: int) -> int | None:
        """Whose state is one too many, once that of `step` is there."""
        config = self._config
        return self._steps_before(step, config.save_last_n_steps_state or config.save_last_n_steps)

    def saved_files(self) -> int:
        """How many files of epochs and steps the run saves on its way."""
        return sum(self._due())

    def kept_files(self) -> int:
        """How many of them are there in the end."""
        return self._at_one_time(extra=0)

    def most_files(self) -> int:
        """How many of them there are at most at one time."""
        # The one that is new is there before the old one goes.
        return self._at_one_time(extra=1)

    def _due(self) -> tuple[int, int]:
        """Files of epochs, and of steps."""
        epochs, steps = self._schedule.epochs, self._schedule.total_steps
        every = self._config.save_every_n_steps
        of_epochs = max(0, epochs - 1) // self._every if self._every > 0 else 0
        return of_epochs, max(0, steps - 1) // every if every > 0 else 0

    def _at_one_time(self, extra: int) -> int:
        of_epochs, of_steps = self._due()
        every = self._config.save_every_n_steps
        if self._config.save_last_n_epochs > 0:
            of_epochs = min(of_epochs, self._config.save_last_n_epochs + extra)
        if self._config.save_last_n_steps > 0 and every > 0:
            of_steps = min(of_steps, self._config.save_last_n_steps // every + 1 + extra)
        return of_epochs + of_steps

    def _before(self, epoch: int, kept: int) -> int | None:
        removed = epoch - self._every * kept
        return removed if kept > 0 and removed > 0 else None

    def _steps_before(self, step: int, kept: int) -> int | None:
        every = self._config.save_every_n_steps
        if every == 0 or kept == 0:
            return None
        removed = (step - kept - 1) // every * every
        return removed if removed > 0 else None
