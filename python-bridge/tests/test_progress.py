"""What is told of steps: averages, rates, norms and speed, from any step on."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from sample_support import make_sample
from training_support import ListSink, make_config

from lora_bridge import progress
from lora_bridge.appearances import Appearance, Step
from lora_bridge.networks import KeyNormTensors
from lora_bridge.optim import NamedRate, Update
from lora_bridge.progress import StepReporter
from lora_bridge.protocol_types import KeyNorms, LearningRate, StepEvent
from lora_bridge.run_length import Schedule
from lora_bridge.views import centred_view

if TYPE_CHECKING:
    from collections.abc import Sequence

SCHEDULE = Schedule(batches_per_epoch=3, steps_per_epoch=3, epochs=4, total_steps=12)


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(progress.time, "monotonic", clock)
    return clock


def step_of(number: int, pictures: Sequence[int] = (2,)) -> Step:
    sample = make_sample((512, 512))
    shown = Appearance(sample, centred_view(sample), "ohwx")
    return Step(number, (number + 2) // 3, [[shown] * count for count in pictures], number % 3 == 0)


def update_of(norm: float = 1.0, *rates: tuple[str, float]) -> Update:
    return Update(torch.tensor(norm), tuple(NamedRate(*rate) for rate in rates or [("unet", 1e-4)]))


def reporter_of(sink: ListSink) -> StepReporter:
    return StepReporter(sink, torch.device("cpu"), make_config(Path("project")), SCHEDULE)


def events_of(losses: Sequence[float], first: int = 1) -> list[StepEvent]:
    sink = ListSink()
    reporter = reporter_of(sink)
    for number, loss in enumerate(losses, start=first):
        reporter.add(step_of(number), torch.tensor(loss), update_of())
    return sink.of(StepEvent)


def test_the_average_is_over_the_last_epochs_worth_of_steps() -> None:
    averages = [event.average_loss for event in events_of([4.0, 2.0, 0.0, 1.0, 8.0])]
    assert averages == [4.0, 3.0, 2.0, 1.0, 3.0]


def test_a_run_that_goes_on_counts_on_and_averages_from_there() -> None:
    events = events_of([4.0, 2.0], first=8)
    assert [(event.step, event.epoch, event.total, event.epochs) for event in events] == [
        (8, 3, 12, 4),
        (9, 3, 12, 4),
    ]
    assert [event.average_loss for event in events] == [4.0, 3.0]


def test_the_time_that_is_left_and_the_speed(clock: Clock) -> None:
    sink = ListSink()
    clock.now = 100.0
    reporter = reporter_of(sink)
    for number, (seconds, pictures) in enumerate([(2.0, (2, 2)), (2.0, (2, 2)), (4.0, (2,))], start=7):
        clock.now += seconds
        reporter.add(step_of(number, pictures), torch.tensor(1.0), update_of())
        clock.now += 50.0
        reporter.resume_clock()
    last = sink.of(StepEvent)[-1]
    assert (last.seconds_per_step, last.eta_seconds) == (2.0, 6.0)
    assert last.images_per_second == 10 / 8


def test_all_rates_are_told_and_the_first_alone_too() -> None:
    sink = ListSink()
    update = update_of(2.5, ("unet_block4", 3e-4), ("textencoder plus", 5e-5))
    reporter_of(sink).add(step_of(1), torch.tensor(1.0), update)
    (event,) = sink.of(StepEvent)
    assert (event.learning_rate, event.grad_norm, event.key_norms) == (3e-4, 2.5, None)
    assert event.rates == [
        LearningRate(name="unet_block4", value=3e-4),
        LearningRate(name="textencoder plus", value=5e-5),
    ]


def test_key_norms_are_of_all_networks_together() -> None:
    one = KeyNormTensors(torch.tensor(2.0), torch.tensor([1.0, 1.0, 0.25]))
    two = KeyNormTensors(torch.tensor(1), torch.tensor([0.75]))
    sink = ListSink()
    reporter_of(sink).add(step_of(1), torch.tensor(1.0), update_of(), [one, two])
    assert sink.of(StepEvent)[0].key_norms == KeyNorms(scaled=3, average=0.75, largest=1.0)


def test_norms_that_are_no_numbers_are_left_out() -> None:
    broken = KeyNormTensors(torch.tensor(0.0), torch.tensor([math.inf, 1.0]))
    sink = ListSink()
    reporter_of(sink).add(step_of(1), torch.tensor(1.0), update_of(math.nan), [broken])
    (event,) = sink.of(StepEvent)
    assert (event.key_norms, event.grad_norm) == (None, None)
