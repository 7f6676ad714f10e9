"""How often regularization pictures are shown in an epoch."""

from __future__ import annotations

from bisect import bisect_right
from itertools import accumulate, repeat
from math import gcd
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Sequence


class Rotation(Struct, frozen=True):
    """How often each regularization picture is shown: in every epoch equally often altogether.

    Beside what all epochs show, the pictures lie on a ring, each as long as its repeats. An epoch shows the
    next `moving` of it and begins anew after the last.
    """

    always: tuple[int, ...]
    """By picture: how often every epoch shows it."""
    ends: tuple[int, ...]
    """By picture: where it ends on the ring."""
    moving: int
    """At most as much as the ring is long."""
    turns: bool
    """Else every epoch begins where the first does, as Kohya's do."""

    def _start(self, epoch: int) -> int:
        """Where on the ring an epoch, counted from 1, begins."""
        return (epoch - 1) * self.moving % self.ends[-1] if self.turns and self.moving else 0

    @property
    def period(self) -> int:
        """After how many epochs one begins like the first."""
        return self.ends[-1] // gcd(self.moving, self.ends[-1]) if self.turns and self.moving else 1

    def repeats(self, epoch: int) -> list[int]:
        """How often an epoch, counted from 1, shows each picture."""
        repeats = list(self.always)
        place, left = self._start(epoch), self.moving
        index = bisect_right(self.ends, place)
        while left:
            taken = min(left, self.ends[index] - place)
            repeats[index] += taken
            left -= taken
            place = self.ends[index] % self.ends[-1]
            index = (index + 1) % len(self.ends)
        return repeats

    def shown(self, epochs: int) -> list[bool]:
        """Which pictures any of the first `epochs` epochs shows."""
        reached = self.moving * (epochs if self.turns else 1)
        starts = (0, *self.ends)
        return [times > 0 or start < reached for times, start in zip(self.always, starts, strict=False)]


def balance_regularization(num_train: int, repeats: Sequence[int], *, turns: bool) -> Rotation:
    """As many regularization samples as an epoch has training samples, `num_train`.

    Kohya's rule (sd-scripts `DreamBoothDataset`): pictures are taken in order until their repeats, each at
    least 1, reach `num_train`; when there are too few, each gets one more in turn. Every epoch of Kohya's
    shows the same, so that a surplus is never used. Here, where it `turns`, the first epoch is Kohya's and
    each goes on where the one before it ended.
    """
    count = len(repeats)
    missing = num_train - sum(repeats)
    if missing > 0 and count:
        each, rest = divmod(missing, count)
        always = tuple(times + each for times in repeats)
        return Rotation(always, tuple(range(1, count + 1)), rest, turns)
    ends = tuple(accumulate(repeats))
    reached = next((end for end in (0, *ends) if end >= num_train), 0)
    return Rotation(tuple(repeat(0, count)), ends, reached, turns)
