"""The training of a LoRA, from a config to a file."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import torch

from lora_bridge import noise
from lora_bridge.dataset import Dataset, Sample, epoch_batches, read_dataset
from lora_bridge.lora import LoraNetwork
from lora_bridge.loss import sample_losses, weighted_mean
from lora_bridge.materials import PARTS, Batch, Materials, prepare_latents, prepare_texts, texts_of
from lora_bridge.metadata import RunFacts
from lora_bridge.model import open_base_model
from lora_bridge.optim import Optimizer, description, warmup_steps
from lora_bridge.output import OutputFolder
from lora_bridge.painter import Painter
from lora_bridge.plan import Schedule, make_schedule, plan_of
from lora_bridge.precision import choose_device, compute_dtype
from lora_bridge.progress import StepReporter, StopRequested
from lora_bridge.protocol_types import LogEvent, PhaseEvent, PlanEvent
from lora_bridge.sample import Studio
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.sink import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.optim import Update
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink
    from lora_bridge.unet import Unet


class Step(NamedTuple):
    """One update: its number and epoch, counted from 1, and the batches whose gradients it adds up."""

    number: int
    epoch: int
    batches: list[list[Sample]]
    ends_epoch: bool


def run(config: TrainConfig, sink: Sink, folder: Path, device: str | None = None) -> Ending:
    """Train a LoRA as `config` says, on torch's `device`: by default a GPU, where there is one.

    The LoRA goes where the config says, samples into the job's `folder`. Stops between two steps when asked
    to, and keeps what was learnt. Raises ProblemError, and OSError where a file cannot be written.
    """
    try:
        return _train(config, sink, folder, choose_device(device))
    except StopRequested:
        return Ending("stopped", [])


def _train(config: TrainConfig, sink: Sink, folder: Path, device: torch.device) -> Ending:
    prompts = parse_prompts(config)
    dataset = read_dataset(config)
    sink.emit(PlanEvent(plan=plan_of(config, dataset)))
    output = OutputFolder(config, sink)
    dtype = compute_dtype(config, device, sink)
    base = open_base_model(config.pretrained_model_name_or_path)
    seed = config.seed or random.SystemRandom().randint(1, 2**32 - 1)
    sink.emit(LogEvent(level="info", text=f"Seed {seed}, {device}, {dtype}."))

    latents = prepare_latents(base, dataset, device, seed, sink)
    if latents.unreadable:
        dataset = dataset.without(latents.unreadable)
        sink.emit(PlanEvent(plan=plan_of(config, dataset)))
    texts = prepare_texts(base, texts_of(dataset, prompts), device, dtype, sink)
    materials = Materials(latents.by_picture, texts, config.prior_loss_weight)

    if device.type == "cuda":
        # What the VAE and the text encoders needed is given back before the UNet asks for it.
        torch.cuda.empty_cache()
    sink.emit(PhaseEvent(phase="loading_model", done=PARTS - 1, total=PARTS))
    unet = base.unet(dtype).to(device)
    if config.gradient_checkpointing:
        unet.checkpoint_gradients()
    lora = LoraNetwork(
        unet.module, config.network_dim, config.network_alpha, torch.Generator().manual_seed(seed)
    )
    schedule = make_schedule(config, dataset)
    warmup = warmup_steps(config, schedule.total_steps)
    facts = RunFacts(config, dataset, schedule, seed, warmup, description())
    painter = Painter(unet, base.vae().without_encoder(), texts, device) if prompts else None
    studio = Studio(config, prompts, painter, seed, folder)
    trainer = Trainer(unet, lora, materials, studio, facts)
    return trainer.train(sink, output)


class Trainer:
    """The loop over the steps of a run."""

    def __init__(
        self,
        unet: Unet,
        lora: LoraNetwork,
        materials: Materials,
        studio: Studio,
        facts: RunFacts,
    ) -> None:
        self._config = facts.config
        self._unet = unet
        self._lora = lora
        self._materials = materials
        self._studio = studio
        self._facts = facts
        self._device = lora.weights.device
        self._signal = noise.alphas_cumprod().to(self._device)
        self._random = torch.Generator(self._device).manual_seed(facts.seed)
        self._optimizer = Optimizer(
            lora.weights, facts.config, facts.schedule.total_steps, scale_loss=unet.dtype == torch.float16
        )

    def train(self, sink: Sink, output: OutputFolder) -> Ending:
        """Take every step; save and draw on the way and at the end. A failure loses nothing learnt."""
        schedule = self._facts.schedule
        output.require_room(self._lora, self._facts)
        last = Step(0, 0, [], ends_epoch=False)
        if self._studio.opens_early():
            self._studio.draw(0, 0, sink)
        reporter = StepReporter(sink, self._device, schedule.total_steps, schedule.epochs)
        sink.emit(PhaseEvent(phase="training", done=0, total=schedule.total_steps))
        stopped = False
        try:
            for step in steps(self._config, self._facts.dataset, schedule, self._facts.seed):
                stopped = sink.stop_requested()
                if stopped:
                    break
                loss, update = self._take(step)
                reporter.add(step.number, step.epoch, loss, update)
                last = step
                if step.number < schedule.total_steps:
                    self._pause_after(step, reporter, output, sink)
            reporter.flush()
        except Exception:
            if last.number and self._lora.has_learnt():
                output.save_step(self._lora, self._facts, last.number, last.epoch)
            raise
        if last.number == 0:
            return Ending("stopped", [])
        sink.emit(PhaseEvent(phase="saving", done=0, total=1))
        files = output.save_final(self._lora, self._facts, last.number, last.epoch)
        if not stopped:
            # Once what was learnt is safe.
            self._studio.draw(last.number, last.epoch, sink)
        return Ending("stopped" if stopped else "completed", files)

    def _pause_after(self, step: Step, reporter: StepReporter, output: OutputFolder, sink: Sink) -> None:
        """Save and draw what is due after this step, at no cost to the time that a step is said to take."""
        every = self._config.save_every_n_epochs
        saves = step.ends_epoch and every > 0 and step.epoch % every == 0
        draws = self._studio.is_due(step.number, step.epoch, ends_epoch=step.ends_epoch)
        if not saves and not draws:
            return
        reporter.flush()
        if saves:
            output.save_epoch(self._lora, self._facts, step.number, step.epoch)
        if draws:
            self._studio.draw(step.number, step.epoch, sink)
            total = self._facts.schedule.total_steps
            sink.emit(PhaseEvent(phase="training", done=step.number, total=total))
        reporter.resume_clock()

    def _take(self, step: Step) -> tuple[Tensor, Update]:
        """One step; the loss is the mean over its samples."""
        count = sum(len(samples) for samples in step.batches)
        losses: list[Tensor] = []
        for samples in step.batches:
            batch = self._materials.batch(samples, self._device)
            loss = weighted_mean(self._losses(batch), batch.weights, count)
            torch.autograd.backward(self._optimizer.scaled(loss))
            self._lora.collect()
            losses.append(loss.detach())
        update = self._optimizer.update()
        self._lora.publish()
        return torch.stack(losses).sum(), update

    def _losses(self, batch: Batch) -> Tensor:
        """How far the UNet is from the noise in each sample, [B]."""
        size = batch.latents.shape
        noise_BCHW = torch.randn(size, generator=self._random, device=self._device)  # noqa: N806
        timesteps = torch.randint(noise.TIMESTEPS, size[:1], generator=self._random, device=self._device)
        noisy = noise.add_noise(batch.latents, noise_BCHW, self._signal[timesteps])
        prediction = self._unet.predict(noisy, timesteps, batch.hidden, batch.pooled, batch.time_ids)
        return sample_losses(prediction, noise_BCHW)


def steps(config: TrainConfig, dataset: Dataset, schedule: Schedule, seed: int) -> Iterator[Step]:
    """The steps of a run in order; an epoch's last step has what is left of its batches."""
    number = 0
    for epoch in range(1, schedule.epochs + 1):
        batches = epoch_batches(dataset, config.train_batch_size, seed, epoch)
        size = config.gradient_accumulation_steps
        for start in range(0, len(batches), size):
            if number == schedule.total_steps:
                return
            number += 1
            ends_epoch = start + size >= len(batches)
            yield Step(number, epoch, batches[start : start + size], ends_epoch)
