"""Which pictures are kept back from training, for the validation loss."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_HINT = "Add pictures, or set Validation split to 0."


def split_for_validation(pictures: Sequence[Path], share: float, seed: int) -> frozenset[int]:
    """The numbers of the pictures that are kept back: `share` of them, at least one, and not all.

    Drawn by the names of file and folder and the seed alone: moving a project changes nothing, a picture that
    comes or goes changes the side of one other at most. Kohya shuffles each folder, so that one more picture
    deals all of them anew. Raises ProblemError `validation_split` where there are not two pictures.
    """
    if not share:
        return frozenset()
    if len(pictures) < 2:
        raise ProblemError(
            "validation_split",
            "Validation split keeps pictures back, but "
            + ("there is only one picture that can be used." if pictures else "no picture can be used."),
            _HINT,
        )
    count = min(max(round(len(pictures) * share), 1), len(pictures) - 1)
    order = sorted(range(len(pictures)), key=lambda index: _lot(pictures[index], seed))
    return frozenset(order[:count])


def _lot(picture: Path, seed: int) -> float:
    return random.Random(f"{seed}-{picture.parent.name}/{picture.name}").random()
