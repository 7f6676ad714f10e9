"""SDXL's noise schedule: scaled-linear betas from 0.00085 to 0.012 in 1000 steps (Rombach et al. 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from torch import Tensor

TIMESTEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012


def alphas_cumprod() -> Tensor:
    """The share of the signal's variance that is left at each timestep, [1000], fp32."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TIMESTEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, dim=0).float()


def add_noise(latents: Tensor, noise: Tensor, signal: Tensor) -> Tensor:
    """Mix latents [B, C, H, W] with noise; `signal` [B] is `alphas_cumprod` at each sample's timestep."""
    signal = signal.view(-1, 1, 1, 1)
    return signal.sqrt() * latents + (1 - signal).sqrt() * noise
