"""The loop over the steps of a run."""

from __future__ import annotations

import math
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import torch

from lora_bridge.appearances import Step, steps
from lora_bridge.chance import seed_layers
from lora_bridge.disk_room import require_room
from lora_bridge.loss import weighted_mean
from lora_bridge.objective import step_generator
from lora_bridge.progress import StepReporter, StopRequested
from lora_bridge.protocol_types import PhaseEvent, ValidationEvent
from lora_bridge.run_state import epoch_state_name, step_state_name
from lora_bridge.saving import SaveTimes
from lora_bridge.sink import Ending
from lora_bridge.world import OthersLostError

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator, Sequence

    from torch import Tensor

    from lora_bridge.appearances import Appearance
    from lora_bridge.ema import Ema
    from lora_bridge.materials import Batch, Materials
    from lora_bridge.metadata import RunFacts
    from lora_bridge.networks import KeyNormTensors, Network
    from lora_bridge.objective import Drawn, Objective
    from lora_bridge.optim import Optimizer, Update
    from lora_bridge.output import OutputFolder
    from lora_bridge.run_state import About
    from lora_bridge.sample import Studio
    from lora_bridge.sink import Sink
    from lora_bridge.state_keeper import StateKeeper
    from lora_bridge.unet import Unet
    from lora_bridge.validation import Validator
    from lora_bridge.world import World


_NOTHING = Step(0, 0, [], ends_epoch=False)


