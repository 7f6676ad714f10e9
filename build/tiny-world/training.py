"""What the makers of the tiny models share: a log of the training, a moving average of weights, pixels."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from muon import Muon
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from PIL import Image
    from torch import Tensor


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


class Descent:
    """Muon for matrices and convolutions, AdamW for all else: several times fewer steps than AdamW alone.

    The rates are those at the height of the schedule, a warmed cosine.
    """

    def __init__(
        self, modules: Sequence[nn.Module], steps: int, *, rate: float, adam_rate: float, warmup: int = 50
    ) -> None:
        parts = [part for module in modules for part in module.modules()]
        # Rows that are looked up one by one: what is orthogonal about them means nothing.
        tables = {part.weight for part in parts if isinstance(part, nn.Embedding)}
        self._weights = [weight for module in modules for weight in module.parameters()]
        matrices = [weight for weight in self._weights if weight.ndim >= 2 and weight not in tables]
        others = [weight for weight in self._weights if weight.ndim < 2 or weight in tables]
        adam = torch.optim.AdamW(others, lr=adam_rate, betas=(0.9, 0.99), weight_decay=0.0)
        self._rates = [(Muon(matrices, rate), rate), (adam, adam_rate)]
        self._steps, self._warmup, self._step = steps, warmup, 0

    def step(self, loss: Tensor) -> None:
        """One step down the gradient of a loss."""
        share = warmed_cosine(self._step, self._steps, self._warmup)
        self._step += 1
        for weight in self._weights:
            weight.grad = None
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self._weights, 1.0)
        for optimizer, rate in self._rates:
            for group in optimizer.param_groups:
                group["lr"] = rate * share
            optimizer.step()


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
