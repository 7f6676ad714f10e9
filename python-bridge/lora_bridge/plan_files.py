"""The files that a run will write, how large they become, and whether there is room. No torch."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from lora_bridge.file_sizes import lora_bytes, state_bytes, states_at_once
from lora_bridge.lora_sizes import lora_amount
from lora_bridge.protocol_types import Disk, PlannedFiles, Problem
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.sample_times import SampleTimes
from lora_bridge.saving import SaveTimes
from lora_bridge.wording import mebibytes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_length import Schedule

_SAMPLE_BYTES_PER_PIXEL = 1.2
"""Of a photo as PNG: 1.0 to 1.3 for portraits of 0.4 megapixels, 0.8 to 1.0 for enlarged ones."""


def planned_files(config: TrainConfig, schedule: Schedule) -> PlannedFiles:
    """What a run of this length writes if it goes to its end. Raises ProblemError for its prompts."""
    times = SaveTimes(config, schedule)
    on_the_way = times.most_files()
    amount = lora_amount(config)
    checkpoint = None if amount is None else lora_bytes(config, amount)
    state = None if amount is None else state_bytes(amount.numbers)
    states = states_at_once(config, on_the_way)
    prompts = parse_prompts(config)
    rounds = SampleTimes(config).rounds(schedule) if prompts else 0
    pixels = sum(prompt.width * prompt.height for prompt in prompts)
    samples_bytes = round(rounds * pixels * _SAMPLE_BYTES_PER_PIXEL)
    needs: list[tuple[str, int | None]] = [
        (config.output_dir, None if checkpoint is None else (on_the_way + 1) * checkpoint),
        (config.logging_dir, _together(samples_bytes, _times(states, state))),
    ]
    return PlannedFiles(
        checkpoints=times.saved_files() + 1,
        checkpoints_kept=times.kept_files() + 1,
        checkpoint_bytes=checkpoint,
        states=states,
        state_bytes=state,
        samples=rounds * len(prompts),
        samples_bytes=samples_bytes,
        disks=list(_disks(needs)),
    )


def room_warnings(files: PlannedFiles) -> Iterator[Problem]:
    """Disks that will be full before the run has ended."""
    for disk in files.disks:
        if disk.need_bytes is None or disk.free_bytes is None or disk.need_bytes <= disk.free_bytes:
            continue
        yield Problem(
            code="disk_too_small",
            message=f"The disk of {disk.folder} has {mebibytes(disk.free_bytes)} free, and the files of this "
            f"run take up to {mebibytes(disk.need_bytes)} there.",
            hint="Make room, save less often (Save every N epochs), or choose a folder on another disk.",
        )


def _times(number: int, size: int | None) -> int | None:
    if number == 0:
        return 0
    return None if size is None else number * size


def _together(first: int | None, second: int | None) -> int | None:
    return None if first is None or second is None else first + second


def _disks(needs: list[tuple[str, int | None]]) -> Iterator[Disk]:
    """One for each disk that is written to, under the first folder on it."""
    found: dict[int, Disk] = {}
    for folder, need in needs:
        place = _nearest(folder)
        try:
            device, free = place.stat().st_dev, shutil.disk_usage(place).free
        except OSError:
            yield Disk(folder=folder, need_bytes=need, free_bytes=None)
            continue
        known = found.get(device)
        if known is None:
            found[device] = Disk(folder=folder, need_bytes=need, free_bytes=free)
        else:
            known.need_bytes = _together(known.need_bytes, need)
    yield from found.values()


def _nearest(folder: str) -> Path:
    """The folder, or the nearest one above it that is there already."""
    place = Path(folder).expanduser().absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return place
