"""The loop over the steps of a run."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import torch

from lora_bridge.appearances import Step, steps
from lora_bridge.loss import weighted_mean
from lora_bridge.objective import step_generator
from lora_bridge.progress import StepReporter
from lora_bridge.protocol_types import PhaseEvent, ValidationEvent
from lora_bridge.sink import Ending

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from torch import Tensor

    from lora_bridge.materials import Batch, Materials
    from lora_bridge.metadata import RunFacts
    from lora_bridge.networks import Network
    from lora_bridge.objective import Drawn, Objective
    from lora_bridge.optim import Optimizer, Update
    from lora_bridge.output import OutputFolder
    from lora_bridge.sample import Studio
    from lora_bridge.sink import Sink
    from lora_bridge.unet import Unet
    from lora_bridge.validation import Validator


class Trainer:
    """Takes the steps; saves, validates and draws on the way."""

    def __init__(
        self,
        unet: Unet,
        networks: Sequence[Network],
        materials: Materials,
        *,
        objective: Objective,
        optimizer: Optimizer,
        studio: Studio,
        validator: Validator | None,
        facts: RunFacts,
    ) -> None:
        self._config = facts.config
        self._unet = unet
        self._networks = networks
        self._materials = materials
        self._objective = objective
        self._optimizer = optimizer
        self._studio = studio
        self._validator = validator
        self._facts = facts
        self._device = networks[0].flat.weights.device

    def train(self, sink: Sink, output: OutputFolder) -> Ending:
        """Take every step; save and draw on the way and at the end. A failure loses nothing learnt."""
        schedule = self._facts.schedule
        output.require_room(self._networks, self._facts)
        last = Step(0, 0, [], ends_epoch=False)
        if self._studio.opens_early():
            self._studio.draw(0, 0, sink)
        reporter = StepReporter(sink, self._device, self._config, schedule)
        sink.emit(PhaseEvent(phase="training", done=0, total=schedule.total_steps))
        stopped = False
        try:
            for step in steps(self._config, self._facts.dataset, schedule, self._facts.seed):
                stopped = sink.stop_requested()
                if stopped:
                    break
                loss, update = self._take(step)
                reporter.add(step, loss, update)
                last = step
                if step.number < schedule.total_steps:
                    self._pause_after(step, reporter, output, sink)
            reporter.flush()
        except Exception:
            if last.number and any(network.has_learnt() for network in self._networks):
                with self._as_saved():
                    output.save_step(self._networks, self._facts, last.number, last.epoch)
            raise
        if last.number == 0:
            return Ending("stopped", [])
        sink.emit(PhaseEvent(phase="saving", done=0, total=1))
        with self._as_saved():
            files = output.save_final(self._networks, self._facts, last.number, last.epoch)
            if not stopped:
                # Once what was learnt is safe.
                self._validate(last, sink)
                self._studio.draw(last.number, last.epoch, sink)
        return Ending("stopped" if stopped else "completed", files)

    def _pause_after(self, step: Step, reporter: StepReporter, output: OutputFolder, sink: Sink) -> None:
        """Save, validate and draw what is due. A step is not said to take the time of it."""
        every = self._config.save_every_n_epochs
        saves = step.ends_epoch and every > 0 and step.epoch % every == 0
        validates = self._validates_after(step)
        draws = self._studio.is_due(step.number, step.epoch, ends_epoch=step.ends_epoch)
        if not (saves or validates or draws):
            return
        reporter.flush()
        with self._as_saved():
            if saves:
                output.save_epoch(self._networks, self._facts, step.number, step.epoch)
            if validates:
                self._validate(step, sink)
            if draws:
                self._studio.draw(step.number, step.epoch, sink)
        if validates or draws:
            total = self._facts.schedule.total_steps
            sink.emit(PhaseEvent(phase="training", done=step.number, total=total))
        reporter.resume_clock()

    def _validates_after(self, step: Step) -> bool:
        if self._validator is None:
            return False
        if self._config.validate_every_n_steps > 0:
            return step.number % self._config.validate_every_n_steps == 0
        return step.ends_epoch and step.epoch % self._config.validate_every_n_epochs == 0

    def _validate(self, step: Step, sink: Sink) -> None:
        if self._validator is not None:
            sink.emit(PhaseEvent(phase="validating", done=0, total=1))
            loss = self._validator.loss()
            shown = loss if math.isfinite(loss) else None
            sink.emit(ValidationEvent(step=step.number, epoch=step.epoch, loss=shown))

    @contextmanager
    def _as_saved(self) -> Generator[None]:
        """The weights as they are saved and drawn with: some optimizers train with others."""
        try:
            with self._optimizer.averaged():
                self._publish()
                yield
        finally:
            self._publish()

    def _publish(self) -> None:
        for network in self._networks:
            network.flat.publish()

    def _take(self, step: Step) -> tuple[Tensor, Update]:
        """One step; the loss is the mean over its samples."""
        count = sum(len(appearances) for appearances in step.batches)
        generator = step_generator(self._facts.seed, step.number, self._device)
        losses: list[Tensor] = []
        for appearances in step.batches:
            batch = self._materials.batch(appearances)
            loss = weighted_mean(self._losses(batch, generator), batch.weights, count)
            torch.autograd.backward(self._optimizer.scaled(loss))
            for network in self._networks:
                network.flat.collect()
            losses.append(loss.detach())
        update = self._optimizer.update()
        self._publish()
        return torch.stack(losses).sum(), update

    def _losses(self, batch: Batch, generator: torch.Generator) -> Tensor:
        """How far the UNet is from the objective in each sample, [B]."""
        drawn = self._objective.draw(batch.latents, generator)
        prediction = self._unet.predict(
            drawn.noisy, drawn.timesteps, batch.hidden, batch.pooled, batch.time_ids
        )
        target = None
        if batch.preserves is not None:
            own = self._objective.target(batch.latents, drawn).float()
            target = torch.where(batch.preserves.view(-1, 1, 1, 1), self._unadapted(batch, drawn), own)
        return self._objective.losses(prediction, batch.latents, drawn, batch.masks, target)

    @torch.no_grad()
    def _unadapted(self, batch: Batch, drawn: Drawn) -> Tensor:
        """What the base model itself answers, in fp32."""
        with ExitStack() as stack:
            for network in self._networks:
                stack.enter_context(network.off())
            hidden, pooled = self._materials.texts.embed(batch.captions)
            return self._unet.predict(drawn.noisy, drawn.timesteps, hidden, pooled, batch.time_ids).float()
