"""What holds for all layers of a network at once: whether they act, and what chance leaves out of them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Generator


class Chances(NamedTuple):
    """How often what is left out, from 0 to 1, as Kohya has it."""

    values: float = 0.0
    """Network dropout: each value between down and up, or of what a LyCORIS module adds."""
    ranks: float = 0.0
    """Rank dropout: each rank, or each row of a LyCORIS module's effect."""
    modules: float = 0.0
    """Module dropout: the whole module."""

    @property
    def any(self) -> bool:
        return max(self) > 0


class Switches:
    """Turned in one place, read by every layer."""

    def __init__(self, chances: Chances) -> None:
        self.chances = chances
        self.on = True
        """Whether the layers add anything."""
        self.training = True
        """Whether chance leaves anything out."""

    @property
    def draws(self) -> bool:
        return self.training and self.chances.any

    @contextmanager
    def off(self) -> Generator[None]:
        """Inside, the layers add nothing."""
        before = self.on
        self.on = False
        try:
            yield
        finally:
            self.on = before

    @contextmanager
    def resting(self) -> Generator[None]:
        """Inside, nothing is left out by chance."""
        before = self.training
        self.training = False
        try:
            yield
        finally:
            self.training = before
