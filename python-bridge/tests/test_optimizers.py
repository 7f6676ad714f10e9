"""Every optimizer by its name: it learns, it is the library's own, and a bad batch does not touch it."""

from __future__ import annotations

import math
from importlib import import_module
from typing import TYPE_CHECKING, Any

import pytest
import torch
from optimizer_support import StandIn, copies, gradients, joined, optimizer_of, step_with
from training_support import make_config

from lora_bridge.optimizers import try_optimizer
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import TrainConfig

_NESTEROV: dict[str, Any] = {"momentum": 0.9, "nesterov": True}
_BNB = "bitsandbytes.optim."
_D = "dadaptation."

# Each name as users write it: a rate that suits it, and what makes the same by its library's own hand.
OPTIMIZERS: dict[str, tuple[float, str, dict[str, Any]]] = {
    "AdamW": (1e-2, "torch.optim.AdamW", {}),
    "adamw": (1e-2, "torch.optim.AdamW", {}),
    "SGDNesterov": (1e-3, "torch.optim.SGD", _NESTEROV),
    "Lion": (1e-2, "lion_pytorch.Lion", {}),
    "AdamW8bit": (1e-2, _BNB + "AdamW8bit", {}),
    "PagedAdamW": (1e-2, _BNB + "PagedAdamW", {}),
    "PagedAdamW8bit": (1e-2, _BNB + "PagedAdamW8bit", {}),
    "PagedAdamW32bit": (1e-2, _BNB + "PagedAdamW32bit", {}),
    "Lion8bit": (1e-2, _BNB + "Lion8bit", {}),
    "PagedLion8bit": (1e-2, _BNB + "PagedLion8bit", {}),
    "SGDNesterov8bit": (1e-3, _BNB + "SGD8bit", _NESTEROV),
    "AdEMAMix8bit": (1e-2, _BNB + "AdEMAMix8bit", {}),
    "bitsandbytes.optim.AdEMAMix8bit": (1e-2, _BNB + "AdEMAMix8bit", {}),
    "bitsandbytes.optim.PagedAdEMAMix8bit": (1e-2, _BNB + "PagedAdEMAMix8bit", {}),
    "Adafactor": (
        1e-2,
        "transformers.optimization.Adafactor",
        {"lr": None, "relative_step": True, "scale_parameter": True, "warmup_init": False},
    ),
    "Prodigy": (1.0, "prodigyopt.Prodigy", {}),
    "DAdaptation": (0.1, _D + "experimental.DAdaptAdamPreprint", {}),
    "DAdaptAdamPreprint": (0.1, _D + "experimental.DAdaptAdamPreprint", {}),
    "DAdaptAdanIP": (0.5, _D + "experimental.DAdaptAdanIP", {}),
    "DAdaptAdaGrad": (1.0, _D + "DAdaptAdaGrad", {}),
    "DAdaptAdam": (1.0, _D + "DAdaptAdam", {}),
    "DAdaptAdan": (0.5, _D + "DAdaptAdan", {}),
    "DAdaptLion": (1.0, _D + "DAdaptLion", {}),
    "DAdaptSGD": (1.0, _D + "DAdaptSGD", {}),
    "AdamWScheduleFree": (1e-2, "schedulefree.AdamWScheduleFree", {}),
    "RAdamScheduleFree": (1e-2, "schedulefree.RAdamScheduleFree", {}),
    "SGDScheduleFree": (1e-2, "schedulefree.SGDScheduleFree", {}),
    "prodigyplus.ProdigyPlusScheduleFree": (1.0, "prodigyplus.ProdigyPlusScheduleFree", {}),
    "pytorch_optimizer.CAME": (1e-2, "pytorch_optimizer.CAME", {}),
    "Adam": (1e-2, "torch.optim.Adam", {}),
    "torch.optim.NAdam": (1e-2, "torch.optim.NAdam", {}),
    "RMSprop": (1e-2, "torch.optim.RMSprop", {}),
    "Adadelta": (1.0, "torch.optim.Adadelta", {}),
    "Muon": (1e-2, "torch.optim.Muon", {}),
}
every_name = pytest.mark.parametrize("name", OPTIMIZERS)
SCHEDULE_FREE = [name for name in OPTIMIZERS if name.endswith("ScheduleFree")]


def config_of(project: Path, name: str, **changes: Any) -> TrainConfig:
    rate = OPTIMIZERS[name][0]
    return make_config(project, **{"optimizer": name, "learning_rate": rate, "max_grad_norm": 0.0, **changes})


def library_of(name: str, weights: list[torch.nn.Parameter]) -> Any:
    rate, path, arguments = OPTIMIZERS[name]
    module, _, kind = path.rpartition(".")
    library = getattr(import_module(module), kind)(weights, **{"lr": rate, **arguments})
    if hasattr(library, "train"):
        library.train()
    return library


@every_name
def test_the_loss_falls_in_30_steps(name: str, tmp_path: Path) -> None:
    network = StandIn()
    optimizer = optimizer_of([network], config_of(tmp_path, name))
    before = network.loss()
    for _ in range(30):
        network.pull()
        optimizer.update()
    assert network.loss() < before * 0.9999


@every_name
def test_it_is_the_librarys_own(name: str, tmp_path: Path) -> None:
    """Also where all weights are one parameter and the library has the matrices."""
    network = StandIn()
    theirs = copies(network)
    optimizer, library = optimizer_of([network], config_of(tmp_path, name)), library_of(name, theirs)
    start = network.weights.detach().clone()
    for step in range(10):
        flat = gradients(step, network)
        network.gradients.copy_(flat)
        optimizer.update()
        step_with(library, theirs, flat)
    moved = (network.weights.detach() - start).abs().max().item()
    difference = (network.weights.detach() - joined(theirs)).abs().max().item()
    assert moved > 0
    # What a sum over all weights decides differs by the order of its terms.
    assert difference <= max(1e-6, 1e-4 * moved)


