"""What is said when a training has run out of memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge import system
from lora_bridge.memory_fit import fit_run, heaviest_run
from lora_bridge.memory_phases import needed_memory
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from lora_bridge.dataset import Dataset
    from lora_bridge.memory_estimate import DeviceKind
    from lora_bridge.protocol_types import TrainConfig

_GIBIBYTE = 1 << 30


def out_of_memory_problem(config: TrainConfig, dataset: Dataset, device: torch.device) -> ProblemError:
    """The error for a run that found no memory; its hint names what to change, the least costly first."""
    kind: DeviceKind = "cuda" if device.type == "cuda" else "cpu"
    run = heaviest_run(config, dataset)
    there = _memory(device)
    said = needed_memory(run, kind)
    # It did not fit, whatever the estimate says: other programs, or more than was counted.
    fit = fit_run(run, kind, there, wrong_by=max(1.0, there / said))
    needs = f"about {_gibibytes(said)}" if said > there else "more"
    if fit.changes is None:
        hint = (
            f"No parameter makes it fit: the least that it can need is about {_gibibytes(fit.least)}. "
            "Close other programs, or train where there is more memory."
        )
    else:
        hint = f"It should fit if you {_listed([change.advice for change in fit.changes])}."
    return ProblemError(
        "out_of_memory",
        f"Out of memory: {_name(device)} has {_gibibytes(there)} for this training, which needs {needs}.",
        hint,
    )


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
