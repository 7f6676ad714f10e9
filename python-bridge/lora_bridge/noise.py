"""The noise of the training: SDXL's schedule (Rombach et al. 2022) and what may be added to it."""

from __future__ import annotations

import hashlib
import random
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Generator, Tensor

TIMESTEPS = 1000
BETA_START, BETA_END = 0.00085, 0.012


def alphas_cumprod() -> Tensor:
    """The share of the signal's variance that is left at each timestep, [1000], fp32."""
    betas = torch.linspace(BETA_START**0.5, BETA_END**0.5, TIMESTEPS, dtype=torch.float64) ** 2
    return torch.cumprod(1 - betas, dim=0).float()


def zero_terminal(signal: Tensor) -> Tensor:
    """A schedule [T] stretched so that no signal is left at its end (Lin et al. 2023, algorithm 1)."""
    root = signal.double().sqrt()
    stretched = (root - root[-1]) * root[0] / (root[0] - root[-1])
    return (stretched**2).to(signal.dtype)


def signal_to_noise(signal: Tensor) -> Tensor:
    """The ratio of the variances of signal and noise, of the shape of `signal` (`alphas_cumprod`)."""
    return signal / (1 - signal)


def add_noise(latents: Tensor, noise: Tensor, signal: Tensor) -> Tensor:
    """Mix latents [B, C, H, W] with noise; `signal` [B] is `alphas_cumprod` at each sample's timestep."""
    signal = signal.view(-1, 1, 1, 1)
    return signal.sqrt() * latents + (1 - signal).sqrt() * noise


def velocity(latents: Tensor, noise: Tensor, signal: Tensor) -> Tensor:
    """What v-prediction predicts (Salimans & Ho 2022), [B, C, H, W]; `signal` [B] as for `add_noise`."""
    signal = signal.view(-1, 1, 1, 1)
    return signal.sqrt() * noise - (1 - signal).sqrt() * latents


def generator_of(key: str, device: torch.device) -> Generator:
    """A generator on `device` that depends on `key` alone, and is unlike that of any other key."""
    mixed = hashlib.sha256(key.encode()).digest()[:8]
    return torch.Generator(device).manual_seed(int.from_bytes(mixed, "little") >> 1)


def draw_like(latents: Tensor, generator: Generator) -> Tensor:
    """Standard normal noise of the latents' shape, dtype and device."""
    return torch.randn(latents.shape, generator=generator, device=latents.device, dtype=latents.dtype)


def draw_timesteps(count: int, lowest: int, end: int, generator: Generator) -> Tensor:
    """Timesteps [count] from `lowest` up to, but not, `end`, each as likely, on the generator's device."""
    return torch.randint(lowest, end, (count,), generator=generator, device=generator.device)


def draw_strength(most: float, generator: Generator) -> Tensor:
    """A strength from 0 to `most` for a whole batch, [1], on the generator's device."""
    return most * torch.rand(1, generator=generator, device=generator.device)


def offset_noise(
    noise: Tensor, latents: Tensor, offset: float | Tensor, adaptive: float, generator: Generator
) -> Tensor:
    """Noise [B, C, H, W] with one more draw for each channel as a whole (Guttenberg 2023, noise offset).

    `adaptive` times the distance of the channel's mean from 0 is added to `offset`, never below 0 (Kohya).
    """
    strength = offset
    if adaptive:
        means = latents.mean(dim=(2, 3), keepdim=True).abs()
        strength = (offset + adaptive * means).clamp(min=0)
    shape = (*noise.shape[:2], 1, 1)
    return noise + strength * torch.randn(shape, generator=generator, device=noise.device, dtype=noise.dtype)


def pyramid_noise(noise: Tensor, iterations: int, discount: float, generator: Generator) -> Tensor:
    """Noise [B, C, H, W] with coarser and coarser noise in it, as a whole of variance 1 (Whitaker 2023).

    As in Kohya: layer i counts discount^i, is enlarged bilinearly, and is smaller by the i-th power of a
    number drawn from 2 to 4 for it: layer 0 is as fine as the noise itself. One with a side of 1 is the last.
    """
    height, width = noise.shape[2:]
    chance = _host_chance(generator)
    for layer in range(iterations):
        factor = (2 + 2 * chance.random()) ** layer
        size = (max(1, int(height / factor)), max(1, int(width / factor)))
        shape = (*noise.shape[:2], *size)
        coarse = torch.randn(shape, generator=generator, device=noise.device, dtype=noise.dtype)
        noise = noise + discount**layer * functional.interpolate(coarse, (height, width), mode="bilinear")
        if 1 in size:
            break
    return noise / noise.std()


def disturbed_noise(noise: Tensor, strength: float | Tensor, generator: Generator) -> Tensor:
    """The input's noise where it is not quite the target's (Ning et al. 2023, input perturbation)."""
    return noise + strength * draw_like(noise, generator)


def _host_chance(generator: Generator) -> random.Random:
    """Numbers that decide shapes, so the host must know them without waiting for the device.

    A generator's state is on the host whatever device it draws on, and moves on with every draw.
    """
    return random.Random(generator.get_state().numpy().tobytes())
