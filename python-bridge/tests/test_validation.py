"""The loss of the pictures that are kept back."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from training_support import make_config

from lora_bridge.materials import Batch
from lora_bridge.objective import make_objective
from lora_bridge.validation import Validator, validation_timesteps

if TYPE_CHECKING:
    from torch import Tensor

    from lora_bridge.unet import Unet

CPU = torch.device("cpu")
LATENTS = torch.randn(5, 4, 8, 6, generator=torch.Generator().manual_seed(1))


def batch(latents: Tensor) -> Batch:
    count = len(latents)
    return Batch(
        latents,
        hidden=torch.zeros(count, 77, 2048),
        pooled=torch.zeros(count, 1280),
        time_ids=torch.zeros(count, 6),
        # Validation does not look at the following.
        weights=torch.full((count,), 3.0),
        masks=torch.zeros(count, 1, 8, 6),
        preserves=None,
        captions=[""] * count,
        pictures=[Path("a.png")] * count,
    )


class FakeUnet:
    """Answers with a share of what it is shown, and remembers that."""

    def __init__(self) -> None:
        self.share = torch.nn.Parameter(torch.tensor(0.5))
        self.shown: list[Tensor] = []
        self.asked: list[list[int]] = []

    def predict(self, noisy: Tensor, timesteps: Tensor, *_conditions: Tensor) -> Tensor:
        self.shown.append(noisy)
        self.asked.append([int(timestep) for timestep in timesteps])
        answer = self.share * noisy
        assert not answer.requires_grad
        return answer


def loss(unet: FakeUnet | None = None, sizes: tuple[int, ...] = (5,), **changes: Any) -> float:
    """The loss of the latents in batches of these sizes."""
    config = make_config(Path("project"), **changes)
    starts = [sum(sizes[:index]) for index in range(len(sizes))]
    batches = [batch(LATENTS[start : start + size]) for start, size in zip(starts, sizes, strict=True)]
    unet = unet or FakeUnet()
    validator = Validator(config, cast("Unet", unet), make_objective(config, CPU), lambda: iter(batches), CPU)
    one = validator.loss()
    assert math.isnan(one) or validator.loss() == one
    return one


@pytest.mark.parametrize("velocity", [False, True])
def test_it_is_the_mean_squared_error_at_four_timesteps(velocity: bool) -> None:
    unet = FakeUnet()
    found = loss(unet, v_parameterization=velocity, loss_type="l1", min_snr_gamma=5, noise_offset=0.1)
    assert unet.asked[:4] == [[200] * 5, [400] * 5, [600] * 5, [800] * 5]
    kept = (1 - torch.linspace(0.00085**0.5, 0.012**0.5, 1000, dtype=torch.float64) ** 2).cumprod(0)
    expected: list[float] = []
    for shown, timestep in zip(unet.shown[:4], (200, 400, 600, 800), strict=True):
        signal, rest = kept[timestep].sqrt(), (1 - kept[timestep]).sqrt()
        noise = (shown - signal * LATENTS) / rest
        assert noise.std().item() == pytest.approx(1, abs=0.1)
        target = signal * noise - rest * LATENTS if velocity else noise
        expected.append((0.5 * shown - target).square().mean().item())
    assert found == pytest.approx(sum(expected) / 4)


def test_the_questions_depend_on_the_seed_and_the_pictures_place_alone() -> None:
    whole, parts, other = FakeUnet(), FakeUnet(), FakeUnet()
    found = loss(whole)
    assert loss(parts, sizes=(2, 1, 2), seed=99, train_batch_size=3) == pytest.approx(found)
    torch.testing.assert_close(torch.cat([parts.shown[index] for index in (0, 4, 8)]), whole.shown[0])
    assert loss(other, validation_seed=1) != found


def test_every_picture_and_timestep_has_its_own_noise() -> None:
    unet = FakeUnet()
    loss(unet)
    # At 600 and 800 there is little else.
    noises = torch.cat(unet.shown[2:4]).flatten(1)
    alike: Tensor = torch.corrcoef(noises) - torch.eye(10)
    assert alike.abs().max() < 0.6


def test_training_goes_on_as_if_it_had_not_been() -> None:
    unet = FakeUnet()
    before = torch.get_rng_state()
    loss(unet)
    assert torch.equal(torch.get_rng_state(), before)
    assert unet.share.grad is None
    assert torch.is_grad_enabled()


def test_at_most_so_many_batches() -> None:
    unet = FakeUnet()
    assert loss(unet, sizes=(2, 2, 1), max_validation_steps=2) == pytest.approx(loss(sizes=(4,)))
    assert len(unet.asked) == 2 * 2 * 4


def test_where_there_is_nothing_to_look_at_there_is_no_number() -> None:
    assert math.isnan(loss(sizes=()))


def test_an_answer_that_is_no_number_is_told() -> None:
    unet = FakeUnet()
    unet.share.data.fill_(math.nan)
    assert math.isnan(loss(unet))


@pytest.mark.parametrize(
    ("lowest", "end", "timesteps"),
    [(0, 1000, [200, 400, 600, 800]), (500, 1000, [600, 700, 800, 900]), (7, 8, [7, 7, 7, 7])],
)
def test_timesteps_are_spread_over_those_that_are_trained(
    lowest: int, end: int, timesteps: list[int]
) -> None:
    assert validation_timesteps(make_config(Path("p"), min_timestep=lowest, max_timestep=end)) == timesteps
