"""How a model's answer is judged, and how much that counts at each timestep."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from training_support import make_config

from lora_bridge import loss_weights as weights
from lora_bridge.loss import elementwise_loss, huber_thresholds, sample_losses, weighted_mean
from lora_bridge.noise import alphas_cumprod, signal_to_noise, zero_terminal

if TYPE_CHECKING:
    from torch import Tensor

PROJECT = Path("project")
SIGNAL = alphas_cumprod()
SNR = signal_to_noise(SIGNAL)
PREDICTION = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(1))
TARGET = torch.randn(2, 4, 8, 8, generator=torch.Generator().manual_seed(2))
THRESHOLDS = torch.tensor([0.1, 0.8])
Kind = Literal["l2", "l1", "huber", "smooth_l1"]
KINDS: tuple[Kind, ...] = ("l2", "l1", "huber", "smooth_l1")


def numbers(tensor: Tensor) -> list[float]:
    return [float(number) for number in tensor.flatten()]


def one_loss(kind: Kind, error: float, bend: float) -> float:
    root = math.sqrt(error * error + bend * bend)
    return {
        "l2": error * error,
        "l1": abs(error),
        "huber": 2 * bend * (root - bend),
        "smooth_l1": 2 * (root - bend),
    }[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_kohyas_for_every_element(kind: Kind) -> None:
    losses = elementwise_loss(PREDICTION, TARGET, kind, THRESHOLDS)
    for sample in (0, 1):
        bend = THRESHOLDS[sample].item()
        errors = numbers(PREDICTION[sample] - TARGET[sample])
        expected = [one_loss(kind, error, bend) for error in errors]
        assert numbers(losses[sample]) == pytest.approx(expected, rel=1e-4, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_losses_are_in_fp32(kind: Kind) -> None:
    losses = sample_losses(PREDICTION.bfloat16(), TARGET, kind, THRESHOLDS)
    assert losses.dtype == torch.float32
    expected = sample_losses(PREDICTION.bfloat16().float(), TARGET, kind, THRESHOLDS)
    assert torch.equal(losses, expected)


def test_a_loss_that_bends_says_so_when_it_is_not_told_where() -> None:
    with pytest.raises(TypeError, match="huber"):
        elementwise_loss(PREDICTION, TARGET, "huber")


def test_loss_of_samples_and_their_weights() -> None:
    prediction = torch.tensor([[1.0, 3.0], [0.0, 0.0]]).view(2, 2, 1, 1)
    losses = sample_losses(prediction, torch.zeros_like(prediction))
    assert torch.equal(losses, torch.tensor([5.0, 0.0]))
    assert weighted_mean(losses, torch.tensor([0.5, 1.0]), 4).item() == pytest.approx(2.5 / 4)


@pytest.mark.parametrize("kind", KINDS)
def test_masks_weigh_places_and_the_mean_is_over_all(kind: Kind) -> None:
    plain = sample_losses(PREDICTION, TARGET, kind, THRESHOLDS)
    ones = torch.ones(2, 1, 8, 8)
    assert torch.equal(sample_losses(PREDICTION, TARGET, kind, THRESHOLDS, ones), plain)
    torch.testing.assert_close(sample_losses(PREDICTION, TARGET, kind, THRESHOLDS, ones / 4), plain / 4)
    left = ones.clone()
    left[:, :, :, 4:] = 0
    right = sample_losses(PREDICTION, TARGET, kind, THRESHOLDS, 1 - left)
    torch.testing.assert_close(sample_losses(PREDICTION, TARGET, kind, THRESHOLDS, left) + right, plain)
    half = elementwise_loss(PREDICTION, TARGET, kind, THRESHOLDS)[:, :, :, :4].sum(dim=(1, 2, 3)) / 256
    torch.testing.assert_close(sample_losses(PREDICTION, TARGET, kind, THRESHOLDS, left), half)


def test_huber_schedules() -> None:
    config = make_config(PROJECT, huber_c=0.1, huber_scale=3.0)
    # As in Kohya, without the scale.
    snr = huber_thresholds(config, SIGNAL)
    golden = {0: 0.94971, 250: 0.412964, 500: 0.231284, 999: 0.103691}
    assert {t: snr[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    assert huber_thresholds(config, zero_terminal(SIGNAL))[999].item() == pytest.approx(0.1)

    config.huber_schedule = "exponential"
    exponential = huber_thresholds(config, SIGNAL)
    expected = {0: 3.0, 500: 3 * math.sqrt(0.1), 999: 3 * 0.1**0.999}
    assert {t: exponential[t].item() for t in expected} == pytest.approx(expected, rel=1e-4)

    config.huber_schedule = "constant"
    torch.testing.assert_close(huber_thresholds(config, SIGNAL), torch.full((1000,), 0.3))


def test_min_snr() -> None:
    noise, velocity = (weights.min_snr(SNR, 5.0, velocity=velocity) for velocity in (False, True))
    golden = {0: 0.004254, 50: 0.254436, 100: 0.591443, 250: 1.0, 999: 1.0}
    assert {t: noise[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    golden = {100: 0.528883, 250: 0.673793, 500: 0.276333}
    assert {t: velocity[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)


def test_debiased_estimation() -> None:
    noise, velocity = (weights.debiased(SNR, velocity=velocity) for velocity in (False, True))
    # The first one is capped: the ratio is 1175.
    golden = {0: 0.031623, 250: 0.6958, 500: 1.61828, 999: 14.6146}
    assert {t: noise[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    golden = {0: 1 / 1001, 500: 1 / 1.38185}
    assert {t: velocity[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)


def test_losses_that_are_like_the_other_prediction() -> None:
    scale = weights.noise_like(SNR)
    golden = {0: 1000 / 1001, 100: 8.4539 / 9.4539, 999: 0.004682 / 1.004682}
    assert {t: scale[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    more = weights.velocity_like(SNR, 0.5)
    golden = {t: 1 + 0.5 / value for t, value in golden.items()}
    assert {t: more[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)


def test_weights_are_multiplied() -> None:
    config = make_config(
        PROJECT, min_snr_gamma=5, v_pred_like_loss=0.5, debiased_estimation_loss=True, huber_c=0.2
    )
    at = torch.tensor([0.25, 4.0, 2000.0])
    expected = [
        1 * (1 + 0.5 * 1.25 / 0.25) * 2,
        1 * (1 + 0.5 * 5 / 4) / 2,
        5 / 2000 * (1 + 0.5 * 1001 / 1000) / math.sqrt(1000),
    ]
    assert numbers(weights.loss_weights(config, at)) == pytest.approx(expected)
    config = make_config(
        PROJECT,
        v_parameterization=True,
        min_snr_gamma=2,
        scale_v_pred_loss_like_noise_pred=True,
        debiased_estimation_loss=True,
    )
    expected = [0.25 / 1.25 * 0.2 / 1.25, 2 / 5 * 0.8 / 5, 2 / 2001 * 1000 / 1001 / 1001]
    assert numbers(weights.loss_weights(config, at)) == pytest.approx(expected)


def test_without_weights_every_timestep_counts_alike() -> None:
    assert torch.equal(weights.loss_weights(make_config(PROJECT), SNR), torch.ones(1000))


@settings(deadline=None)
@given(
    velocity=st.booleans(),
    gamma=st.sampled_from([0.0, 0.01, 1, 5, 100]),
    like=st.booleans(),
    debias=st.booleans(),
    ratio=st.floats(0, 1e9),
)
def test_weights_are_finite_and_not_negative(
    velocity: bool, gamma: float, like: bool, debias: bool, ratio: float
) -> None:
    """Also where nothing of the signal is left, as at the end of a schedule with zero terminal SNR."""
    config = make_config(
        PROJECT,
        v_parameterization=velocity,
        min_snr_gamma=gamma,
        scale_v_pred_loss_like_noise_pred=velocity and like,
        v_pred_like_loss=0.5 if like and not velocity else 0,
        debiased_estimation_loss=debias,
    )
    schedules = torch.cat([torch.tensor([ratio]), SNR, signal_to_noise(zero_terminal(SIGNAL))])
    table = weights.loss_weights(config, schedules)
    assert bool(table.isfinite().all())
    assert table.min() >= 0
    # No timestep counts more than it can with SDXL's own schedule.
    assert table.max() <= table[1:1001].max() * 1.01
