"""The numbers that the training stands on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import pytest
import torch
from training_support import make_config, save_picture

from lora_bridge.dataset import read_dataset
from lora_bridge.loss import sample_losses, weighted_mean
from lora_bridge.materials import Materials
from lora_bridge.noise import add_noise, alphas_cumprod
from lora_bridge.optim import Optimizer, warmup_steps
from lora_bridge.text import TextEmbedding

if TYPE_CHECKING:
    from pathlib import Path


def test_noise_schedule_is_sdxls() -> None:
    signal = alphas_cumprod()
    golden = {0: 0.99915, 100: 0.894223, 500: 0.276333, 999: 0.0046601}
    assert {t: signal[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    assert (signal[0] / (1 - signal[0])).item() == pytest.approx(1175.47, rel=1e-4)


def test_noise_is_mixed_in_by_variance() -> None:
    latents, noise = torch.full((1, 4, 2, 2), 2.0), torch.full((1, 4, 2, 2), 3.0)
    mixed = add_noise(latents, noise, torch.tensor([0.36]))
    assert mixed.flatten()[0].item() == pytest.approx(0.6 * 2 + 0.8 * 3)


def test_loss_of_samples_and_their_weights() -> None:
    prediction = torch.tensor([[1.0, 3.0], [0.0, 0.0]]).view(2, 2, 1, 1)
    losses = sample_losses(prediction, torch.zeros_like(prediction))
    assert torch.equal(losses, torch.tensor([5.0, 0.0]))
    assert weighted_mean(losses, torch.tensor([0.5, 1.0]), 4).item() == pytest.approx(2.5 / 4)


def test_an_update_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    weights = torch.nn.Parameter(torch.ones(4))
    weights.grad = torch.tensor([1.0, math.nan, 1.0, 1.0])
    optimizer = Optimizer(weights, make_config(tmp_path), 10, scale_loss=True)
    before = optimizer.scaled(torch.tensor(1.0)).item()
    optimizer.update()
    assert torch.equal(weights, torch.ones(4))
    assert optimizer.scaled(torch.tensor(1.0)).item() == before / 2
    weights.grad.fill_(before / 2)
    update = optimizer.update()
    assert update.gradient_norm.item() == pytest.approx(2.0)
    assert weights.max().item() < 1


def test_learning_rate_schedules(tmp_path: Path) -> None:
    def rates(**changes: object) -> list[float]:
        config = make_config(tmp_path, learning_rate=1.0, **changes)
        weights = torch.nn.Parameter(torch.ones(1))
        weights.grad = torch.ones(1)
        optimizer = Optimizer(weights, config, 10, scale_loss=False)
        return [optimizer.update().learning_rate for _ in range(10)]

    assert rates() == [1.0] * 10
    assert rates(unet_lr=0.5) == [0.5] * 10
    assert rates(lr_scheduler="constant_with_warmup", lr_warmup=20)[:3] == [0.0, 0.5, 1.0]
    cosine = rates(lr_scheduler="cosine")
    assert cosine[0] == 1.0
    assert cosine[5] == pytest.approx(0.5)
    assert warmup_steps(make_config(tmp_path, lr_warmup=50), 10) == 0


def test_sizes_are_exact_in_half_precision(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "1_a" / "a.png", size=(1195, 1001))
    (sample,) = read_dataset(make_config(tmp_path)).samples
    text = TextEmbedding(torch.zeros(77, 8, dtype=torch.bfloat16), torch.zeros(4, dtype=torch.bfloat16))
    materials = Materials({sample.picture.path: torch.zeros(4, 8, 8)}, {"a": text}, 1.0)
    batch = materials.batch([sample, sample], torch.device("cpu"))
    assert [int(number) for number in batch.time_ids[1]] == [1001, 1195, 0, 6, 64, 64]
