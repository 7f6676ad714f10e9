"""How much the loss counts at each timestep, from the signal-to-noise ratio there (`snr`, any shape)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge.noise import alphas_cumprod, signal_to_noise

if TYPE_CHECKING:
    from torch import Tensor

    from lora_bridge.protocol_types import TrainConfig

_HIGHEST_SNR = 1000.0
"""Kohya's cap, against schedules that begin without noise."""


def min_snr(snr: Tensor, gamma: float, *, velocity: bool) -> Tensor:
    """Min-SNR weights (Hang et al. 2023): min(snr, gamma) over snr, or over snr + 1 for v-prediction."""
    if velocity:
        return snr.clamp(max=gamma) / (snr + 1)
    # The same as min(snr, gamma) / snr, also where the ratio is 0.
    return gamma / snr.clamp(min=gamma)


def noise_like(snr: Tensor) -> Tensor:
    """What makes a loss of v-prediction weigh as one of noise: snr / (snr + 1) (Kohya)."""
    capped = snr.clamp(max=_HIGHEST_SNR)
    return capped / (capped + 1)


def velocity_like(snr: Tensor, share: float) -> Tensor:
    """A loss of noise, and `share` of what it would be in v-prediction: 1 + share (snr + 1) / snr (Kohya)."""
    return 1 + share / noise_like(_above_zero(snr))


def debiased(snr: Tensor, *, velocity: bool) -> Tensor:
    """Debiased estimation (Yu et al. 2023): 1 / sqrt(snr), or 1 / (snr + 1) for v-prediction."""
    capped = snr.clamp(max=_HIGHEST_SNR)
    return 1 / (capped + 1) if velocity else _above_zero(capped).rsqrt()


def loss_weights(config: TrainConfig, snr: Tensor) -> Tensor:
    """The factor of all weights that the config asks for, of the shape of `snr`; ones without any."""
    velocity = config.v_parameterization
    weights = torch.ones_like(snr)
    if config.min_snr_gamma > 0:
        weights = weights * min_snr(snr, config.min_snr_gamma, velocity=velocity)
    if config.scale_v_pred_loss_like_noise_pred:
        weights = weights * noise_like(snr)
    if config.v_pred_like_loss > 0:
        weights = weights * velocity_like(snr, config.v_pred_like_loss)
    if config.debiased_estimation_loss:
        weights = weights * debiased(snr, velocity=velocity)
    return weights


def _above_zero(snr: Tensor) -> Tensor:
    """Where a weight would grow without end, it ends with the last timestep of SDXL's own schedule."""
    return snr.clamp(min=signal_to_noise(alphas_cumprod()[-1]).item())
