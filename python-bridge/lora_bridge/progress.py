"""Telling how far a training is, without holding it up."""

from __future__ import annotations

import math
import time
from collections import deque
from statistics import median
from typing import TYPE_CHECKING, NamedTuple

import torch

from lora_bridge import system
from lora_bridge.diagnosis import loss_not_finite
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import KeyNorms, LearningRate, Problem, StepEvent, WarningEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lora_bridge.appearances import Step
    from lora_bridge.networks import KeyNormTensors
    from lora_bridge.optim import NamedRate, Update
    from lora_bridge.plan import Schedule
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink

_TIMES_KEPT = 50
_NORMS_KEPT = 100
_BAD_STEPS_ALLOWED = 10


class StopRequested(Exception):  # noqa: N818 - it is no error
    """The app asked the job to end, and nothing has been learnt yet."""


def check_stop(sink: Sink) -> None:
    """Raise StopRequested when the app asked to stop."""
    if sink.stop_requested():
        raise StopRequested


class _Pending(NamedTuple):
    """A step whose numbers are still on their way from the device."""

    step: Step
    rates: tuple[NamedRate, ...]
    numbers: Tensor
    """Loss, gradient norm and, where there are any, key norms: [2] or [5], on the CPU once `ready`."""
    ready: torch.cuda.Event | None


class _Took(NamedTuple):
    """What the clock says of a step."""

    seconds: float
    pictures: int


class StepReporter:
    """Reports steps. On a GPU the numbers of a step are read when the next one is already running."""

    def __init__(
        self,
        sink: Sink,
        device: torch.device,
        config: TrainConfig,
        schedule: Schedule,
        losses: Sequence[float] = (),
    ) -> None:
        """`losses` are those of the steps before the first that is added, for the average to go on."""
        self._sink = sink
        self._device = device
        self._config = config
        self._schedule = schedule
        self._pending: deque[_Pending] = deque()
        self._losses: deque[float] = deque(losses, maxlen=max(1, schedule.steps_per_epoch))
        self._took: deque[_Took] = deque(maxlen=_TIMES_KEPT)
        self._last = time.monotonic()
        self._norms: deque[float] = deque(maxlen=_NORMS_KEPT)
        self._bad_steps = 0
        self._warned = False

    def resume_clock(self) -> None:
        """Leave out of the steps' times what went by since the last one."""
        self._last = time.monotonic()

    def add(self, step: Step, loss: Tensor, update: Update, key_norms: Sequence[KeyNormTensors] = ()) -> None:
        """Take a step that the device has been given, and report those that are done for sure.

        `key_norms` are those of the networks whose sizes are limited. Raises ProblemError `loss_not_finite`,
        or `training_diverged` after ten steps in a row without finite gradients.
        """
        numbers = torch.stack([loss.detach().float(), update.gradient_norm.float(), *_joined(key_norms)])
        ready = None
        if self._device.type == "cuda":
            numbers = torch.empty(len(numbers), pin_memory=True).copy_(numbers, non_blocking=True)
            ready = torch.cuda.Event()
            ready.record()
        self._pending.append(_Pending(step, update.rates, numbers, ready))
        self.flush(keep=0 if ready is None else 1)

    def flush(self, keep: int = 0) -> None:
        """Report all steps but the last `keep`."""
        while len(self._pending) > keep:
            self._report(self._pending.popleft())

    def _report(self, pending: _Pending) -> None:
        if pending.ready is not None:
            pending.ready.synchronize()
        step = pending.step
        loss, norm, *key_norms = (float(number) for number in pending.numbers)
        self._clock(step)
        if math.isfinite(loss):
            self._losses.append(loss)
        seconds = median(each.seconds for each in self._took)
        together = sum(each.seconds for each in self._took)
        self._sink.emit(
            StepEvent(
                step=step.number,
                total=self._schedule.total_steps,
                epoch=step.epoch,
                epochs=self._schedule.epochs,
                loss=loss if math.isfinite(loss) else None,
                average_loss=sum(self._losses) / len(self._losses) if math.isfinite(loss) else None,
                learning_rate=pending.rates[0].value,
                rates=[LearningRate(name=name, value=value) for name, value in pending.rates],
                key_norms=_key_norms(key_norms),
                images_per_second=sum(each.pictures for each in self._took) / together if together else 0,
                grad_norm=norm if math.isfinite(norm) else None,
                seconds_per_step=seconds,
                eta_seconds=seconds * (self._schedule.total_steps - step.number),
                memory_bytes=self._peak_memory(),
            )
        )
        self._judge(step, loss, norm)

    def _clock(self, step: Step) -> None:
        now = time.monotonic()
        self._took.append(_Took(now - self._last, sum(len(batch) for batch in step.batches)))
        self._last = now

    def _peak_memory(self) -> int:
        if self._device.type == "cuda":
            return torch.cuda.max_memory_allocated(self._device)
        return system.peak_memory_bytes()

    def _judge(self, step: Step, loss: float, norm: float) -> None:
        if not math.isfinite(loss):
            pictures = [each.sample.picture.path for batch in step.batches for each in batch]
            raise loss_not_finite(self._config, step.number, pictures, list(self._norms))
        if math.isfinite(norm):
            self._norms.append(norm)
            self._bad_steps = 0
            return
        self._bad_steps += 1
        if self._bad_steps == _BAD_STEPS_ALLOWED:
            raise ProblemError(
                "training_diverged",
                f"{_BAD_STEPS_ALLOWED} steps in a row, up to step {step.number}, had no finite gradient.",
                "Lower the learning rate, use bf16 instead of fp16, or try another base model.",
            )
        if not self._warned:
            self._warned = True
            message = f"The gradient of step {step.number} is not a finite number, so the step was left out."
            hint = (
                "Now and then this is normal with fp16. If it goes on, lower the learning rate or use bf16."
            )
            problem = Problem(code="non_finite_gradient", message=message, hint=hint)
            self._sink.emit(WarningEvent(problem=problem))


def _joined(key_norms: Sequence[KeyNormTensors]) -> list[Tensor]:
    """How many were scaled, their mean and their largest, over all networks. Nothing waits for the device."""
    if not key_norms:
        return []
    norms = torch.cat([each.norms for each in key_norms]).float()
    return [torch.stack([each.scaled for each in key_norms]).sum().float(), norms.mean(), norms.max()]


def _key_norms(numbers: list[float]) -> KeyNorms | None:
    # Weights that are no numbers are told of by the loss.
    if not numbers or not all(map(math.isfinite, numbers)):
        return None
    scaled, average, largest = numbers
    return KeyNorms(scaled=int(scaled), average=average, largest=largest)
