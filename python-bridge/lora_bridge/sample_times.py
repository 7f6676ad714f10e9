"""When a run draws its samples: Kohya's rules. Asked while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_length import Schedule


class SampleTimes:
    """After which steps of a run the prompts are drawn, if there are any."""

    def __init__(self, config: TrainConfig) -> None:
        self.opens_early = config.sample_at_first
        """Before the first step, too."""
        self._epochs = config.sample_every_n_epochs
        self._steps = config.sample_every_n_steps

    def is_due(self, step: int, epoch: int, *, ends_epoch: bool) -> bool:
        """Whether to draw after this step, counted from 1. As in Kohya, epochs overrule steps."""
        if self._epochs > 0:
            return ends_epoch and epoch % self._epochs == 0
        return self._steps > 0 and step % self._steps == 0

    def rounds(self, schedule: Schedule) -> int:
        """How often a run that goes to its end draws: it always does so after the last step."""
        epochs, steps = schedule.epochs, schedule.total_steps
        if self._epochs > 0:
            on_the_way = max(0, epochs - 1) // self._epochs
        else:
            on_the_way = max(0, steps - 1) // self._steps if self._steps > 0 else 0
        return self.opens_early + on_the_way + 1
