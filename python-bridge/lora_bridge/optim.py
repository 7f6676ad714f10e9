"""One update of all LoRA weights at once, without asking the device how it went where that can be."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor

from lora_bridge.optimizer_choice import choose_optimizer
from lora_bridge.optimizers import Stepper
from lora_bridge.working_weights import working_weights

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from lora_bridge.lora import LoraNetwork
    from lora_bridge.protocol_types import TrainConfig

_FIRST_SCALE = 2.0**16
_GROWTH_INTERVAL = 2000


class RateGroup(NamedTuple):
    """A network and its learning rate, above 0."""

    network: LoraNetwork
    rate: float


class Update(NamedTuple):
    """What an update was."""

    gradient_norm: Tensor
    """0-d, over all networks, before clipping; not finite when the update was left out."""
    learning_rate: float
    """Of the first network, as it was used: what an optimizer finds or sets itself is in it."""


class Optimizer:
    """Clipping, the optimizer of the config and the learning-rate schedule, on the networks' weights.

    An update whose gradients are not all finite is left out, so one bad batch can't ruin the weights. With
    `scale_loss` the loss is scaled as fp16 needs: halved after such an update, doubled after 2000 good ones.
    With torch's own AdamW and Adam nothing here waits for the device; all others are asked to step only
    once it has said that the gradients are finite.
    """

    def __init__(
        self, groups: Sequence[RateGroup], config: TrainConfig, total_steps: int, *, scale_loss: bool
    ) -> None:
        """Raises ProblemError where the optimizer's library refuses. bf16 weights are rounded by chance."""
        choice = choose_optimizer(config)
        self._networks = [group.network for group in groups]
        self._max_norm = config.max_grad_norm
        self._working = [
            working_weights(network, f"{config.seed}-{number}", flat=choice.flat)
            for number, network in enumerate(self._networks)
        ]
        self._stepper = Stepper(
            [working.parameters for working in self._working],
            [group.rate for group in groups],
            choice,
            config,
            total_steps,
        )
        device = self._networks[0].weights.device
        self._scales_loss = scale_loss
        self._scale = torch.full((), _FIRST_SCALE if scale_loss else 1.0, device=device)
        self._good = torch.zeros((), device=device)

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss to run backward from."""
        return loss * self._scale if self._scales_loss else loss

    def update(self) -> Update:
        """Step with the networks' `gradients`, which are changed on the way."""
        norm = self._norm()
        finite = norm.isfinite()
        factor: Tensor = self._scale.reciprocal()
        if self._max_norm > 0:
            factor = factor * (self._max_norm / (norm + 1e-6)).clamp(max=1.0)
        for working in self._working:
            working.fetch()
            working.gradients.mul_(factor)
        rate = self._stepper.step(finite)
        for working in self._working:
            working.store()
        if self._scales_loss:
            self._rescale(finite)
        return Update(norm, rate)

    @contextmanager
    def averaged(self) -> Generator[None]:
        """Inside, `weights` are as they are to be saved and drawn with: schedule-free ones train with others.

        Outside they are bit for bit what they were.
        """
        if not self._stepper.averages:
            yield
            return
        kept = [network.weights.detach().clone() for network in self._networks]
        for working in self._working:
            working.fetch()
        self._stepper.to_averages()
        for working in self._working:
            working.show()
        try:
            yield
        finally:
            self._stepper.to_training()
            for network, weights in zip(self._networks, kept, strict=True):
                network.weights.detach().copy_(weights)

    def description(self) -> str:
        """The optimizer as Kohya's metadata has it: `module.Class(key=value,...)`."""
        return self._stepper.description()

    def _norm(self) -> Tensor:
        linalg = cast("Any", torch.linalg)
        gradients = [network.gradients for network in self._networks]
        norms = [linalg.vector_norm(part, dtype=torch.float32) for part in gradients]
        return linalg.vector_norm(torch.stack(norms)) / self._scale

    def _rescale(self, finite: Tensor) -> None:
        self._good = torch.where(finite, self._good + 1, torch.zeros_like(self._good))
        grow = self._good >= _GROWTH_INTERVAL
        self._scale = self._scale * torch.where(finite, torch.where(grow, 2.0, 1.0), 0.5)
        self._good = torch.where(grow, torch.zeros_like(self._good), self._good)
