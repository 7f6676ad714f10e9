"""The noise that pictures are hidden in."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
import torch
from diffusers.schedulers.scheduling_ddim import rescale_zero_terminal_snr
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional

from lora_bridge import noise as noises

if TYPE_CHECKING:
    from torch import Tensor

LATENTS = torch.randn(3, 4, 16, 24, generator=torch.Generator().manual_seed(5)) + 0.5
NOISE = torch.randn(3, 4, 16, 24, generator=torch.Generator().manual_seed(6))


def chance(seed: int = 1) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_noise_schedule_is_sdxls() -> None:
    signal = noises.alphas_cumprod()
    golden = {0: 0.99915, 100: 0.894223, 500: 0.276333, 999: 0.0046601}
    assert {t: signal[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)


def test_ratio_of_signal_and_noise() -> None:
    snr = noises.signal_to_noise(noises.alphas_cumprod())
    golden = {0: 1175.47, 100: 8.4539, 500: 0.38185, 999: 0.004682}
    assert {t: snr[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)


def test_zero_terminal_schedule_ends_with_noise_alone() -> None:
    plain = noises.alphas_cumprod()
    signal = noises.zero_terminal(plain)
    golden = {0: plain[0].item(), 250: 0.652457, 500: 0.241019, 750: 0.032799}
    assert {t: signal[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    assert signal[999].item() == 0
    assert bool((signal.diff() < 0).all())
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2
    theirs = (1 - rescale_zero_terminal_snr(betas)).cumprod(0)
    torch.testing.assert_close(signal, theirs, rtol=1e-3, atol=1e-6)


def test_noise_and_velocity_are_those_of_diffusers() -> None:
    schedule: Any = DDPMScheduler(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear")
    timesteps = torch.tensor([0, 500, 999])
    signal = noises.alphas_cumprod()[timesteps]
    torch.testing.assert_close(
        noises.add_noise(LATENTS, NOISE, signal), schedule.add_noise(LATENTS, NOISE, timesteps)
    )
    torch.testing.assert_close(
        noises.velocity(LATENTS, NOISE, signal), schedule.get_velocity(LATENTS, NOISE, timesteps)
    )


def test_noise_is_mixed_in_by_variance() -> None:
    latents, noise = torch.full((1, 4, 2, 2), 2.0), torch.full((1, 4, 2, 2), 3.0)
    mixed = noises.add_noise(latents, noise, torch.tensor([0.36]))
    assert mixed.flatten()[0].item() == pytest.approx(0.6 * 2 + 0.8 * 3)


@settings(deadline=None)
@given(lowest=st.integers(0, 999), span=st.integers(1, 1000), seed=st.integers(0, 2**32))
def test_timesteps_are_in_their_range(lowest: int, span: int, seed: int) -> None:
    end = min(lowest + span, 1000)
    timesteps = noises.draw_timesteps(8, lowest, end, chance(seed))
    assert (timesteps.shape, timesteps.dtype) == ((8,), torch.int64)
    assert lowest <= int(timesteps.min()) <= int(timesteps.max()) < end


def test_every_timestep_is_as_likely() -> None:
    drawn = noises.draw_timesteps(100_000, 10, 20, chance())
    counts = torch.bincount(drawn, minlength=20)
    assert int(counts[:10].sum()) == 0
    assert counts[10:].min() > 9_500
    assert counts[10:].max() < 10_500


def test_offset_moves_whole_channels() -> None:
    latents = torch.zeros(200, 4, 8, 8)
    plain = noises.draw_like(latents, chance())
    moved = noises.offset_noise(plain, latents, 0.3, 0.0, chance(2)) - plain
    torch.testing.assert_close(moved, moved[:, :, :1, :1].expand_as(moved), rtol=0, atol=1e-6)
    assert moved.std().item() == pytest.approx(0.3, rel=0.1)


@pytest.mark.parametrize("adaptive", [0.4, -0.05, -1.0])
def test_adaptive_offset_follows_the_brightness_and_is_never_below_zero(adaptive: float) -> None:
    moved = noises.offset_noise(NOISE, -LATENTS, 0.1, adaptive, chance(2)) - NOISE
    draw = torch.randn(3, 4, 1, 1, generator=chance(2))
    strength = [[max(0.0, 0.1 + adaptive * abs(float(c.mean()))) for c in picture] for picture in LATENTS]
    expected = torch.tensor(strength)[:, :, None, None] * draw
    torch.testing.assert_close(moved, expected.expand_as(moved), rtol=1e-4, atol=1e-6)
    if adaptive == -1.0:
        assert not moved.any()


def test_a_strength_is_drawn_once_for_a_batch() -> None:
    drawn = [noises.draw_strength(0.5, chance(seed)).item() for seed in range(200)]
    assert noises.draw_strength(0.5, chance()).shape == (1,)
    assert 0 <= min(drawn) < 0.05
    assert 0.45 < max(drawn) < 0.5


def kohyas_pyramid(noise: Tensor, iterations: int, discount: float, chance: torch.Generator) -> Tensor:
    """sd-scripts' pyramid_noise_like, its draws on the host given."""
    factors = random.Random(3)
    b, c, w, h = noise.shape
    enlarge: Any = torch.nn.Upsample(size=(w, h), mode="bilinear")
    for i in range(iterations):
        r = factors.random() * 2 + 2
        wn, hn = max(1, int(w / (r**i))), max(1, int(h / (r**i)))
        noise = noise + enlarge(torch.randn(b, c, wn, hn, generator=chance)) * discount**i
        if wn == 1 or hn == 1:
            break
    return noise / noise.std()


