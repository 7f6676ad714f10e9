"""The learning rate of every step, against a formula or the library that owns the schedule."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest
import torch
from diffusers import optimization as diffusers_optimization
from optimizer_support import StandIn, optimizer_of
from torch.optim import lr_scheduler
from training_support import make_config
from transformers import optimization as transformers_optimization
from transformers.trainer_utils import SchedulerType

from lora_bridge.schedule_choice import warmup_steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOTAL, WARMUP = 40, 8
_torch: Any = lr_scheduler
_diffusers: Any = diffusers_optimization
_transformers: Any = transformers_optimization


def rates_of(project: Path, total: int = TOTAL, **changes: Any) -> list[float]:
    """What each step of a run was taken with."""
    network = StandIn()
    config = make_config(project, **{"learning_rate": 0.5, "optimizer": "SGD", **changes})
    optimizer = optimizer_of([network], config, total)
    return [optimizer.update().rates[0].value for _ in range(total)]


def library_rates(make: Callable[[Any], Any]) -> list[float]:
    optimizer: Any = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.5)
    schedule = make(optimizer)
    rates: list[float] = []
    for _ in range(TOTAL):
        rates.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step()
    return rates


def after_warmup(shape: Callable[[float], float]) -> list[float]:
    """`shape` of the share of the steps after the warm-up, of which there are WARMUP, all times 0.5."""
    rise = [0.5 * step / WARMUP for step in range(WARMUP)]
    rest = TOTAL - WARMUP
    return [*rise, *(0.5 * shape(step / rest) for step in range(rest))]


def half_wave(share: float) -> float:
    return 0.5 * (1 + math.cos(math.pi * share))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lr_scheduler": "constant"}, [0.5] * TOTAL),
        ({"lr_scheduler": "constant", "lr_warmup_steps": WARMUP}, [0.5] * TOTAL),
        ({"lr_scheduler": "constant_with_warmup", "lr_warmup": 20}, after_warmup(lambda _share: 1)),
        (
            {"lr_scheduler": "constant_with_warmup", "lr_warmup": 50, "lr_warmup_steps": WARMUP},
            after_warmup(lambda _share: 1),
        ),
        ({"lr_scheduler": "linear", "lr_warmup": 20}, after_warmup(lambda share: 1 - share)),
        ({"lr_scheduler": "cosine", "lr_warmup": 20}, after_warmup(half_wave)),
        (
            {"lr_scheduler": "cosine_with_restarts", "lr_warmup": 20, "lr_scheduler_num_cycles": 3},
            after_warmup(lambda share: half_wave(share * 3 % 1)),
        ),
        (
            {
                "lr_scheduler": "cosine_with_min_lr",
                "lr_warmup": 20,
                "lr_scheduler_min_lr_ratio": 0.25,
            },
            after_warmup(lambda share: 0.25 + 0.75 * half_wave(share)),
        ),
        (
            {
                "lr_scheduler": "cosine_with_min_lr",
                "lr_warmup": 20,
                "lr_scheduler_args": "min_lr=0.125",
            },
            after_warmup(lambda share: 0.25 + 0.75 * half_wave(share)),
        ),
        (
            {"lr_scheduler": "cosine_with_min_lr", "lr_warmup": 20, "lr_scheduler_num_cycles": 2},
            after_warmup(lambda share: half_wave(2 * share)),
        ),
        (
            {"lr_scheduler": "polynomial", "lr_warmup": 20, "lr_scheduler_power": 2},
            after_warmup(lambda share: (1 - 2e-7) * (1 - share) ** 2 + 2e-7),
        ),
        (
            {"lr_scheduler": "inverse_sqrt", "lr_warmup": 20},
            after_warmup(lambda share: (1 + share * (TOTAL - WARMUP) / WARMUP) ** -0.5),
        ),
        (
            {"lr_scheduler": "inverse_sqrt", "lr_warmup": 20, "lr_scheduler_timescale": 16},
            [0.5 * step / 8 if step < 8 else 0.5 * ((step + 8) / 16) ** -0.5 for step in range(TOTAL)],
        ),
        (
            {
                "lr_scheduler": "warmup_stable_decay",
                "lr_warmup": 20,
                "lr_decay_steps": 16,
                "lr_scheduler_min_lr_ratio": 0.25,
            },
            [
                *(0.5 * (0.25 + 0.75 * step / 8) for step in range(8)),
                *[0.5] * 16,
                *(0.5 * (0.25 + 0.75 * half_wave(step / 16)) for step in range(16)),
            ],
        ),
        (
            {"lr_scheduler": "warmup_stable_decay", "lr_scheduler_args": "decay_type='linear'"},
            [*[0.5] * 36, 0.5, 0.375, 0.25, 0.125],
        ),
        (
            {"lr_scheduler": "warmup_stable_decay", "lr_warmup": 50, "lr_decay_steps": 1000},
            [0.5 * step / 20 if step < 20 else 0.5 * half_wave((step - 20) / 20) for step in range(TOTAL)],
        ),
        (
            {"lr_scheduler": "piecewise_constant", "lr_scheduler_args": "step_rules='1:10,0.1:25,0.01'"},
            [*[0.5] * 10, *[0.05] * 15, *[0.005] * 15],
        ),
        ({"lr_scheduler": "cosine", "lr_warmup": 100}, [0.5 * step / TOTAL for step in range(TOTAL)]),
        (
            {"lr_scheduler": "cosine", "lr_warmup_steps": 1000},
            [0.5 * step / TOTAL for step in range(TOTAL)],
        ),
    ],
)
def test_the_rate_follows_its_formula(changes: dict[str, Any], expected: list[float], tmp_path: Path) -> None:
    assert rates_of(tmp_path, **changes) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    ("name", "cycles"), [("linear", 1), ("cosine", 1), ("cosine_with_restarts", 3), ("polynomial", 1)]
)
def test_the_rate_is_that_of_diffusers(name: str, cycles: int, tmp_path: Path) -> None:
    def make(optimizer: Any) -> Any:
        return _diffusers.get_scheduler(
            name, optimizer, num_warmup_steps=WARMUP, num_training_steps=TOTAL, num_cycles=cycles
        )

    ours = rates_of(tmp_path, lr_scheduler=name, lr_warmup_steps=WARMUP, lr_scheduler_num_cycles=cycles)
    assert ours == pytest.approx(library_rates(make))


@pytest.mark.parametrize("name", ["inverse_sqrt", "cosine_with_min_lr", "warmup_stable_decay"])
def test_the_rate_is_that_of_transformers(name: str, tmp_path: Path) -> None:
    own: dict[str, dict[str, Any]] = {
        "inverse_sqrt": {},
        "cosine_with_min_lr": {"min_lr_rate": 0.1},
        "warmup_stable_decay": {"num_decay_steps": 4, "min_lr_ratio": 0.1},
    }

    def make(optimizer: Any) -> Any:
        return _transformers.get_scheduler(
            SchedulerType(name), optimizer, WARMUP, TOTAL, scheduler_specific_kwargs=own[name]
        )

    ours = rates_of(tmp_path, lr_scheduler=name, lr_warmup_steps=WARMUP, lr_scheduler_min_lr_ratio=0.1)
    assert ours == pytest.approx(library_rates(make))


@pytest.mark.parametrize(
    ("name", "written", "theirs", "arguments"),
    [
        ("CosineAnnealingLR", "T_max=20", "CosineAnnealingLR", {"T_max": 20}),
        (
            "torch.optim.lr_scheduler.StepLR",
            "step_size=7 gamma=0.5",
            "StepLR",
            {"step_size": 7, "gamma": 0.5},
        ),
        ("MultiStepLR", "milestones=[5,9]", "MultiStepLR", {"milestones": [5, 9]}),
        (
            "onecyclelr",
            "max_lr=1.0 total_steps=40 cycle_momentum=False",
            "OneCycleLR",
            {"max_lr": 1.0, "total_steps": 40, "cycle_momentum": False},
        ),
    ],
)
def test_another_scheduler_is_that_of_torch(
    name: str, written: str, theirs: str, arguments: dict[str, Any], tmp_path: Path
) -> None:
    changes: dict[str, Any] = {
        "lr_scheduler": "linear",
        "lr_scheduler_type": name,
        "lr_scheduler_args": written,
    }
    ours = rates_of(tmp_path, lr_warmup=50, **changes)

    def make(optimizer: Any) -> Any:
        return getattr(_torch, theirs)(optimizer, **arguments)

    assert ours == pytest.approx(library_rates(make))
    assert len(set(ours)) > 1


def test_the_first_rate_is_the_unets_own(tmp_path: Path) -> None:
    """And all parts follow the same curve."""
    networks = [StandIn(1), StandIn(1)]
    config = make_config(tmp_path, lr_scheduler="linear", optimizer="SGD", max_grad_norm=0.0)
    optimizer = optimizer_of(networks, config, 10, rates=[0.5, 0.25])
    starts = [network.weights.detach().clone() for network in networks]
    told: list[float] = []
    for _ in range(10):
        for network in networks:
            network.gradients.fill_(1.0)
        told.append(optimizer.update().rates[0].value)
    assert told == pytest.approx([0.5 * (1 - step / 10) for step in range(10)])
    for network, start, rate in zip(networks, starts, (0.5, 0.25), strict=True):
        moved = (start - network.weights.detach()).mean().item()
        assert moved == pytest.approx(rate * 5.5, rel=1e-4)


@pytest.mark.parametrize("name", ["AdamWScheduleFree", "prodigyplus.ProdigyPlusScheduleFree"])
def test_schedule_free_optimizers_have_no_schedule(name: str, tmp_path: Path) -> None:
    def run(schedule: str) -> torch.Tensor:
        network = StandIn()
        config = make_config(tmp_path, optimizer=name, lr_scheduler=schedule, learning_rate=1.0)
        optimizer = optimizer_of([network], config, 10)
        for _ in range(10):
            network.pull()
            optimizer.update()
        return network.weights.detach()

    assert torch.equal(run("cosine"), run("constant"))
    assert not torch.equal(run("constant"), StandIn().weights)


def test_prodigy_plus_without_averages_has_one(tmp_path: Path) -> None:
    changes: dict[str, Any] = {"optimizer": "prodigyplus.ProdigyPlusScheduleFree"}
    changes |= {"optimizer_args": "use_schedulefree=False", "lr_scheduler": "linear"}
    network = StandIn()
    optimizer = optimizer_of([network], make_config(tmp_path, learning_rate=1.0, **changes), 10)
    network.pull()
    assert optimizer.update().rates[0].value == pytest.approx(1e-6)
    with optimizer.averaged():
        pass
    before = network.weights.detach().clone()
    for _ in range(9):
        network.pull()
        optimizer.update()
    assert not torch.equal(network.weights, before)
    network.pull()
    assert optimizer.update().rates[0].value == 0.0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"lr_scheduler": "cosine", "lr_warmup": 10}, 20),
        ({"lr_scheduler": "cosine", "lr_warmup": 10, "lr_warmup_steps": 7}, 7),
        ({"lr_scheduler": "cosine", "lr_warmup_steps": 7000}, 200),
        ({"lr_scheduler": "constant", "lr_warmup": 10}, 0),
        ({"lr_scheduler": "adafactor", "lr_warmup": 10}, 0),
        ({"lr_scheduler": "cosine", "lr_scheduler_type": "StepLR", "lr_warmup": 10}, 0),
    ],
)
def test_warmup_in_steps(changes: dict[str, Any], expected: int, tmp_path: Path) -> None:
    assert warmup_steps(make_config(tmp_path, **changes), 200) == expected
