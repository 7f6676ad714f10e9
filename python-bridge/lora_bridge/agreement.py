"""What all processes of a training must have alike, also where they run on several machines."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from lora_bridge.identity import Identity, changes, identity_of
from lora_bridge.joining import rank_folder
from lora_bridge.metadata_config import config_for_reproduction
from lora_bridge.problems import ProblemError
from lora_bridge.resuming import state_to_go_on_from
from lora_bridge.run_state import receive_state
from lora_bridge.world import OthersLostError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.dataset import Dataset
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_state import SavedState
    from lora_bridge.world import World


def state_for_all(config: TrainConfig, job_folder: Path, world: World) -> SavedState | None:
    """What the first machine goes on from; other machines receive it, as only the first saves.

    Raises ProblemError as `state_to_go_on_from`, and OSError.
    """
    own = state_to_go_on_from(config, job_folder) if config.machine_rank == 0 else None
    if config.num_machines == 1:
        return own
    files = own.files() if own is not None and world.is_first else (b"", b"")
    received = [world.handed_out(content) for content in files]
    if config.machine_rank == 0 or not all(received):
        return own
    return receive_state(rank_folder(job_folder) / f"{world.place.local_rank}-state", received)


class _Side(Struct):
    """What one process is about to train."""

    identity: Identity
    config: dict[str, Any]


def require_alike(config: TrainConfig, dataset: Dataset, world: World, seed: int) -> None:
    """Raise ProblemError `processes_differ`, or OthersLostError, where not all would train the same."""
    if world.is_alone:
        return
    # Files may lie elsewhere on another machine.
    mine = _Side(identity_of(config, dataset), json.loads(config_for_reproduction(config, seed)))
    first = msgspec.json.decode(world.handed_out(msgspec.json.encode(mine)), type=_Side)
    found = changes(first.identity, mine.identity, first.config, mine.config)
    if not any(world.any(bool(found))):
        return
    if not found and config.num_machines == 1:
        raise OthersLostError("Another process says what differs.")
    raise ProblemError(
        "processes_differ",
        f"Not all processes would train the same. Beside the first one: {' '.join(found)}"
        if found
        else "Another machine would not train the same as this one; its own run says what differs.",
        "Use the same settings, pictures, captions and model on every machine.",
    )
