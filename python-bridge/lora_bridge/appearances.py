"""What each step of a run shows: which pictures, how each is cut and turned, and what is said of it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

from lora_bridge.caption_rules import make_caption
from lora_bridge.dataset import epoch_batches
from lora_bridge.views import draw_view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.plan import Schedule
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.views import View


class Appearance(NamedTuple):
    """A sample as it is shown once."""

    sample: Sample
    view: View
    text: str


class Step(NamedTuple):
    """One update: its number and epoch, counted from 1, and the batches whose gradients it adds up."""

    number: int
    epoch: int
    batches: list[list[Appearance]]
    ends_epoch: bool


def steps(
    config: TrainConfig, dataset: Dataset, schedule: Schedule, seed: int, *, after: int = 0
) -> Iterator[Step]:
    """The steps of a run in order, those up to `after` left out.

    An epoch's last step has what is left of its batches.
    """
    number = 0
    for epoch in range(1, schedule.epochs + 1):
        batches = epoch_batches(dataset, seed, epoch)
        size = config.gradient_accumulation_steps
        for start in range(0, len(batches), size):
            if number == schedule.total_steps:
                return
            number += 1
            if number <= after:
                continue
            shown = [
                _appear(batch, f"{seed}-{epoch}-{index}", epoch, number, schedule.total_steps)
                for index, batch in enumerate(batches[start : start + size], start=start)
            ]
            yield Step(number, epoch, shown, ends_epoch=start + size >= len(batches))


def _appear(batch: list[Sample], place: str, epoch: int, step: int, total_steps: int) -> list[Appearance]:
    appearances: list[Appearance] = []
    for index, sample in enumerate(batch):
        # Chance that depends on nothing but the place in the run, so that any step can be drawn by itself.
        chance = random.Random(f"{place}-{index}")
        view = draw_view(sample, chance)
        text = make_caption(sample.subset.captions, sample.picture.caption, chance, epoch, step, total_steps)
        appearances.append(Appearance(sample, view, text))
    return appearances
