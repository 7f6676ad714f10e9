"""Every sampler finds what a perfect model knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, get_args

import numpy as np
import pytest
import torch
from numpy.polynomial import Polynomial

from lora_bridge.identify import Prediction
from lora_bridge.noise import TIMESTEPS, alphas_cumprod, zero_terminal
from lora_bridge.protocol_types import Sampler
from lora_bridge.samplers import Denoising

if TYPE_CHECKING:
    from torch import Tensor

NOISE, VELOCITY, TERMINAL = Prediction(), Prediction(velocity=True), Prediction(True, True)
PREDICTIONS = (NOISE, VELOCITY, TERMINAL)
SAMPLERS = get_args(Sampler)

# diffusers calls numpy in ways that numpy means to forget.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def log_sigmas(prediction: Prediction) -> Tensor:
    signal = alphas_cumprod().double()
    if prediction.zero_terminal_snr:
        signal = zero_terminal(signal)
        signal[-1] = 2.0**-24
    return ((1 - signal) / signal).sqrt().log()


def perfect(
    latents: Tensor, timestep: Tensor, centre: Tensor, spread: float, prediction: Prediction = NOISE
) -> Tensor:
    """What a model predicts which has learnt one normal distribution by heart."""
    sigmas, time = log_sigmas(prediction), float(timestep)
    earlier = int(time)
    later = min(earlier + 1, TIMESTEPS - 1)
    sigma = torch.lerp(sigmas[earlier], sigmas[later], time - earlier).exp()
    signal = (1 / (1 + sigma**2)).float()
    share = signal.sqrt() * spread**2 / (signal * spread**2 + 1 - signal)
    clean = centre + share * (latents - signal.sqrt() * centre)
    noise = (latents - signal.sqrt() * clean) / (1 - signal).sqrt()
    return signal.sqrt() * noise - (1 - signal).sqrt() * clean if prediction.velocity else noise


def draw(
    sampler: Sampler, steps: int, centre: Tensor, spread: float, prediction: Prediction = NOISE
) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    denoising = Denoising(sampler, steps, generator, prediction)
    latents = torch.randn(centre.shape, generator=generator) * denoising.first_sigma
    for timestep in denoising.timesteps():
        assert 0 <= timestep < TIMESTEPS
        shown = denoising.model_input(latents, timestep)
        answer = perfect(shown, timestep, centre, spread, prediction)
        latents = denoising.step(answer, timestep, latents)
    return latents


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("steps", [1, 2, 30, 61, 1000])
def test_the_only_picture_is_found(sampler: Sampler, steps: int) -> None:
    """Also where rounding makes one step too many, as of 61."""
    centre = torch.linspace(-2, 2, 4 * 8 * 8).view(1, 4, 8, 8)
    # The first DPM-Solver ends at the last training noise. PNDM takes steps to be as long as each other.
    tolerance = {"dpmsolver": 0.12, "pndm": 0.03}.get(sampler, 0.01)
    torch.testing.assert_close(draw(sampler, steps, centre, 0.0), centre, rtol=0, atol=tolerance)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("prediction", [VELOCITY, TERMINAL])
@pytest.mark.parametrize("steps", [1, 2, 30, 61])
def test_the_only_picture_is_found_by_velocity(sampler: Sampler, steps: int, prediction: Prediction) -> None:
    centre = torch.linspace(-2, 2, 4 * 8 * 8).view(1, 4, 8, 8)
    # PNDM mixes the velocities of several timesteps, which differ where the noise does not.
    tolerance = {"dpmsolver": 0.12, "pndm": 0.03 if steps > 2 else 0.7}.get(sampler, 0.01)
    found = draw(sampler, steps, centre, 0.0, prediction)
    torch.testing.assert_close(found, centre, rtol=0, atol=tolerance)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("prediction", PREDICTIONS)
def test_pictures_are_as_different_as_they_should_be(sampler: Sampler, prediction: Prediction) -> None:
    drawn = draw(sampler, 30, torch.zeros(1, 4, 64, 64), 0.7, prediction)
    assert float(drawn.std()) == pytest.approx(0.7, abs=0.08)


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_zero_terminal_snr_draws_pictures_as_bright_as_they_should_be(sampler: Sampler) -> None:
    """Without it the brightness of the first noise stays in the picture (Lin et al. 2023)."""
    bright = torch.full((1, 4, 64, 64), 1.5)
    drawn = draw(sampler, 30, bright, 0.3, TERMINAL)
    # See above; PNDM is the same with every number of steps.
    assert float(drawn.mean()) == pytest.approx(1.5, abs=0.04 if sampler == "pndm" else 0.01)


@pytest.mark.parametrize("sampler", ["euler", "euler_a", "dpmsolver++"])
@pytest.mark.parametrize("steps", [1, 7, 30])
def test_zero_terminal_snr_is_that_of_diffusers(sampler: Sampler, steps: int) -> None:
    """Where diffusers has it. Its steps are those that its authors recommend, from the last timestep on."""
    ours: Any = Denoising(sampler, steps, torch.Generator(), TERMINAL)._scheduler  # pyright: ignore[reportPrivateUsage]
    theirs: Any = type(ours)(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        prediction_type="v_prediction",
        rescale_betas_zero_snr=True,
        timestep_spacing="trailing",
    )
    theirs.set_timesteps(steps)
    assert ours.config.prediction_type == "v_prediction"
    assert ours.timesteps[0] == TIMESTEPS - 1
    torch.testing.assert_close(ours.timesteps, theirs.timesteps)
    torch.testing.assert_close(ours.sigmas, theirs.sigmas, rtol=2e-4, atol=1e-6)


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
