"""One update of all LoRA weights at once, without asking the device how it went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from diffusers.optimization import get_scheduler
from torch import Tensor
from torch.optim import AdamW

if TYPE_CHECKING:
    from torch import nn

    from lora_bridge.protocol_types import TrainConfig

BETAS = (0.9, 0.999)
EPS = 1e-8
WEIGHT_DECAY = 0.01
_FIRST_SCALE = 2.0**16
_GROWTH_INTERVAL = 2000


class Update(NamedTuple):
    """What an update was."""

    gradient_norm: Tensor
    """0-d, before clipping; not finite when the update was left out."""
    learning_rate: float


class Optimizer:
    """Clipping, AdamW with Kohya's defaults, and the learning-rate schedule, on one flat parameter.

    An update whose gradients are not all finite is left out, so one bad batch can't ruin the weights. With
    `scale_loss` the loss is scaled as fp16 needs: halved after such an update, doubled after 2000 good ones.
    """

    def __init__(
        self, weights: nn.Parameter, config: TrainConfig, total_steps: int, *, scale_loss: bool
    ) -> None:
        self._weights = weights
        self._max_norm = config.max_grad_norm
        self._adamw: Any = AdamW(
            [weights], lr=base_rate(config), betas=BETAS, eps=EPS, weight_decay=WEIGHT_DECAY, fused=True
        )
        self._schedule = get_scheduler(
            config.lr_scheduler,
            self._adamw,
            num_warmup_steps=warmup_steps(config, total_steps),
            num_training_steps=total_steps,
        )
        self._scales_loss = scale_loss
        self._scale = torch.full((), _FIRST_SCALE if scale_loss else 1.0, device=weights.device)
        self._good = torch.zeros((), device=weights.device)

    def scaled(self, loss: Tensor) -> Tensor:
        """The loss to run backward from."""
        return loss * self._scale if self._scales_loss else loss

    def update(self) -> Update:
        """Step with the gradients that are in `weights.grad`. Nothing here waits for the device."""
        gradients = cast("Tensor", self._weights.grad)
        norm: Tensor = cast("Any", torch.linalg).vector_norm(gradients) / self._scale
        finite = norm.isfinite()
        factor: Tensor = self._scale.reciprocal()
        if self._max_norm > 0:
            factor = factor * (self._max_norm / (norm + 1e-6)).clamp(max=1.0)
        gradients.mul_(factor)
        # torch's fused AdamW leaves everything as it is where this is 1; torch.amp.GradScaler relies on it.
        self._adamw.found_inf = (~finite).float()
        self._adamw.grad_scale = None
        rate = float(self._schedule.get_last_lr()[0])
        self._adamw.step()
        self._schedule.step()
        if self._scales_loss:
            self._rescale(finite)
        return Update(norm, rate)

    def _rescale(self, finite: Tensor) -> None:
        self._good = torch.where(finite, self._good + 1, torch.zeros_like(self._good))
        grow = self._good >= _GROWTH_INTERVAL
        self._scale = self._scale * torch.where(finite, torch.where(grow, 2.0, 1.0), 0.5)
        self._good = torch.where(grow, torch.zeros_like(self._good), self._good)


def base_rate(config: TrainConfig) -> float:
    """The UNet's own learning rate where it has one."""
    return config.learning_rate if config.unet_lr is None else config.unet_lr


def warmup_steps(config: TrainConfig, total_steps: int) -> int:
    """Steps over which the rate rises; the constant schedule has none."""
    return 0 if config.lr_scheduler == "constant" else total_steps * config.lr_warmup // 100


def description() -> str:
    """The optimizer as Kohya's metadata has it."""
    return f"torch.optim.adamw.AdamW(weight_decay={WEIGHT_DECAY},betas={BETAS},eps={EPS})"
