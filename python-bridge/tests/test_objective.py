"""What the model is asked and how its answer is judged, put together from a config."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.utils._python_dispatch import TorchDispatchMode
from training_support import make_config

from lora_bridge.objective import Drawn, Objective, make_objective, step_generator

CPU = torch.device("cpu")
LATENTS = torch.randn(3, 4, 16, 12, generator=torch.Generator().manual_seed(1))
ANSWER = torch.randn(3, 4, 16, 12, generator=torch.Generator().manual_seed(2))
ALL: dict[str, Any] = {
    "noise_offset": 0.1,
    "noise_offset_random_strength": True,
    "adaptive_noise_scale": 0.05,
    "multires_noise_iterations": 6,
    "ip_noise_gamma": 0.1,
    "ip_noise_gamma_random_strength": True,
}


def objective(**changes: Any) -> Objective:
    return make_objective(make_config(Path("project"), **changes), CPU)


def draw(asked: Objective, seed: int = 3) -> Drawn:
    return asked.draw(LATENTS, step_generator(seed, 1, CPU))


def schedule(*, terminal: bool = False) -> torch.Tensor:
    """The variance of the signal, computed as the papers say it."""
    betas = torch.linspace(math.sqrt(0.00085), math.sqrt(0.012), 1000, dtype=torch.float64) ** 2
    kept = (1 - betas).cumprod(0)
    if not terminal:
        return kept
    root = kept.sqrt()
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2


def test_the_plain_question_is_noise_and_a_timestep() -> None:
    drawn = draw(objective())
    generator = step_generator(3, 1, CPU)
    noise = torch.randn(LATENTS.shape, generator=generator)
    timesteps = torch.randint(1000, (3,), generator=generator)
    assert torch.equal(drawn.noise, noise)
    assert torch.equal(drawn.timesteps, timesteps)
    signal = schedule()[timesteps].view(3, 1, 1, 1)
    expected = signal.sqrt() * LATENTS + (1 - signal).sqrt() * noise
    torch.testing.assert_close(drawn.noisy, expected.float())


@pytest.mark.parametrize("velocity", [False, True])
@pytest.mark.parametrize("terminal", [False, True])
def test_the_loss_is_how_far_the_answer_is_from_the_target(velocity: bool, terminal: bool) -> None:
    asked = objective(v_parameterization=velocity, zero_terminal_snr=terminal)
    drawn = draw(asked)
    signal = schedule(terminal=terminal)[drawn.timesteps].view(3, 1, 1, 1)
    target = drawn.noise.double()
    if velocity:
        target = signal.sqrt() * drawn.noise - (1 - signal).sqrt() * LATENTS
    torch.testing.assert_close(asked.target(LATENTS, drawn), target.float())
    expected = (ANSWER - target).square().mean(dim=(1, 2, 3))
    torch.testing.assert_close(asked.losses(ANSWER, LATENTS, drawn, None), expected.float())


def test_options_draw_more_but_what_they_leave_off_stays() -> None:
    """Input perturbation, offset and multires noise are drawn after the noise that they are added to."""
    plain = draw(objective()).noise
    offset = draw(objective(noise_offset=0.1)).noise - plain
    torch.testing.assert_close(offset, offset[:, :, :1, :1].expand_as(offset), rtol=0, atol=1e-6)
    assert offset.abs().max() > 0.01
    assert torch.equal(draw(objective(ip_noise_gamma=0.1)).noise, plain)
    assert not torch.allclose(draw(objective(multires_noise_iterations=6)).noise, plain)


def test_the_strength_of_an_offset_is_drawn_where_that_is_asked_for() -> None:
    """The offset is drawn after its strength, as in Kohya."""
    drawn = draw(objective(noise_offset=0.1, noise_offset_random_strength=True))
    generator = step_generator(3, 1, CPU)
    noise = torch.randn(LATENTS.shape, generator=generator)
    strength = 0.1 * torch.rand(1, generator=generator)
    expected = noise + strength * torch.randn(3, 4, 1, 1, generator=generator)
    torch.testing.assert_close(drawn.noise, expected)


@pytest.mark.parametrize("random_strength", [False, True])
def test_input_perturbation_is_in_the_input_and_not_in_the_target(random_strength: bool) -> None:
    asked = objective(ip_noise_gamma=0.2, ip_noise_gamma_random_strength=random_strength)
    drawn = draw(asked)
    assert torch.equal(asked.target(LATENTS, drawn), drawn.noise)
    more = drawn.noisy - asked.mix(LATENTS, drawn.noise, drawn.timesteps)
    strength = (more / (1 - schedule()[drawn.timesteps]).sqrt().view(3, 1, 1, 1)).std().item()
    if random_strength:
        assert 0 < strength < 0.2
    else:
        assert strength == pytest.approx(0.2, rel=0.1)


def test_timesteps_are_those_that_are_trained() -> None:
    asked = objective(min_timestep=500, max_timestep=502)
    drawn = {int(t) for seed in range(20) for t in draw(asked, seed).timesteps}
    assert drawn == {500, 501}


def at(timestep: int) -> Drawn:
    """A question at one timestep; what the model is shown does not matter."""
    return Drawn(LATENTS, torch.full((3,), timestep), torch.zeros_like(LATENTS))


def test_weights_know_the_schedule_that_is_trained_unless_kohyas_results_are_wanted() -> None:
    terminal: dict[str, Any] = {"v_parameterization": True, "zero_terminal_snr": True}
    weighted = {"scale_v_pred_loss_like_noise_pred": True}
    for exact in (False, True):
        plain = objective(**terminal).losses(ANSWER, LATENTS, at(750), None)
        losses = objective(**terminal, **weighted, kohya_exact=exact).losses(ANSWER, LATENTS, at(750), None)
        # snr / (snr + 1) is what is left of the signal.
        expected = plain * schedule(terminal=not exact)[750]
        torch.testing.assert_close(losses, expected.float())


@pytest.mark.parametrize("kind", ["huber", "smooth_l1"])
def test_pseudo_huber_losses_bend_where_each_timestep_says(kind: str) -> None:
    asked = objective(loss_type=kind, huber_schedule="exponential", huber_c=0.2, huber_scale=0.5)
    drawn = Drawn(LATENTS, torch.tensor([0, 500, 999]), torch.zeros_like(LATENTS))
    bend = 0.5 * 0.2 ** (torch.tensor([0, 500, 999]).view(3, 1, 1, 1).double() / 1000)
    excess = (ANSWER.double().square() + bend.square()).sqrt() - bend
    expected = 2 * excess * (bend if kind == "huber" else 1)
    losses = asked.losses(ANSWER, LATENTS, drawn, None)
    torch.testing.assert_close(losses, expected.mean(dim=(1, 2, 3)).float())


def test_masks_come_before_the_mean() -> None:
    masks = torch.rand(3, 1, 16, 12, generator=torch.Generator().manual_seed(4))
    asked = objective(min_snr_gamma=5)
    drawn = draw(asked)
    snr = schedule()[drawn.timesteps] / (1 - schedule()[drawn.timesteps])
    weight = torch.minimum(snr, torch.tensor(5.0)) / snr
    expected = ((ANSWER - drawn.noise).square() * masks).mean(dim=(1, 2, 3)) * weight
    torch.testing.assert_close(asked.losses(ANSWER, LATENTS, drawn, masks), expected.float())


def test_another_target_stands_in_for_the_objectives_own() -> None:
    """As where the base model's own answer is to be kept."""
    asked = objective(min_snr_gamma=5, v_parameterization=True)
    drawn = draw(asked)
    own = asked.target(LATENTS, drawn)
    plain = asked.losses(ANSWER, LATENTS, drawn, None)
    assert torch.equal(asked.losses(ANSWER, LATENTS, drawn, None, own), plain)
    assert not asked.losses(ANSWER, LATENTS, drawn, None, ANSWER).any()


