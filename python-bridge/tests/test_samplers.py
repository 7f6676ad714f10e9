"""Every sampler finds what a perfect model knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial

from lora_bridge.noise import TIMESTEPS, alphas_cumprod
from lora_bridge.protocol_types import Sampler
from lora_bridge.samplers import Denoising

if TYPE_CHECKING:
    from torch import Tensor

_SIGNAL = alphas_cumprod().double()
_LOG_SIGMAS = ((1 - _SIGNAL) / _SIGNAL).sqrt().log()
SAMPLERS = get_args(Sampler)

# diffusers calls numpy in ways that numpy means to forget.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def perfect(latents: Tensor, timestep: Tensor, centre: Tensor, spread: float) -> Tensor:
    """The noise that a model predicts which has learnt one normal distribution by heart."""
    time = float(timestep)
    earlier = int(time)
    later = min(earlier + 1, TIMESTEPS - 1)
    sigma = torch.lerp(_LOG_SIGMAS[earlier], _LOG_SIGMAS[later], time - earlier).exp()
    signal = (1 / (1 + sigma**2)).float()
    share = signal.sqrt() * spread**2 / (signal * spread**2 + 1 - signal)
    clean = centre + share * (latents - signal.sqrt() * centre)
    return (latents - signal.sqrt() * clean) / (1 - signal).sqrt()


def draw(sampler: Sampler, steps: int, centre: Tensor, spread: float) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    denoising = Denoising(sampler, steps, generator)
    latents = torch.randn(centre.shape, generator=generator) * denoising.first_sigma
    for timestep in denoising.timesteps():
        shown = denoising.model_input(latents, timestep)
        latents = denoising.step(perfect(shown, timestep, centre, spread), timestep, latents)
    return latents


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 30, 1000])
def test_the_only_picture_is_found(sampler: Sampler, steps: int) -> None:
    centre = torch.linspace(-2, 2, 4 * 8 * 8).view(1, 4, 8, 8)
    # The first DPM-Solver ends at the last training noise.
    tolerance = 0.12 if sampler == "dpmsolver" else 0.01
    torch.testing.assert_close(draw(sampler, steps, centre, 0.0), centre, rtol=0, atol=tolerance)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_pictures_are_as_different_as_they_should_be(sampler: Sampler) -> None:
    drawn = draw(sampler, 30, torch.zeros(1, 4, 64, 64), 0.7)
    assert float(drawn.std()) == pytest.approx(0.7, abs=0.08)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_seed_repeats_a_picture_and_only_its_own_generator_is_used(sampler: Sampler) -> None:
    before = torch.get_rng_state()
    one = draw(sampler, 4, torch.zeros(1, 4, 8, 8), 0.7)
    assert torch.equal(torch.get_rng_state(), before)
    torch.rand(1)
    assert torch.equal(draw(sampler, 4, torch.zeros(1, 4, 8, 8), 0.7), one)


def test_lms_coefficients_are_the_integrals_that_they_stand_for() -> None:
    scheduler: Any = Denoising("lms", 10, torch.Generator())._scheduler  # pyright: ignore[reportPrivateUsage]
    sigmas = np.asarray(scheduler.sigmas, dtype=np.float64)
    for order in (1, 2, 3, 4):
        for current in range(order):
            basis = Polynomial([1.0])
            for other in (index for index in range(order) if index != current):
                gap = sigmas[5 - current] - sigmas[5 - other]
                basis *= Polynomial([-sigmas[5 - other] / gap, 1 / gap])
            whole: Any = basis.integ()
            expected = whole(sigmas[6]) - whole(sigmas[5])
            assert scheduler.get_lms_coefficient(order, 5, current) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_latents_may_be_on_another_device(sampler: Sampler) -> None:
    """On torch's device without memory, which fails where a number would have to be waited for."""
    denoising = Denoising(sampler, 6, torch.Generator().manual_seed(1))
    latents = torch.ones(1, 4, 8, 8, device="meta") * denoising.first_sigma
    for timestep in denoising.timesteps():
        shown = denoising.model_input(latents, timestep)
        latents = denoising.step(torch.empty_like(shown), timestep, latents)
    assert (latents.device.type, latents.dtype) == ("meta", torch.float32)
