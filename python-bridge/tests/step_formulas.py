"""Noise and loss of SDXL's training as the papers and sd-scripts have them, for the reference of a step.

Nothing of the trainer is imported; `options` are a config's own names and values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor


def alphas_cumprod() -> Tensor:
    """[1000]: scaled-linear betas. In fp32, as Kohya and diffusers keep them, then exact again."""
    roots = torch.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000, dtype=torch.float64)
    return torch.cumprod(1 - roots**2, dim=0).float().double()


def zero_terminal(signal: Tensor) -> Tensor:
    """Lin et al. 2023: shifted so that the last is 0 and scaled so that the first stays."""
    roots = signal.sqrt()
    first, last = roots[0].item(), roots[-1].item()
    return ((roots - last) * (first / (first - last))).square().float().double()


def draw_noise(latents: Tensor, draws: Iterator[Tensor], options: dict[str, Any]) -> Tensor:
    """The noise of the target."""
    noise = next(draws).double()
    if options["noise_offset"]:
        means = latents.mean(dim=(2, 3), keepdim=True).abs()
        strength = (options["noise_offset"] + options["adaptive_noise_scale"] * means).clamp(min=0)
        noise = noise + strength * next(draws).double()
    if options["multires_noise_iterations"]:
        for layer in range(options["multires_noise_iterations"]):
            coarse = next(draws).double()
            enlarged = functional.interpolate(coarse, noise.shape[2:], mode="bilinear")
            noise = noise + enlarged * options["multires_noise_discount"] ** layer
            if 1 in coarse.shape[2:]:
                break
        noise = noise / noise.std()
    return noise


def pointwise(errors: Tensor, signal: Tensor, timesteps: Tensor, options: dict[str, Any]) -> Tensor:
    """The loss of each element; the pseudo-Huber losses bend where the schedule says."""
    kind, c = options["loss_type"], options["huber_c"]
    if kind == "l2":
        return errors**2
    if kind == "l1":
        return errors.abs()
    if options["huber_schedule"] == "snr":
        sigma = ((1 - signal) / signal).sqrt()
        bend = (1 - c) / (1 + sigma) ** 2 + c
    elif options["huber_schedule"] == "exponential":
        bend = torch.exp(math.log(c) * timesteps.double() / 1000) * options["huber_scale"]
    else:
        bend = torch.full_like(signal, c * options["huber_scale"])
    bend = bend.view(-1, 1, 1, 1)
    distance = (errors**2 + bend**2).sqrt() - bend
    return 2 * bend * distance if kind == "huber" else 2 * distance


def timestep_weights(signal: Tensor, options: dict[str, Any]) -> Tensor:
    """[B]: min-SNR, then v's two scalings, then debiased estimation, all of them factors."""
    velocity, gamma = options["v_parameterization"], options["min_snr_gamma"]
    snr = signal / (1 - signal)
    capped = snr.clamp(max=1000)
    weights = torch.ones_like(snr)
    if gamma:
        weights = weights * torch.minimum(snr, torch.full_like(snr, gamma)) / (snr + 1 if velocity else snr)
    if options["scale_v_pred_loss_like_noise_pred"]:
        weights = weights * capped / (capped + 1)
    if options["v_pred_like_loss"]:
        weights = weights * (1 + options["v_pred_like_loss"] * (capped + 1) / capped)
    if options["debiased_estimation_loss"]:
        weights = weights / (capped + 1 if velocity else capped.sqrt())
    return weights