CHOICES = st.fixed_dictionaries(
    {
        "v_parameterization": st.booleans(),
        "zero_terminal_snr": st.booleans(),
        "kohya_exact": st.booleans(),
        "noise_offset": st.sampled_from([0.0, 0.0357, 1]),
        "noise_offset_random_strength": st.booleans(),
        "adaptive_noise_scale": st.sampled_from([-1.0, 0.0, 1.0]),
        "multires_noise_iterations": st.sampled_from([0, 1, 8, 64]),
        "multires_noise_discount": st.floats(0, 1),
        "ip_noise_gamma": st.sampled_from([0.0, 0.1, 1]),
        "ip_noise_gamma_random_strength": st.booleans(),
        "min_snr_gamma": st.sampled_from([0.0, 0.001, 5, 100]),
        "debiased_estimation_loss": st.booleans(),
        "scale_v_pred_loss_like_noise_pred": st.booleans(),
        "v_pred_like_loss": st.sampled_from([0.0, 1]),
        "loss_type": st.sampled_from(["l2", "l1", "huber", "smooth_l1"]),
        "huber_schedule": st.sampled_from(["snr", "exponential", "constant"]),
        "huber_c": st.floats(0.0001, 1),
        "huber_scale": st.floats(0.0001, 10),
    }
)


