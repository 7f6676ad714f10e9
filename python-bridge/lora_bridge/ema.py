"""The moving average of what is learnt, which is calmer than the newest step."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from torch import Tensor

    from lora_bridge.networks import Network


class Ema:
    """Averages of the networks' weights, fp32, on their device.

    Each update keeps `min(decay, (1 + n) / (10 + n))` of the average after n updates: it begins short, so
    that the zeros of the start are soon forgotten (as TensorFlow's `ExponentialMovingAverage` does).
    """

    def __init__(self, networks: Sequence[Network], decay: float) -> None:
        """`decay` is from 0, below 1."""
        self._flats = [network.flat for network in networks]
        self._decay = decay
        self._updates = 0
        self._averages = [flat.weights.detach().float().clone() for flat in self._flats]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the present weights."""
        self._updates += 1
        kept = min(self._decay, (1 + self._updates) / (10 + self._updates))
        for average, flat in zip(self._averages, self._flats, strict=True):
            average.lerp_(flat.weights.detach().float(), 1 - kept)

    @contextmanager
    def shown(self) -> Generator[None]:
        """Inside, the weights are their averages. Outside they are bit for bit what they were."""
        kept = [flat.weights.detach().clone() for flat in self._flats]
        for flat, average in zip(self._flats, self._averages, strict=True):
            flat.weights.detach().copy_(average)
        try:
            yield
        finally:
            for flat, weights in zip(self._flats, kept, strict=True):
                flat.weights.detach().copy_(weights)

    def state(self) -> dict[str, object]:
        """What `load_state` goes on from."""
        return {"updates": self._updates, "averages": self._averages}

    def load_state(self, updates: int, averages: Sequence[Tensor]) -> None:
        """Go on from what `state` gave."""
        self._updates = updates
        for own, given in zip(self._averages, averages, strict=True):
            own.copy_(given)
