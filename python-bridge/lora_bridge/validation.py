"""How well the model does on pictures that it does not learn from: a number to compare between steps."""

from __future__ import annotations

import math
from itertools import islice
from typing import TYPE_CHECKING

import torch

from lora_bridge.loss import sample_losses
from lora_bridge.noise import generator_of
from lora_bridge.objective import Drawn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from torch import Tensor

    from lora_bridge.appearances import Step
    from lora_bridge.materials import Batch
    from lora_bridge.objective import Objective
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.unet import Unet

_QUESTIONS = 4
_CPU = torch.device("cpu")


def validation_timesteps(config: TrainConfig) -> list[int]:
    """Where each picture is looked at: 200, 400, 600 and 800, or as evenly spread over what is trained."""
    lowest, span = config.min_timestep, config.max_timestep - config.min_timestep
    return [lowest + span * place // (_QUESTIONS + 1) for place in range(1, _QUESTIONS + 1)]


class Validator:
    """Asks the same questions about the same pictures each time, whatever else the training draws."""

    def __init__(
        self,
        config: TrainConfig,
        unet: Unet,
        objective: Objective,
        batches: Callable[[], Iterable[Batch]],
        device: torch.device,
    ) -> None:
        """`batches` gives those of the pictures kept back, each time in the same order; a stop may be raised
        between them."""
        self._config = config
        self._unet = unet
        self._objective = objective
        self._batches = batches
        self._device = device

    def is_due(self, step: Step) -> bool:
        """Whether to look after this step. Steps overrule epochs."""
        if self._config.validate_every_n_steps > 0:
            return step.number % self._config.validate_every_n_steps == 0
        return step.ends_epoch and step.epoch % self._config.validate_every_n_epochs == 0

    # No inference mode: what that leaves behind, no training could use.
    @torch.no_grad()
    def loss(self) -> float:
        """The mean squared error over pictures and timesteps, without weights and masks.

        Not finite where the model's answer is not, or where there are no pictures.
        """
        losses: list[Tensor] = []
        count = 0
        for batch in islice(self._batches(), self._config.max_validation_steps or None):
            losses.extend(self._losses(batch, first=count))
            count += len(batch.latents)
        return torch.cat(losses).cpu().double().mean().item() if losses else math.nan

    def _losses(self, batch: Batch, first: int) -> Iterator[Tensor]:
        """For each timestep the losses [B] of a batch, whose first picture has this place among all."""
        count, *shape = batch.latents.shape
        seed = self._config.validation_seed
        # On the CPU, so that they mean the same on every device.
        chances = [generator_of(f"validation-{seed}-{first + place}", _CPU) for place in range(count)]
        for timestep in validation_timesteps(self._config):
            noise = torch.stack([torch.randn(shape, generator=chance) for chance in chances]).to(self._device)
            timesteps = torch.full((count,), timestep, device=self._device)
            noisy = self._objective.mix(batch.latents, noise, timesteps)
            answer = self._unet.predict(noisy, timesteps, batch.hidden, batch.pooled, batch.time_ids)
            yield sample_losses(answer, self._objective.target(batch.latents, Drawn(noisy, timesteps, noise)))
