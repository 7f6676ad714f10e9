"""Whether what a run will write has room, asked before it is needed."""

from __future__ import annotations

import shutil
from collections import defaultdict
from typing import TYPE_CHECKING, NamedTuple

from lora_bridge.problems import ProblemError
from lora_bridge.wording import listed, mebibytes

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Need(NamedTuple):
    """Bytes that go to a folder that is there."""

    folder: Path
    bytes: int
    what: str
    """As in `the LoRA of this run`."""


def require_room(needs: Sequence[Need]) -> None:
    """Raise ProblemError `disk_full` unless each disk has room for all that goes to it."""
    by_disk: defaultdict[int, list[Need]] = defaultdict(list)
    for need in needs:
        by_disk[need.folder.stat().st_dev].append(need)
    for together in by_disk.values():
        size = sum(need.bytes for need in together)
        free = shutil.disk_usage(together[0].folder).free
        if free < size:
            verb = "needs" if len(together) == 1 and together[0].what.startswith("the LoRA") else "need"
            raise ProblemError(
                "disk_full",
                f"The disk of {together[0].folder} has {mebibytes(free)} free, but "
                f"{listed([need.what for need in together])} {verb} {mebibytes(size)}.",
                "Make room, save less often (Save every N epochs), or choose a folder on another disk.",
            )