class _Due(NamedTuple):
    """What is to be done between two steps."""

    saves_epoch: bool
    saves_step: bool
    saves_now: bool
    validates: bool
    draws: bool
    draws_now: bool
    keeps_state: bool

    @property
    def saves(self) -> bool:
        return self.saves_epoch or self.saves_step or self.saves_now


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
        ema: Ema | None,
        keeper: StateKeeper,
        world: World,
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
        self._ema = ema
        self._keeper = keeper
        self._world = world
        self._times = SaveTimes(facts.config, facts.schedule)
        self._device = networks[0].flat.weights.device

    def train(
        self, sink: Sink, output: OutputFolder, before: About | None, losses: Sequence[float]
    ) -> Ending:
        """Take every step after `before`, which had these losses; save and draw on the way and at the end.

        A failure loses nothing learnt.
        """
        total = self._facts.schedule.total_steps
        files = self._times.most_files()
        if self._world.is_first:
            require_room([output.need(self._networks, files), *self._keeper.needs(files)])
        first = last = _NOTHING if before is None else Step(before.step, before.epoch, [], ends_epoch=False)
        if self._world.is_first and last.number == 0 and self._studio.opens_early():
            with self._as_saved():
                self._studio.draw(0, 0, sink)
        reporter = StepReporter(sink, self._device, self._config, self._facts.schedule, losses)
        sink.emit(PhaseEvent(phase="training", done=last.number, total=total))
        try:
            for step in self._steps(last.number):
                if any(self._world.any(sink.stop_requested())):
                    break
                loss, update, norms = self._take(step)
                reporter.add(step, loss, update, norms)
                last = step
                if step.number < total:
                    self._pause_after(step, reporter, output, sink)
            reporter.flush()
        except Exception as error:
            is_lost = isinstance(error, OthersLostError)
            is_whole = self._world.leaves_weights_whole or not is_lost
            if self._world.is_first and is_whole and last.number > first.number:
                self._rescue(last, output, keeps_state=is_lost)
            raise
        return self._end(last, output, sink)

    def _rescue(self, last: Step, output: OutputFolder, *, keeps_state: bool) -> None:
        """Save what was learnt before a failure; the state too, where it came between two updates."""
        if any(network.has_learnt() for network in self._networks):
            with self._as_saved():
                output.save_step(self._networks, self._facts, last.number, last.epoch)
            if keeps_state:
                self._keeper.save(last.number, last.epoch, output.checkpoints)

    def _steps(self, after: int) -> Iterator[Step]:
        facts = self._facts
        return steps(facts.config, facts.dataset, facts.schedule, facts.seed, after=after)

    def _end(self, last: Step, output: OutputFolder, sink: Sink) -> Ending:
        """Keep what was learnt: as a state alone where it is to go on later."""
        finished = last.number == self._facts.schedule.total_steps
        (pauses,) = self._world.any(not finished and sink.pause_requested())
        if not self._world.is_first:
            return Ending("completed" if finished else "paused" if pauses else "stopped", [])
        if last.number == 0:
            return Ending("paused" if pauses else "stopped", [])
        # A state that cannot be saved is no pause: then there must be a file.
        if pauses and self._keeper.save(last.number, last.epoch, output.checkpoints):
            return Ending("paused", output.newest_first())
        sink.emit(PhaseEvent(phase="saving", done=0, total=1))
        with self._as_saved():
            files = output.save_final(self._networks, self._facts, last.number, last.epoch)
            if finished:
                # Once what was learnt is safe.
                self._validate(last, sink)
                self._studio.draw(last.number, last.epoch, sink)
        if not finished or self._config.save_state or self._config.save_state_on_train_end:
            self._keeper.save(last.number, last.epoch, output.checkpoints)
        else:
            self._keeper.forget()
        return Ending("completed" if finished else "stopped", files)

    def _pause_after(self, step: Step, reporter: StepReporter, output: OutputFolder, sink: Sink) -> None:
        """Save, validate and draw what is due or asked for. A step is not said to take the time of it."""
        saves_now, draws_now = self._world.any(sink.take("save"), sink.take("sample"))
        if not self._world.is_first:
            return  # the others wait at their next step
        due = _Due(
            saves_epoch=self._times.is_due_epoch(step),
            saves_step=self._times.is_due_step(step.number),
            saves_now=saves_now,
            validates=self._validator is not None and self._validator.is_due(step),
            draws=self._studio.is_due(step.number, step.epoch, ends_epoch=step.ends_epoch),
            draws_now=draws_now,
            keeps_state=self._keeper.is_due(),
        )
        if not any(due):
            return
        reporter.flush()
        with self._as_saved():
            self._save(step, due, output)
        # First: pictures may take long, and are not worth what a crash would cost meanwhile.
        self._save_states(step, due, output)
        with self._as_saved():
            if due.validates:
                self._validate(step, sink)
            if due.draws or due.draws_now:
                self._studio.draw(step.number, step.epoch, sink, asked=due.draws_now)
        if due.validates or due.draws or due.draws_now:
            total = self._facts.schedule.total_steps
            sink.emit(PhaseEvent(phase="training", done=step.number, total=total))
        reporter.resume_clock()

    def _save(self, step: Step, due: _Due, output: OutputFolder) -> None:
        what = (self._networks, self._facts, step.number, step.epoch)
        if due.saves_epoch:
            output.save_epoch(*what)
            output.remove_epoch(self._times.epoch_to_remove(step.epoch))
        if due.saves_step:
            output.save_step(*what)
            output.remove_step(self._times.step_to_remove(step.number))
        if due.saves_now and not due.saves_step:
            output.save_step(*what)

    def _save_states(self, step: Step, due: _Due, output: OutputFolder) -> None:
        where = (step.number, step.epoch, output.checkpoints)
        if self._config.save_state and due.saves_epoch:
            self._keeper.keep(epoch_state_name(step.epoch), *where)
            self._forget(self._times.epoch_state_to_remove(step.epoch), epoch_state_name)
        if self._config.save_state and due.saves_step:
            self._keeper.keep(step_state_name(step.number), *where)
            self._forget(self._times.step_state_to_remove(step.number), step_state_name)
        if due.saves or due.keeps_state:
            self._keeper.save(*where)

    def _forget(self, number: int | None, name: Callable[[int], str]) -> None:
        if number is not None:
            self._keeper.discard(name(number))

    def _validate(self, step: Step, sink: Sink) -> None:
        if self._validator is not None:
            sink.emit(PhaseEvent(phase="validating", done=0, total=1))
            try:
                loss = self._validator.loss()
            except StopRequested:
                return  # the training asks the sink itself
            shown = loss if math.isfinite(loss) else None
            sink.emit(ValidationEvent(step=step.number, epoch=step.epoch, loss=shown))

    @contextmanager
    def _as_saved(self) -> Generator[None]:
        """The networks as they are saved and drawn with: averages, if there are any, and nothing by chance.

        Outside they are bit for bit what they were.
        """
        try:
            with ExitStack() as stack:
                stack.enter_context(self._optimizer.averaged())
                if self._ema is not None:
                    stack.enter_context(self._ema.shown())
                for network in self._networks:
                    stack.enter_context(network.resting())
                self._publish()
                yield
        finally:
            self._publish()

    def _publish(self) -> None:
        for network in self._networks:
            network.flat.publish()

    def _take(self, step: Step) -> tuple[Tensor, Update, list[KeyNormTensors]]:
        """One step; the loss is the mean over its samples."""
        count = sum(len(appearances) for appearances in step.batches)
        generator = step_generator(self._facts.seed, step.number, self._device)
        losses: list[Tensor] = []
        for index, appearances in enumerate(step.batches):
            seed_layers(self._facts.seed, step.number, index, self._world.place.rank)
            part = self._loss(appearances, count, generator)
            torch.autograd.backward(self._optimizer.scaled(part))
            for network in self._networks:
                network.flat.collect()
            losses.append(part.detach())
        loss = self._world.add(torch.stack(losses).sum())
        self._world.add_gradients(self._networks)
        if not self._world.is_alone:
            # An optimizer may draw, and must draw the same everywhere.
            seed_layers(self._facts.seed, step.number, len(losses))
        update = self._optimizer.update()
        self._publish()
        norms = [norms for network in self._networks if (norms := network.limit_norms()) is not None]
        if self._ema is not None:
            self._ema.update()
        return loss, update, norms

    def _loss(self, appearances: Sequence[Appearance], count: int, generator: torch.Generator) -> Tensor:
        """What the share of this process in a batch adds to the mean over the step's `count` samples."""
        share = self._world.share(len(appearances))
        is_idle = share.start == share.stop
        if is_idle:
            share = slice(0, 1)  # it keeps step with the others, and what it does counts nothing
        batch = self._materials.batch(appearances[share])
        drawn = self._objective.draw_share(batch.latents, share, len(appearances), generator)
        weights = torch.zeros_like(batch.weights) if is_idle else batch.weights
        return weighted_mean(self._losses(batch, drawn), weights, count)

    def _losses(self, batch: Batch, drawn: Drawn) -> Tensor:
        """How far the UNet is from the objective in each sample, [B]."""
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
