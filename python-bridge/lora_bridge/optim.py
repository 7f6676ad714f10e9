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

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig

_FIRST_SCALE = 2.0**16
_GROWTH_INTERVAL = 2000


_LOG_NAMES: dict[LoraPart, str] = {
    "unet": "unet",
    "text_encoder_1": "textencoder1",
    "text_encoder_2": "textencoder2",
}


class RateGroup(NamedTuple):
    """A network and its learning rate, above 0."""

    network: Network
    rate: float


class NamedRate(NamedTuple):
    """The learning rate of what Kohya's logs call `unet`, `textencoder1`, `unet_block4 plus` and the like."""

    name: str
    value: float


class Update(NamedTuple):
    """What an update was."""

    gradient_norm: Tensor
    """0-d, over all networks, before clipping; not finite when the update was left out."""
    rates: tuple[NamedRate, ...]
    """As they were used: what an optimizer finds or sets itself is in them."""


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
        self._flats = [group.network.flat for group in groups]
        self._max_norm = config.max_grad_norm
        self._working = [
            working_weights(flat, f"{config.seed}-{number}", whole=choice.flat)
            for number, flat in enumerate(self._flats)
        ]
        sections = [(group, section) for group in groups for section in group.network.flat.sections]
        self._names = [_log_name(group.network.part, section.name) for group, section in sections]
        self._stepper = Stepper(
            [parameters for working in self._working for parameters in working.groups],
            [group.rate * section.factor for group, section in sections],
            choice,
            config,
            total_steps,
        )
        device = self._flats[0].weights.device
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
        rates = self._stepper.step(finite)
        for working in self._working:
            working.store()
        if self._scales_loss:
            self._rescale(finite)
        return Update(norm, tuple(map(NamedRate, self._names, rates)))

    @contextmanager
    def averaged(self) -> Generator[None]:
        """Inside, `weights` are as they are to be saved and drawn with: schedule-free ones train with others.

        Outside they are bit for bit what they were.
        """
        if not self._stepper.averages:
            yield
            return
        kept = [flat.weights.detach().clone() for flat in self._flats]
        for working in self._working:
            working.fetch()
        self._stepper.to_averages()
        for working in self._working:
            working.show()
        try:
            yield
        finally:
            self._stepper.to_training()
            for flat, weights in zip(self._flats, kept, strict=True):
                flat.weights.detach().copy_(weights)

    def description(self) -> str:
        """The optimizer as Kohya's metadata has it: `module.Class(key=value,...)`."""
        return self._stepper.description()

    def state(self) -> dict[str, Any]:
        """All that it remembers, for `load_state`. Views: to be written before the next update."""
        return {
            "stepper": self._stepper.state(),
            "scale": self._scale,
            "good": self._good,
            "roundings": [working.steps for working in self._working],
        }

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave, with the rates and arguments of this config.

        Raises ProblemError `state_unfit`.
        """
        for working in self._working:
            working.fetch()
        self._stepper.load_state(state["stepper"])
        self._scale = state["scale"].to(self._scale.device)
        self._good = state["good"].to(self._good.device)
        for working, steps in zip(self._working, state["roundings"], strict=True):
            working.steps = steps

    def _norm(self) -> Tensor:
        linalg = cast("Any", torch.linalg)
        gradients = [flat.gradients for flat in self._flats]
        norms = [linalg.vector_norm(part, dtype=torch.float32) for part in gradients]
        return linalg.vector_norm(torch.stack(norms)) / self._scale

    def _rescale(self, finite: Tensor) -> None:
        self._good = torch.where(finite, self._good + 1, torch.zeros_like(self._good))
        grow = self._good >= _GROWTH_INTERVAL
        self._scale = self._scale * torch.where(finite, torch.where(grow, 2.0, 1.0), 0.5)
        self._good = torch.where(grow, torch.zeros_like(self._good), self._good)


def _log_name(part: LoraPart, section: str) -> str:
    joint = "_" if section.startswith("block") else " " if section else ""
    return f"{_LOG_NAMES[part]}{joint}{section}"
