"""The loss and every gradient of one step, against a reference that shares no code with the trainer.

The trainer computes in fp32 and the reference in float64. The loss, and the gradient of each part of the
model as a whole, are within 1e-5: the norm of the difference over the norm. So are single matrices, but for a
few of attention, whose gradients are small differences of large numbers: fp32 has half a digit less there.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import msgspec
import pytest
import torch
from step_cases import CASES, TIMES, make_project, options_of, shown_as
from step_reference import Batch, Reference, latent_noise
from training_support import make_config, run_training

from lora_bridge.lora import LoraNetwork
from lora_bridge.materials import Materials
from lora_bridge.optim import Optimizer
from lora_bridge.protocol_types import StepEvent

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from step_reference import Matrices
    from torch import Tensor

    from lora_bridge.appearances import Appearance

CLOSE = 1e-5
CLOSE_IN_A_MATRIX = 3e-5


class Took(NamedTuple):
    """What the trainer did in its step."""

    weights: dict[str, Matrices]
    gradients: dict[str, Matrices]
    batches: list[list[Appearance]]
    timesteps: list[Tensor]
    draws: list[list[Tensor]]
    """Of each batch."""
    event: StepEvent


class Chance:
    """Known numbers in place of the training's chance, other ones at each call."""

    def __init__(self) -> None:
        self.encoding = True
        """Whether what is drawn is for the autoencoder."""
        self.timesteps: list[Tensor] = []
        self.draws: list[list[Tensor]] = []
        self._count = 0

    def randn(self, size: tuple[int, ...], **_options: Any) -> Tensor:
        if self.encoding:
            return latent_noise(size)
        self._count += 1
        drawn = torch.empty(size).normal_(generator=torch.Generator().manual_seed(self._count))
        self.draws[-1].append(drawn)
        return drawn

    def randint(self, lowest: int, end: int, size: tuple[int], **_options: Any) -> Tensor:
        assert (lowest, end) == (0, 1000)
        first = sum(map(len, self.timesteps))
        self.timesteps.append(torch.tensor([TIMES[(first + place) % len(TIMES)] for place in range(size[0])]))
        return self.timesteps[-1]


@pytest.fixture(scope="module")
def reference(tiny_sdxl: Path) -> Reference:
    return Reference(tiny_sdxl, rank=4, alpha=2.0)


def matrices_of(network: LoraNetwork, *, gradients: bool) -> Matrices:
    flat = [each.grad if gradients else each.detach() for each in network.flat.matrices]
    copies = [cast("Tensor", each).clone() for each in flat]
    names = [pair.name for pair in network.pairs]
    return dict(zip(names, zip(copies[::2], copies[1::2], strict=True), strict=True))


def take_step(project: Path, model: Path, options: dict[str, Any]) -> Took:
    """One step of the trainer; its LoRA has something in every matrix, so that a gradient reaches all."""
    chance = Chance()
    networks: list[LoraNetwork] = []
    weights: dict[str, Matrices] = {}
    gradients: dict[str, Matrices] = {}
    batches: list[list[Appearance]] = []
    build: Any = LoraNetwork.__init__
    make_batch, update = Materials.batch, Optimizer.update

    def built(network: LoraNetwork, *arguments: Any, **named: Any) -> None:
        build(network, *arguments, **named)
        filler = torch.Generator().manual_seed(len(networks))
        for pair in network.pairs:
            pair.up.uniform_(-0.5, 0.5, generator=filler)
        network.flat.publish()
        networks.append(network)
        weights[network.part] = matrices_of(network, gradients=False)

    def batched(materials: Materials, appearances: Sequence[Appearance]) -> Any:
        batches.append(list(appearances))
        chance.encoding = True
        batch = make_batch(materials, appearances)
        chance.encoding = False
        chance.draws.append([])
        return batch

    def updated(optimizer: Optimizer) -> Any:
        gradients.update({network.part: matrices_of(network, gradients=True) for network in networks})
        return update(optimizer)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn", chance.randn)
        patch.setattr(torch, "randint", chance.randint)
        patch.setattr(LoraNetwork, "__init__", built)
        patch.setattr(Materials, "batch", batched)
        patch.setattr(Optimizer, "update", updated)
        _, sink = run_training(project, model, **options)
    (event,) = sink.of(StepEvent)
    return Took(weights, gradients, batches, chance.timesteps, chance.draws, event)


def flat(matrices: Matrices) -> Tensor:
    """All numbers in one row."""
    return torch.cat([each.flatten() for pair in matrices.values() for each in pair])


def size(numbers: Tensor) -> float:
    """Their Euclidean norm."""
    return numbers.double().square().sum().sqrt().item()


def assert_close(got: Matrices, wanted: Matrices, part: str) -> None:
    assert got.keys() == wanted.keys()
    for layer, pair in wanted.items():
        for one, other in zip(got[layer], pair, strict=True):
            if is_deaf(part, layer):
                assert not one.any()
                assert not other.any()
            else:
                assert size(one - other) <= CLOSE_IN_A_MATRIX * size(other), (part, layer)
    ordered = {layer: got[layer] for layer in wanted}
    assert size(flat(ordered) - flat(wanted)) <= CLOSE * size(flat(wanted)), part


def is_deaf(part: str, layer: str) -> bool:
    """Whether nothing flows to a layer: the UNet never sees what the first encoder's last layer gives."""
    return part == "text_encoder_1" and "layers.2." in layer


@pytest.mark.parametrize("name", CASES)
def test_a_step_is_that_of_the_reference(
    name: str, tmp_path: Path, tiny_sdxl: Path, reference: Reference
) -> None:
    case = CASES[name]
    make_project(tmp_path, case)
    changes = options_of(tmp_path, case)
    took = take_step(tmp_path, tiny_sdxl, changes)
    options = msgspec.to_builtins(make_config(tmp_path, **changes))
    batches = [
        Batch(
            [
                shown_as(tmp_path, each.sample.picture.path, options, flipped=each.view.flipped)
                for each in shown
            ],
            timesteps,
            iter(draws),
        )
        for shown, timesteps, draws in zip(took.batches, took.timesteps, took.draws, strict=True)
    ]
    mirrored = {each.flipped for batch in batches for each in batch.shown}
    assert mirrored == ({True, False} if options["flip_aug"] else {False})

    answer = reference.step(took.weights, batches, options)
    assert all(next(batch.draws, None) is None for batch in batches)
    assert took.event.loss == pytest.approx(answer.loss, rel=CLOSE)
    assert took.gradients.keys() == answer.gradients.keys() == case.trained
    for part, wanted in answer.gradients.items():
        assert_close(took.gradients[part], wanted, part)
    norm = size(torch.cat([flat(matrices) for matrices in answer.gradients.values()]))
    assert took.event.grad_norm == pytest.approx(norm, rel=CLOSE)