# A busy machine is no fault of the code.
@settings(deadline=None)
@given(changes=CHOICES, timestep=st.integers(0, 999), seed=st.integers(0, 2**32 - 1))
def test_losses_are_finite_whatever_is_chosen(changes: dict[str, Any], timestep: int, seed: int) -> None:
    asked = objective(**changes, min_timestep=timestep, max_timestep=timestep + 1)
    drawn = draw(asked, seed)
    assert bool((drawn.timesteps == timestep).all())
    answer = ANSWER.clone().requires_grad_()
    losses = asked.losses(answer, LATENTS, drawn, None)
    assert losses.shape == (3,)
    assert losses.dtype == drawn.noisy.dtype == torch.float32
    assert bool(drawn.noisy.isfinite().all())
    assert bool(losses.isfinite().all())
    assert losses.min() >= 0
    torch.autograd.backward(losses.sum())
    assert answer.grad is not None
    assert bool(answer.grad.isfinite().all())
    ones = torch.ones(3, 1, 16, 12)
    assert torch.equal(asked.losses(ANSWER, LATENTS, drawn, ones), losses.detach())
    again = draw(asked, seed)
    assert torch.equal(again.noisy, drawn.noisy)


class NoWaiting(TorchDispatchMode):
    """Fails where a number has to be on the host, for which a GPU would have to be waited for."""

    def __torch_dispatch__(self, func: Any, _types: Any, args: Any = (), kwargs: Any = None) -> Any:
        assert func not in (torch.ops.aten._local_scalar_dense.default, torch.ops.aten.nonzero.default)
        return func(*args, **(kwargs or {}))


def test_nothing_waits_for_the_device() -> None:
    asked = objective(**ALL, min_snr_gamma=5, loss_type="huber")
    generator = step_generator(1, 1, CPU)
    with NoWaiting():
        drawn = asked.draw(LATENTS, generator)
        asked.losses(ANSWER, LATENTS, drawn, torch.ones(3, 1, 16, 12))
    with pytest.raises(AssertionError), NoWaiting():
        bool(drawn.noise[0, 0, 0, 0] > 0)


def test_the_chance_of_a_step_depends_on_seed_and_step_alone() -> None:
    drawn = draw(objective(**ALL))
    before = torch.get_rng_state()
    draw(objective(**ALL), seed=4)
    assert torch.equal(torch.get_rng_state(), before)
    assert torch.equal(draw(objective(**ALL)).noisy, drawn.noisy)
    seeds = {step_generator(seed, step, CPU).initial_seed() for seed in range(50) for step in range(50)}
    assert len(seeds) == 2500
    # Not the next step of the seed before.
    assert step_generator(1, 2, CPU).initial_seed() != step_generator(2, 1, CPU).initial_seed()
    assert step_generator(1, 11, CPU).initial_seed() != step_generator(11, 1, CPU).initial_seed()
