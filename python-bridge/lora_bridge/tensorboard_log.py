"""What a training tells, for TensorBoard too, under the names that Kohya's scripts give it."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from lora_bridge.failures import problem_of
from lora_bridge.optimizer_choice import choose_optimizer
from lora_bridge.protocol_types import (
    PlanEvent,
    Problem,
    ResumedEvent,
    StepEvent,
    ValidationEvent,
    WarningEvent,
)
from lora_bridge.sink import PassingSink

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent, TrainConfig
    from lora_bridge.sink import Sink

_SECONDS_BETWEEN_WRITES = 5


class TensorBoardSink(PassingSink):
    """Passes everything on, and writes the numbers of steps and validations into a folder."""

    def __init__(self, sink: Sink, config: TrainConfig, folder: Path) -> None:
        """The files go to `tensorboard` in the job's `folder`, from the first step on."""
        super().__init__(sink)
        self._folder = folder / "tensorboard"
        # These say how large their steps are as the product of both.
        self._finds_rate = choose_optimizer(config).one_rate
        by_step = config.validate_every_n_steps > 0
        self._validation = f"loss/validation/{'step' if by_step else 'epoch'}_average"
        self._steps_per_epoch = 0
        self._purge: int | None = None
        self._writer: Any = None
        self._works = True

    def emit(self, event: JobEvent) -> None:
        """A file that cannot be written is warned of once; the training goes on."""
        super().emit(event)
        if not self._works:
            return
        try:
            self._log(event)
        except OSError as error:
            self._works = False
            problem = problem_of(error)
            message = f"The files for TensorBoard are not written any more: {problem.message}"
            warning = Problem(code="tensorboard_failed", message=message, hint=problem.hint)
            super().emit(WarningEvent(problem=warning))

    def close(self) -> None:
        """Write what is left."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    def _log(self, event: JobEvent) -> None:
        match event:
            case PlanEvent():
                self._steps_per_epoch = event.plan.steps_per_epoch
            case ResumedEvent():
                self.close()
                self._purge = event.step + 1
            case StepEvent():
                self._write(event.step, self._scalars(event))
                if event.average_loss is not None and self._ends_epoch(event):
                    # As Kohya does, over the epochs.
                    self._write(event.epoch, [("loss/epoch_average", event.average_loss)])
            case ValidationEvent():
                if event.loss is not None:
                    self._write(event.step, [(self._validation, event.loss)])
            case _:
                pass

    def _ends_epoch(self, event: StepEvent) -> bool:
        return self._steps_per_epoch > 0 and event.step % self._steps_per_epoch == 0

    def _scalars(self, event: StepEvent) -> Iterator[tuple[str, float]]:
        if event.loss is not None:
            yield "loss/current", event.loss
        if event.average_loss is not None:
            yield "loss/average", event.average_loss
        for rate in event.rates:
            yield f"lr/{'d*lr/' if self._finds_rate else ''}{rate.name}", rate.value
        if event.key_norms is not None:
            yield "max_norm/keys_scaled", event.key_norms.scaled
            yield "norm/avg_key_norm", event.key_norms.average
            yield "max_norm/max_key_norm", event.key_norms.largest
        if event.grad_norm is not None:
            yield "norm/grad_norm", event.grad_norm
        yield "performance/images_per_second", event.images_per_second
        yield "performance/memory_bytes", event.memory_bytes

    def _write(self, step: int, scalars: Iterator[tuple[str, float]] | list[tuple[str, float]]) -> None:
        if self._writer is None:
            self._writer = self._open()
        for name, value in scalars:
            self._writer.add_scalar(name, value, step)

    def _open(self) -> Any:
        # Imported when there is something to write: it takes a while.
        writer = import_module("torch.utils.tensorboard.writer").SummaryWriter
        return writer(str(self._folder), purge_step=self._purge, flush_secs=_SECONDS_BETWEEN_WRITES)