@every_name
def test_gradients_that_are_not_finite_leave_no_trace(name: str, tmp_path: Path) -> None:
    """Not in the weights, nor in what the optimizer remembers: on the first step, or on a later one."""
    clean, disturbed = StandIn(), StandIn()
    config = config_of(tmp_path, name)
    optimizers = [optimizer_of([clean], config), optimizer_of([disturbed], config)]
    for step in range(10):
        if step in {0, 7}:
            before = disturbed.weights.detach().clone()
            disturbed.gradients.fill_(1.0)[step] = math.inf
            update = optimizers[1].update()
            assert not update.gradient_norm.isfinite()
            assert torch.equal(disturbed.weights, before)
        flat = gradients(step, clean)
        for network, optimizer in zip((clean, disturbed), optimizers, strict=True):
            network.gradients.copy_(flat)
            optimizer.update()
    assert not torch.equal(clean.weights, StandIn().weights)
    torch.testing.assert_close(disturbed.weights, clean.weights, rtol=0, atol=1e-7)


@every_name
def test_a_rate_that_rises_from_0_begins_with_no_change(name: str, tmp_path: Path) -> None:
    network = StandIn()
    changes = {"lr_scheduler": "constant_with_warmup", "lr_warmup_steps": 3}
    optimizer = optimizer_of([network], config_of(tmp_path, name, **changes))
    before = network.weights.detach().clone()
    network.gradients.copy_(gradients(0, network))
    optimizer.update()
    if name not in {*SCHEDULE_FREE, "Adafactor"}:
        assert torch.equal(network.weights, before)
    for step in range(10):
        network.gradients.copy_(gradients(step, network))
        optimizer.update()
    assert network.weights.isfinite().all()
    assert not torch.equal(network.weights, before)


@every_name
def test_what_is_saved_is_the_average_and_training_goes_on_as_before(name: str, tmp_path: Path) -> None:
    network = StandIn()
    theirs = copies(network)
    optimizer, library = optimizer_of([network], config_of(tmp_path, name)), library_of(name, theirs)
    for step in range(10):
        flat = gradients(step, network)
        network.gradients.copy_(flat)
        optimizer.update()
        step_with(library, theirs, flat)
    before = network.weights.detach().clone()
    if hasattr(library, "eval"):
        library.eval()
    with optimizer.averaged():
        inside = network.weights.detach().clone()
    assert torch.equal(network.weights, before)
    assert torch.equal(inside, before) == (name not in SCHEDULE_FREE)
    moved = (before - StandIn().weights.detach()).abs().max().item()
    assert (inside - joined(theirs)).abs().max().item() <= max(1e-6, 1e-4 * moved)
    network.gradients.copy_(gradients(5, network))
    optimizer.update()
    assert not torch.equal(network.weights, before)


def test_weights_are_restored_after_a_failure(tmp_path: Path) -> None:
    network = StandIn()
    optimizer = optimizer_of([network], config_of(tmp_path, "AdamWScheduleFree"))
    network.pull()
    optimizer.update()
    network.pull()
    optimizer.update()
    before = network.weights.detach().clone()
    with pytest.raises(RuntimeError, match="disk"), optimizer.averaged():
        raise RuntimeError("disk")
    assert torch.equal(network.weights, before)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("AdamW", "", "torch.optim.adamw.AdamW"),
        (
            "AdamW",
            "weight_decay=0.1 betas=0.9,0.99",
            "torch.optim.adamw.AdamW(weight_decay=0.1,betas=(0.9, 0.99))",
        ),
        ("SGDNesterov", "", "torch.optim.sgd.SGD(momentum=0.9)"),
        ("SGDNesterov", "momentum=0.5", "torch.optim.sgd.SGD(momentum=0.5)"),
        ("adafactor", "", "transformers.optimization.Adafactor(relative_step=True)"),
        ("AdamW8bit", "", "bitsandbytes.optim.adamw.AdamW8bit"),
        ("Prodigy", "decouple=True", "prodigyopt.prodigy.Prodigy(decouple=True)"),
    ],
)
def test_files_tell_the_optimizer_as_kohyas_do(
    name: str, arguments: str, expected: str, tmp_path: Path
) -> None:
    config = make_config(tmp_path, optimizer=name, optimizer_args=arguments, learning_rate=1.0)
    assert optimizer_of([StandIn()], config).description() == expected


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("bad_optimizer", {"optimizer_args": "betas=0.9,1.5"}),
        ("bad_optimizer", {"optimizer": "bitsandbytes.optim.NoSuchOptimizer"}),
        ("bad_schedule", {"lr_scheduler_type": "StepLR", "lr_scheduler_args": "step_size='many'"}),
        ("bad_schedule", {"lr_scheduler_type": "OneCycleLR", "lr_scheduler_args": "max_lr=1 total_steps=8"}),
        ("bad_schedule", {"lr_scheduler": "polynomial", "learning_rate": 1e-8}),
    ],
)
def test_what_a_library_refuses_is_said_before_the_run(
    code: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    with pytest.raises(ProblemError) as raised:
        try_optimizer(make_config(tmp_path, **changes), 10)
    assert raised.value.problem.code == code
    try_optimizer(make_config(tmp_path), 10)
