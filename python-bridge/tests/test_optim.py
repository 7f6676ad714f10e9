"""What is around every optimizer: the norm of all gradients, rates by part, fp16's scale, weights in bf16."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from optimizer_support import StandIn, gradients, optimizer_of
from training_support import make_config

from lora_bridge.stochastic_rounding import round_into, rounding_generator

if TYPE_CHECKING:
    from pathlib import Path


def distance(network: StandIn, start: torch.Tensor) -> float:
    return (network.weights.detach() - start).square().sum().sqrt().item()


def test_an_update_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    """And fp16's scale is halved by it, and taken out of the gradients before they are clipped."""
    network = StandIn()
    start = network.weights.detach().clone()
    network.gradients.fill_(1.0)[1] = math.nan
    optimizer = optimizer_of([network], make_config(tmp_path), scale_loss=True)
    before = optimizer.scaled(torch.tensor(1.0)).item()
    optimizer.update()
    assert torch.equal(network.weights, start)
    assert optimizer.scaled(torch.tensor(1.0)).item() == before / 2
    network.gradients.fill_(before / 2)
    update = optimizer.update()
    count = network.gradients.numel()
    assert update.gradient_norm.item() == pytest.approx(math.sqrt(count))
    assert network.gradients.square().sum().sqrt().item() == pytest.approx(1.0)
    assert (network.weights < start).all()


def test_the_scale_doubles_after_2000_good_updates(tmp_path: Path) -> None:
    network = StandIn()
    optimizer = optimizer_of([network], make_config(tmp_path), 5000, scale_loss=True)
    scales: list[float] = []
    for _ in range(2001):
        network.gradients.zero_()
        optimizer.update()
        scales.append(optimizer.scaled(torch.tensor(1.0)).item())
    assert scales[1998:] == [65536.0, 131072.0, 131072.0]


def test_gradients_are_clipped_by_the_norm_of_all_parts(tmp_path: Path) -> None:
    networks = [StandIn(1), StandIn(2)]
    for network, size in zip(networks, (3.0, 4.0), strict=True):
        network.gradients.fill_(size / math.sqrt(network.gradients.numel()))
    config = make_config(tmp_path, max_grad_norm=0.5, optimizer="SGD", learning_rate=1.0)
    starts = [network.weights.detach().clone() for network in networks]
    update = optimizer_of(networks, config).update()
    assert update.gradient_norm.item() == pytest.approx(5.0, rel=1e-4)
    moved = [distance(network, start) for network, start in zip(networks, starts, strict=True)]
    assert moved == pytest.approx([0.3, 0.4], rel=1e-4)


def test_one_part_that_is_not_finite_leaves_all_out(tmp_path: Path) -> None:
    for name in ("AdamW", "Adafactor"):
        networks = [StandIn(1), StandIn(2)]
        starts = [network.weights.detach().clone() for network in networks]
        optimizer = optimizer_of(networks, make_config(tmp_path, optimizer=name))
        networks[0].gradients.fill_(1.0)
        networks[1].gradients.fill_(math.nan)
        optimizer.update()
        for network, start in zip(networks, starts, strict=True):
            assert torch.equal(network.weights, start)


@pytest.mark.parametrize(("limit", "expected"), [(0.0, 7.0), (100.0, 7.0), (1.0, 1.0)])
def test_a_limit_of_0_does_not_clip(limit: float, expected: float, tmp_path: Path) -> None:
    network = StandIn()
    network.gradients.fill_(7.0 / math.sqrt(network.gradients.numel()))
    config = make_config(tmp_path, max_grad_norm=limit, optimizer="SGD", learning_rate=1.0)
    start = network.weights.detach().clone()
    optimizer_of([network], config).update()
    assert distance(network, start) == pytest.approx(expected, rel=1e-4)


def test_each_part_learns_at_its_own_rate(tmp_path: Path) -> None:
    networks = [StandIn(1), StandIn(1)]
    config = make_config(tmp_path, optimizer="SGD", max_grad_norm=0.0)
    optimizer = optimizer_of(networks, config, rates=[0.5, 0.25])
    starts = [network.weights.detach().clone() for network in networks]
    for network in networks:
        network.gradients.fill_(1.0)
    assert optimizer.update().rates[0].value == 0.5
    for network, start, rate in zip(networks, starts, (0.5, 0.25), strict=True):
        torch.testing.assert_close(start - network.weights.detach(), torch.full_like(start, rate))


def test_one_that_finds_its_rate_has_the_first_for_all(tmp_path: Path) -> None:
    """prodigyopt fails where they differ."""
    networks = [StandIn(1), StandIn(1)]
    optimizer = optimizer_of(networks, make_config(tmp_path, optimizer="Prodigy"), rates=[1.0, 0.5])
    start = networks[0].weights.detach().clone()
    for _ in range(3):
        for network in networks:
            network.pull()
        optimizer.update()
    assert torch.equal(networks[0].weights, networks[1].weights)
    assert not torch.equal(networks[0].weights, start)


def test_no_weight_decay_is_none(tmp_path: Path) -> None:
    """A decay of 0 is heard; without one AdamW has its own 0.01."""
    ends: list[float] = []
    for arguments in ("", "weight_decay=0", "weight_decay=0.5"):
        network = StandIn()
        start = network.weights.detach().clone()
        config = make_config(tmp_path, optimizer_args=arguments, learning_rate=0.1)
        optimizer_of([network], config).update()
        ends.append((network.weights.detach() / start).mean().item())
    assert ends == pytest.approx([1 - 0.1 * 0.01, 1.0, 1 - 0.1 * 0.5], rel=1e-6)


