"""Where the pictures of a run come from, before any of them is looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lora_bridge.protocol_types import ConceptSource, TrainConfig


class FolderSource(NamedTuple):
    """A folder of pictures."""

    config: TrainConfig
    """As it applies to this folder."""
    concept: ConceptSource
    preserves_output: bool = False
    place: str = ""
    """Where it was asked for, such as `dogs.toml, datasets[0].subsets[1]`; empty without a TOML."""


class PartSource(NamedTuple):
    """Folders whose pictures share buckets and batches."""

    config: TrainConfig
    """As it applies to this part."""
    folders: list[FolderSource]
    place: str = ""
