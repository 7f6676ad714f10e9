"""The weights and gradients of a network as an optimizer gets them: always fp32."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from lora_bridge.stochastic_rounding import round_into, rounding_generator

if TYPE_CHECKING:
    from lora_bridge.flat_weights import FlatWeights


class WorkingWeights(Protocol):
    """What learns of a network: by section, in one piece or by matrix, with their `.grad`."""

    @property
    def groups(self) -> list[list[nn.Parameter]]: ...

    @property
    def gradients(self) -> Tensor:
        """Flat; the parameters' `.grad` are views of it."""
        ...

    def fetch(self) -> None:
        """Let the parameters and gradients be those of the network."""
        ...

    def show(self) -> None:
        """Let the network have the parameters, rounded to the nearest."""
        ...

    def store(self) -> None:
        """Let the network have the parameters after a step."""
        ...

    @property
    def steps(self) -> int:
        """How often chance rounded weights; 0 where nothing is rounded."""
        ...

    @steps.setter
    def steps(self, steps: int) -> None: ...


def working_weights(flat: FlatWeights, stream: str, *, whole: bool) -> WorkingWeights:
    """`stream` names the draws that round bf16 weights; `whole`: each section as one parameter."""
    if flat.weights.dtype == torch.float32:
        return _OwnWeights(flat, whole=whole)
    return _RoundedWeights(flat, stream, whole=whole)


def _groups(flat: FlatWeights, *, whole: bool) -> list[list[nn.Parameter]]:
    return [[section.flat] if whole else section.matrices for section in flat.sections]


class _OwnWeights:
    """The network's own: there is nothing to carry over."""

    def __init__(self, flat: FlatWeights, *, whole: bool) -> None:
        self.groups = _groups(flat, whole=whole)
        self.gradients = flat.gradients
        self.steps = 0

    def fetch(self) -> None:
        pass

    def show(self) -> None:
        pass

    def store(self) -> None:
        pass


class _RoundedWeights:
    """fp32 copies of bf16 weights that live for one update, then are rounded without bias."""

    def __init__(self, flat: FlatWeights, stream: str, *, whole: bool) -> None:
        self._flat = flat
        self._stream = stream
        self.steps = 0
        self._own = [tensor for group in _groups(flat, whole=whole) for tensor in group]
        self._parameters = [nn.Parameter(torch.empty(0)) for _ in self._own]
        remaining = iter(self._parameters)
        self.groups = [[next(remaining) for _ in group] for group in _groups(flat, whole=whole)]
        self.fetch()

    @property
    def gradients(self) -> Tensor:
        return self._gradients

    def fetch(self) -> None:
        self._values = self._flat.weights.detach().float()
        self._gradients = self._flat.gradients.float()
        for parameter, own in zip(self._parameters, self._own, strict=True):
            start = own.storage_offset()
            place = slice(start, start + own.numel())
            parameter.grad = None
            parameter.data = self._values[place].view(own.shape)
            parameter.grad = self._gradients[place].view(own.shape)

    def show(self) -> None:
        self._flat.weights.detach().copy_(self._values)

    def store(self) -> None:
        self.steps += 1
        generator = rounding_generator(self._stream, self.steps, self._values.device)
        round_into(self._flat.weights.detach(), self._values, generator)
        self._release()

    def _release(self) -> None:
        """Between two updates nothing in fp32 stays but what the optimizer remembers."""
        nothing = self._values.new_empty(0)
        self._values = self._gradients = nothing
        for parameter in self._parameters:
            parameter.grad = None
            parameter.data = nothing
