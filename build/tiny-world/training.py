"""What the makers of the tiny models share: a log of the training, a moving average of weights, pixels."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image
    from torch import Tensor, nn


class Log(NamedTuple):
    """Lines to the console and to a file, each with the seconds since the start; processes may share one."""

    file: Path
    started: float
    """As `time.time` tells it."""

    def say(self, text: str) -> None:
        """Write one line."""
        line = f"{time.time() - self.started:6.0f} s  {text}"
        print(line, flush=True)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


class Average:
    """An exponential moving average of a model's weights (Polyak and Juditsky 1992)."""

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._model = model
        self._decay = decay
        self._steps = 0
        self._weights = [weight.detach().clone() for weight in model.parameters()]

    @torch.no_grad()
    def update(self) -> None:
        """Take in the model's weights; the first ones fade faster."""
        self._steps += 1
        decay = min(self._decay, (1 + self._steps) / (10 + self._steps))
        torch._foreach_lerp_(self._weights, list(self._model.parameters()), 1 - decay)

    @torch.no_grad()
    def apply(self) -> None:
        """Put the average in the place of the model's weights."""
        for weight, average in zip(self._model.parameters(), self._weights, strict=True):
            weight.copy_(average)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """The average in the place of the model's weights for a while."""
        weights = [weight.detach().clone() for weight in self._model.parameters()]
        self.apply()
        try:
            yield
        finally:
            with torch.no_grad():
                for weight, learnt in zip(self._model.parameters(), weights, strict=True):
                    weight.copy_(learnt)


def pixels_of(pictures: Sequence[Image.Image]) -> Tensor:
    """[N, 3, H, W], uint8."""
    arrays: list[Any] = [np.asarray(picture) for picture in pictures]
    return torch.from_numpy(np.stack(arrays)).permute(0, 3, 1, 2).contiguous()


def scaled(pixels: Tensor) -> Tensor:
    """From uint8 to the range of the models, -1 to 1."""
    return pixels.float() / 127.5 - 1


def warmed_cosine(step: int, steps: int, warmup: int) -> float:
    """The share of the learning rate at a step: a straight rise, then half a cosine down to 1 %."""
    if step < warmup:
        return (step + 1) / warmup
    progress = (step - warmup) / max(1, steps - warmup)
    return 0.01 + 0.99 * 0.5 * (1 + float(np.cos(np.pi * progress)))
