"""The loss of a batch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


def sample_losses(prediction: Tensor, target: Tensor) -> Tensor:
    """Mean squared error of each sample in fp32: [B, C, H, W] twice to [B]."""
    errors = functional.mse_loss(prediction.float(), target.float(), reduction="none")
    return errors.mean(dim=(1, 2, 3))


def weighted_mean(losses: Tensor, weights: Tensor, count: int) -> Tensor:
    """Sum of the samples' losses [B] by their weights [B], over the `count` samples of the whole step.

    Dividing by the step's samples makes accumulated batches equal to one large batch, whatever their sizes.
    """
    return (losses * weights).sum() / count