@pytest.mark.parametrize(
    ("name", "arguments", "first", "grows"),
    [
        ("Prodigy", "", 1e-6, True),
        ("Prodigy", "d0=1e-4", 1e-4, True),
        ("DAdaptAdam", "", 1e-6, True),
        ("AdamW", "", 1.0, False),
        ("AdamWScheduleFree", "warmup_steps=10", 0.1, True),
    ],
)
def test_the_rate_that_is_told_is_the_one_used(
    name: str, arguments: str, first: float, grows: bool, tmp_path: Path
) -> None:
    network = StandIn()
    config = make_config(tmp_path, optimizer=name, optimizer_args=arguments, learning_rate=1.0)
    optimizer = optimizer_of([network], config)
    told: list[float] = []
    for step in range(8):
        network.gradients.copy_(gradients(step, network))
        told.append(optimizer.update().rates[0].value)
    assert told[0] == pytest.approx(first)
    assert (told[-1] > told[0]) == grows


def test_adafactor_tells_the_rate_that_it_sets(tmp_path: Path) -> None:
    """Relative steps: 1e-2, times the root mean square of the weights (Shazeer and Stern 2018)."""
    network = StandIn()
    size = network.matrices[0].detach().square().mean().sqrt().item()
    optimizer = optimizer_of([network], make_config(tmp_path, optimizer="Adafactor"))
    network.pull()
    assert optimizer.update().rates[0].value == pytest.approx(1e-2 * size, rel=1e-5)


def test_rounding_is_right_on_average() -> None:
    values = torch.tensor([1.0 + 1 / 512, 1.0 + 1 / 2048, -3.0 - 1 / 300, 1e-5, 0.0, 1.0]).repeat(20000, 1)
    rounded = torch.empty_like(values, dtype=torch.bfloat16)
    round_into(rounded, values, rounding_generator("a", 1, torch.device("cpu")))
    step = values[0].abs() / 128
    error = (rounded.float().mean(dim=0) - values[0]).abs()
    # Five standard errors of a mean of 20,000 draws, each at most half a step from its mean.
    assert (error <= 5 * 0.5 * step / math.sqrt(20000)).all()
    assert (rounded.float() - values).abs().max() < step.max()
    assert torch.equal(rounded[:, 4:].float(), values[:, 4:])
    assert len({*rounded[:, 0].float().numpy().tolist()}) == 2


def test_rounding_is_told_by_its_stream_and_step_alone() -> None:
    def draw(stream: str, step: int) -> list[float]:
        target = torch.empty(64, dtype=torch.bfloat16)
        round_into(target, torch.linspace(1, 2, 64), rounding_generator(stream, step, torch.device("cpu")))
        return [float(number) for number in target]

    global_state = torch.random.get_rng_state()
    assert draw("a", 1) == draw("a", 1)
    assert draw("a", 1) != draw("a", 2)
    assert draw("a", 1) != draw("b", 1)
    assert torch.equal(torch.random.get_rng_state(), global_state)


@pytest.mark.parametrize("name", ["AdamW", "AdamW8bit", "Adafactor", "Prodigy", "AdamWScheduleFree"])
def test_bf16_weights_follow_those_in_fp32(name: str, tmp_path: Path) -> None:
    """Steps a hundred times smaller than bf16 can tell add up, where rounding to the nearest stands still."""
    exact, half = StandIn(dtype=torch.float32), StandIn(dtype=torch.bfloat16)
    exact.weights.data.copy_(half.weights.detach().float())
    start = exact.weights.detach().clone()
    changes: dict[str, Any] = {"learning_rate": 1.0 if name == "Prodigy" else 1e-4, "max_grad_norm": 0.0}
    config = make_config(tmp_path, optimizer=name, full_bf16=True, **changes)
    optimizers = [optimizer_of([exact], config), optimizer_of([half], config)]
    for _ in range(30):
        for network, optimizer in zip((exact, half), optimizers, strict=True):
            network.gradients.copy_(start.sign())
            optimizer.update()
    assert half.weights.dtype == torch.bfloat16
    wanted = (exact.weights.detach() - start) * start.sign()
    gone = (half.weights.detach().float() - start) * start.sign()
    assert wanted.mean() < 0
    assert gone.mean().item() == pytest.approx(wanted.mean().item(), rel=0.1)


def test_bf16_weights_stay_where_an_update_is_left_out(tmp_path: Path) -> None:
    for name in ("AdamW", "Adafactor"):
        network = StandIn(dtype=torch.bfloat16)
        before = network.weights.detach().clone()
        optimizer = optimizer_of([network], make_config(tmp_path, optimizer=name))
        network.gradients.fill_(math.inf)
        optimizer.update()
        assert torch.equal(network.weights, before)


def test_bf16_averages_are_shown_and_taken_back(tmp_path: Path) -> None:
    exact, half = StandIn(), StandIn(dtype=torch.bfloat16)
    config = make_config(tmp_path, optimizer="AdamWScheduleFree", learning_rate=0.1)
    optimizers = [optimizer_of([exact], config), optimizer_of([half], config)]
    for step in range(6):
        flat = gradients(step, exact)
        for network, optimizer in zip((exact, half), optimizers, strict=True):
            network.gradients.copy_(flat)
            optimizer.update()
    before = half.weights.detach().clone()
    with optimizers[0].averaged(), optimizers[1].averaged():
        assert not torch.equal(half.weights, before)
        torch.testing.assert_close(half.weights.float(), exact.weights, rtol=0.05, atol=0.05)
    assert torch.equal(half.weights, before)
