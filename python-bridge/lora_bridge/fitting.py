"""Which changes would let a training fit into the memory that it ran out of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge import system
from lora_bridge.buckets import LATENT_STEP
from lora_bridge.memory_estimate import estimate_memory
from lora_bridge.memory_ladder import Run, after, steps_down
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lora_bridge.dataset import Dataset
    from lora_bridge.memory_ladder import Change
    from lora_bridge.protocol_types import TrainConfig

_GIBIBYTE = 1 << 30
_LIBRARIES = 0.7 * _GIBIBYTE
"""What torch and its kernels take beside the tensors."""
_GAPS = 1.05
"""What the allocator cannot fill."""
_SPARE = 0.97
"""Of the memory, to fit into: a run that needs all of it does not."""


def out_of_memory_problem(config: TrainConfig, dataset: Dataset, device: torch.device) -> ProblemError:
    """The error for a run that found no memory; its hint names what to change, the least costly first."""
    loads = [
        (sample.fit.bucket.area // LATENT_STEP**2, dataset.parts[sample.part].batch_size)
        for sample in dataset.everything()
    ]
    run = Run(config, *max(loads, key=lambda load: load[0] * load[1]))
    there = _memory(device)
    said = _needed(run, device)
    # It did not fit, whatever the estimate says: other programs, or more than was counted.
    wrong_by = max(1.0, there / said)

    def needed(changes: Sequence[Change]) -> float:
        return _needed(after(run, changes), device) * wrong_by

    needs = f"about {_gibibytes(said)}" if said > there else "more"
    changes = list(steps_down(run))
    chosen = _fewest(changes, lambda some: needed(some) <= there * _SPARE)
    if chosen is None:
        hint = (
            f"No parameter makes it fit: the least that it can need is about {_gibibytes(needed(changes))}. "
            "Close other programs, or train where there is more memory."
        )
    else:
        hint = f"It should fit if you {_listed([change.advice for change in chosen])}."
    return ProblemError(
        "out_of_memory",
        f"Out of memory: {_name(device)} has {_gibibytes(there)} for this training, which needs {needs}.",
        hint,
    )


def _fewest(changes: list[Change], fits: Callable[[Sequence[Change]], bool]) -> list[Change] | None:
    """As far down as it takes, and then without what turns out not to be needed, the most costly first."""
    chosen: dict[str, Change] = {}
    for change in changes:
        chosen[change.kind] = change
        if fits([*chosen.values()]):
            break
    else:
        return None
    for kind in reversed([*chosen]):
        rest = [change for change in chosen.values() if change.kind != kind]
        if fits(rest):
            del chosen[kind]
    return [*chosen.values()]


def _needed(run: Run, device: torch.device) -> float:
    """Bytes on the device."""
    mixed = run.config.mixed_precision
    # On a CPU fp16 is not used.
    number_bytes = 4 if mixed == "no" or (mixed == "fp16" and device.type == "cpu") else 2
    estimate = estimate_memory(run.config, run.latent_pixels, run.batch, number_bytes=number_bytes)
    return estimate.total * _GAPS + _LIBRARIES


def _memory(device: torch.device) -> int:
    """Bytes that this process has or could have."""
    if device.type == "cuda":
        free, _total = torch.cuda.mem_get_info(device)
        return free + torch.cuda.memory_reserved(device)
    return system.total_memory_bytes()


def _name(device: torch.device) -> str:
    return torch.cuda.get_device_name(device) if device.type == "cuda" else "this machine"


def _gibibytes(size: float) -> str:
    return f"{size / _GIBIBYTE:.1f} GiB"


def _listed(parts: list[str]) -> str:
    """`a, b and c`."""
    *before, last = parts
    return f"{', '.join(before)} and {last}" if before else last