@pytest.mark.parametrize(("iterations", "discount"), [(1, 0.3), (6, 0.3), (64, 0.9), (3, 0.0)])
def test_pyramid_noise_is_kohyas(iterations: int, discount: float, monkeypatch: pytest.MonkeyPatch) -> None:
    def host_chance(_generator: torch.Generator) -> random.Random:
        return random.Random(3)

    monkeypatch.setattr(noises, "_host_chance", host_chance)
    ours = noises.pyramid_noise(NOISE, iterations, discount, chance())
    torch.testing.assert_close(ours, kohyas_pyramid(NOISE, iterations, discount, chance()))


@settings(deadline=None)
@given(
    height=st.integers(1, 40),
    width=st.integers(1, 40),
    iterations=st.integers(1, 64),
    discount=st.floats(0, 1),
)
def test_pyramid_noise_is_of_variance_1(height: int, width: int, iterations: int, discount: float) -> None:
    noise = torch.randn(2, 4, height, width, generator=chance())
    drawn = noises.pyramid_noise(noise, iterations, discount, chance(2))
    assert drawn.shape == noise.shape
    assert drawn.std().item() == pytest.approx(1, rel=1e-4)


def test_pyramid_sizes_are_drawn_anew_and_repeatable(monkeypatch: pytest.MonkeyPatch) -> None:
    enlarge: Any = functional.interpolate
    sizes: list[torch.Size] = []

    def spy(coarse: Tensor, *arguments: Any, **options: Any) -> Tensor:
        sizes.append(coarse.shape[2:])
        return enlarge(coarse, *arguments, **options)

    monkeypatch.setattr(functional, "interpolate", spy)
    generator = chance()
    large = NOISE[:1, :, :1, :1].expand(1, 4, 128, 96)
    one = noises.pyramid_noise(large, 3, 0.9, generator)
    noises.pyramid_noise(large, 3, 0.9, generator)
    again = noises.pyramid_noise(large, 3, 0.9, chance())
    assert sizes[:3] != sizes[3:6]
    assert sizes[:3] == sizes[6:]
    assert torch.equal(one, again)


def test_disturbed_noise_has_a_little_more() -> None:
    more = (noises.disturbed_noise(NOISE, 0.1, chance()) - NOISE) / 0.1
    torch.testing.assert_close(more, noises.draw_like(NOISE, chance()), rtol=1e-4, atol=1e-5)


def test_only_the_given_generator_is_used() -> None:
    before, before_host = torch.get_rng_state(), random.getstate()
    generator = chance()
    noise = noises.draw_like(LATENTS, generator)
    offset = noises.draw_strength(0.1, generator)
    noises.offset_noise(noise, LATENTS, offset, 0.1, generator)
    noises.pyramid_noise(noise, 6, 0.3, generator)
    noises.disturbed_noise(noise, 0.1, generator)
    noises.draw_timesteps(3, 0, 1000, generator)
    assert torch.equal(torch.get_rng_state(), before)
    assert random.getstate() == before_host


def test_generators_depend_on_their_key_alone() -> None:
    device = torch.device("cpu")
    keys = [f"step-{seed}-{step}" for seed in (0, 1, 2**32 - 1) for step in range(200)]
    drawn = [torch.randn(64, generator=noises.generator_of(key, device)) for key in keys]
    again = torch.randn(64, generator=noises.generator_of(keys[7], device))
    assert torch.equal(again, drawn[7])
    alike: Tensor = torch.corrcoef(torch.stack(drawn)) - torch.eye(len(keys))
    assert alike.abs().max() < 0.7
    assert alike.square().mean().sqrt().item() == pytest.approx(1 / 8, rel=0.05)
