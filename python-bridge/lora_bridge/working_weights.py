"""The weights and gradients of a network as an optimizer gets them: always fp32."""

from __future__ import annotations

from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor, nn

from lora_bridge.stochastic_rounding import round_into, rounding_generator

if TYPE_CHECKING:
    from lora_bridge.lora import LoraNetwork


class WorkingWeights(Protocol):
    """`parameters` are all of a network's weights, in one piece or by matrix, with their `.grad`."""

    @property
    def parameters(self) -> list[nn.Parameter]: ...

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


def working_weights(network: LoraNetwork, stream: str, *, flat: bool) -> WorkingWeights:
    """`stream` names the draws that round bf16 weights; `flat`: as one parameter."""
    if network.weights.dtype == torch.float32:
        return _OwnWeights(network, flat=flat)
    return _RoundedWeights(network, stream, flat=flat)


class _OwnWeights:
    """The network's own: there is nothing to carry over."""

    def __init__(self, network: LoraNetwork, *, flat: bool) -> None:
        self.parameters = [network.weights] if flat else network.matrices
        self.gradients = network.gradients

    def fetch(self) -> None:
        pass

    def show(self) -> None:
        pass

    def store(self) -> None:
        pass


class _RoundedWeights:
    """fp32 copies of bf16 weights that live for one update, then are rounded without bias."""

    def __init__(self, network: LoraNetwork, stream: str, *, flat: bool) -> None:
        self._network = network
        self._stream = stream
        self._steps = 0
        self._shapes = [tensor.shape for tensor in ([network.weights] if flat else network.matrices)]
        self.parameters = [nn.Parameter(torch.empty(0)) for _ in self._shapes]
        self.fetch()

    @property
    def gradients(self) -> Tensor:
        return self._gradients

    def fetch(self) -> None:
        self._values = self._network.weights.detach().float()
        self._gradients = self._network.gradients.float()
        ends = accumulate((shape.numel() for shape in self._shapes), initial=0)
        for parameter, shape, (start, end) in zip(self.parameters, self._shapes, pairwise(ends), strict=True):
            parameter.grad = None
            parameter.data = self._values[start:end].view(shape)
            parameter.grad = self._gradients[start:end].view(shape)

    def show(self) -> None:
        self._network.weights.detach().copy_(self._values)

    def store(self) -> None:
        self._steps += 1
        generator = rounding_generator(self._stream, self._steps, self._values.device)
        round_into(self._network.weights.detach(), self._values, generator)
        self._release()

    def _release(self) -> None:
        """Between two updates nothing in fp32 stays but what the optimizer remembers."""
        nothing = self._values.new_empty(0)
        self._values = self._gradients = nothing
        for parameter in self.parameters:
            parameter.grad = None
            parameter.data = nothing
