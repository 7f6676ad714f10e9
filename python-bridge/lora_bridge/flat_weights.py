"""All numbers of a network that learn, in one buffer, and the views of it.

SDXL has 1,444 LoRA matrices. Handled one by one, their updates, casts and norms are thousands of tiny
launches a step; as views of one buffer they are one each.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor, nn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Section(NamedTuple):
    """What a tensor learns at."""

    factor: float = 1.0
    """Times the learning rate of its part; 0 freezes it."""
    name: str = ""
    """As Kohya's logs have it: `block4`, `plus`, or both; empty for most."""


class Slot(NamedTuple):
    """A tensor that a network asks for."""

    shape: tuple[int, ...]
    section: Section = Section()


class SectionView(NamedTuple):
    """A run of the buffer that learns at one rate."""

    factor: float
    name: str
    flat: nn.Parameter
    """All of it in one piece."""
    matrices: list[nn.Parameter]
    """The same by tensor."""


class FlatWeights:
    """Numbers in `dtype` that layers compute with in `compute_dtype`. All are zeros at first.

    `gradients` belongs to `weights` as its `.grad`, and every view has its part of both: what is written to
    one is written to the other, and a `.grad` must stay the same tensor. Tensors lie in the order of their
    sections, within a section in that of their slots.
    """

    def __init__(
        self,
        slots: Sequence[Slot],
        *,
        dtype: torch.dtype,
        compute_dtype: torch.dtype,
        device: torch.device,
    ) -> None:
        order = sorted(range(len(slots)), key=_by_section(slots))
        places = _places(slots, order)
        total = sum(math.prod(slot.shape) for slot in slots)
        self.weights = nn.Parameter(torch.zeros(total, dtype=dtype, device=device))
        self.gradients = torch.zeros_like(self.weights.detach())
        self.weights.grad = self.gradients
        self._split = compute_dtype != dtype
        values = self.weights.detach()
        self._active = torch.zeros(total, dtype=compute_dtype, device=device) if self._split else values
        self._active_gradients = torch.zeros_like(self._active) if self._split else self.gradients
        self.matrices = [
            _view(values, self.gradients, *place, slot) for place, slot in zip(places, slots, strict=True)
        ]
        """By slot, in `dtype`."""
        self.active = (
            [
                _view(self._active, self._active_gradients, *place, slot)
                for place, slot in zip(places, slots, strict=True)
            ]
            if self._split
            else self.matrices
        )
        """By slot, in `compute_dtype`: what the layers compute with."""
        self.sections = [
            self._section(section, [index for index in order if slots[index].section == section], places)
            for section in dict.fromkeys(slot.section for slot in slots)
            if section.factor > 0
        ]
        """Those that learn."""

    def collect(self) -> None:
        """Add what a backward pass left to `gradients`: in fp32, many small batches lose nothing."""
        if self._split:
            self.gradients.add_(self._active_gradients)
            self._active_gradients.zero_()

    def publish(self) -> None:
        """Let the layers compute with the present `weights`, and forget the gradients."""
        if self._split:
            self._active.copy_(self.weights.detach())
        self.gradients.zero_()

    def _section(self, section: Section, members: list[int], places: list[tuple[int, int]]) -> SectionView:
        start, end = places[members[0]][0], places[members[-1]][1]
        whole = (start, end) == (0, len(self.weights))
        flat = self.weights
        if not whole:
            flat = _leaf(self.weights.detach()[start:end], self.gradients[start:end])
        matrices = [self.matrices[index] for index in members]
        return SectionView(section.factor, section.name, flat, matrices)


def _by_section(slots: Sequence[Slot]) -> Callable[[int], int]:
    ranks = {section: rank for rank, section in enumerate(dict.fromkeys(slot.section for slot in slots))}
    return lambda index: ranks[slots[index].section]


def _places(slots: Sequence[Slot], order: Sequence[int]) -> list[tuple[int, int]]:
    """By slot: where its tensor begins and ends in the buffer."""
    places = [(0, 0)] * len(slots)
    start = 0
    for index in order:
        end = start + math.prod(slots[index].shape)
        places[index] = (start, end)
        start = end
    return places


def _view(values: Tensor, gradients: Tensor, start: int, end: int, slot: Slot) -> nn.Parameter:
    leaf = _leaf(values[start:end].view(slot.shape), gradients[start:end].view(slot.shape))
    leaf.requires_grad_(slot.section.factor > 0)
    return leaf


def _leaf(values: Tensor, gradients: Tensor) -> nn.Parameter:
    leaf = nn.Parameter(values)
    # Autograd adds in place to a gradient that is already there.
    leaf.grad = gradients
    return leaf
