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
from lora_bridge.protocol_types import LearningRate, Problem, StepEvent, WarningEvent

if TYPE_CHECKING:
    from torch import Tensor

    from lora_bridge.appearances import Step
    from lora_bridge.optim import NamedRate, Update
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
    """Loss and gradient norm, [2] on the CPU once `ready`."""
    ready: torch.cuda.Event | None


class StepReporter:
    """Reports steps. On a GPU the numbers of a step are read when the next one is already running."""

    def __init__(
        self, sink: Sink, device: torch.device, config: TrainConfig, total: int, epochs: int
    ) -> None:
        self._sink = sink
        self._device = device
        self._config = config
        self._total = total
        self._epochs = epochs
        self._pending: deque[_Pending] = deque()
        self._times: deque[float] = deque(maxlen=_TIMES_KEPT)
        self._last = time.monotonic()
        self._norms: deque[float] = deque(maxlen=_NORMS_KEPT)
        self._bad_steps = 0
        self._warned = False

    def resume_clock(self) -> None:
        """Leave out of the steps' times what went by since the last one."""
        self._last = time.monotonic()

    def add(self, step: Step, loss: Tensor, update: Update) -> None:
        """Take a step that the device has been given, and report those that are done for sure.

        Raises ProblemError `loss_not_finite`, or `training_diverged` after ten steps in a row without finite
        gradients.
        """
        numbers = torch.stack([loss.detach().float(), update.gradient_norm.float()])
        ready = None
        if self._device.type == "cuda":
            numbers = torch.empty(2, pin_memory=True).copy_(numbers, non_blocking=True)
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
        loss, norm = (float(number) for number in pending.numbers)
        now = time.monotonic()
        self._times.append(now - self._last)
        self._last = now
        seconds = median(self._times)
        self._sink.emit(
            StepEvent(
                step=pending.step.number,
                total=self._total,
                epoch=pending.step.epoch,
                epochs=self._epochs,
                loss=loss if math.isfinite(loss) else None,
                average_loss=loss if math.isfinite(loss) else None,
                learning_rate=pending.rates[0].value,
                rates=[LearningRate(name=name, value=value) for name, value in pending.rates],
                key_norms=None,
                images_per_second=sum(len(batch) for batch in pending.step.batches) / seconds
                if seconds
                else 0,
                grad_norm=norm if math.isfinite(norm) else None,
                seconds_per_step=seconds,
                eta_seconds=seconds * (self._total - pending.step.number),
                memory_bytes=self._peak_memory(),
            )
        )
        self._judge(pending.step, loss, norm)

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
