"""The loss of a batch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeAlias

import torch
from torch.nn import functional

from lora_bridge.noise import TIMESTEPS

if TYPE_CHECKING:
    from torch import Tensor

    from lora_bridge.protocol_types import TrainConfig

LossType: TypeAlias = Literal["l2", "l1", "huber", "smooth_l1"]


def elementwise_loss(
    prediction: Tensor, target: Tensor, kind: LossType = "l2", threshold: Tensor | None = None
) -> Tensor:
    """The loss of each element in fp32: [B, C, H, W] twice to [B, C, H, W].

    `threshold` [B] is where the pseudo-Huber losses (Charbonnier et al. 1997; Khrapov et al. 2024) turn from
    l2's shape to l1's: `huber` is l2 near 0 and `smooth_l1` twice l1 far from it.
    """
    if kind == "l2":
        return functional.mse_loss(prediction.float(), target.float(), reduction="none")
    errors = prediction.float() - target.float()
    if kind == "l1":
        return errors.abs()
    if threshold is None:
        raise TypeError(f"{kind} needs a threshold")
    bend = threshold.view(-1, 1, 1, 1)
    excess = (errors.square() + bend.square()).sqrt() - bend
    return 2 * bend * excess if kind == "huber" else 2 * excess


def sample_losses(
    prediction: Tensor,
    target: Tensor,
    kind: LossType = "l2",
    threshold: Tensor | None = None,
    masks: Tensor | None = None,
) -> Tensor:
    """The mean loss of each sample in fp32, [B].

    `masks` [B, 1, H, W] from 0 to 1 weigh places. As in Kohya the mean is over all of them, so that a picture
    counts as much as it shows.
    """
    losses = elementwise_loss(prediction, target, kind, threshold)
    if masks is not None:
        losses = losses * masks
    return losses.mean(dim=(1, 2, 3))


def weighted_mean(losses: Tensor, weights: Tensor, count: int) -> Tensor:
    """Sum of the samples' losses [B] by their weights [B], over the `count` samples of the whole step.

    Dividing by the step's samples makes accumulated batches equal to one large batch, whatever their sizes.
    """
    return (losses * weights).sum() / count


def huber_thresholds(config: TrainConfig, signal: Tensor) -> Tensor:
    """Where the pseudo-Huber losses bend at each timestep, [1000] (Khrapov et al. 2024).

    `signal` is the schedule that is trained, [1000]. As in Kohya, `huber_scale` is not for the snr schedule.
    """
    lowest, scale = config.huber_c, config.huber_scale
    if config.huber_schedule == "snr":
        sigmas = ((1 - signal) / signal).sqrt()
        return (1 - lowest) / (1 + sigmas).square() + lowest
    if config.huber_schedule == "exponential":
        timesteps = torch.arange(TIMESTEPS, device=signal.device)
        return torch.exp(math.log(lowest) / TIMESTEPS * timesteps) * scale
    return torch.full_like(signal, lowest * scale)
