"""What a training will need of a device's memory, and how to make it fit. Asked while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.buckets import LATENT_STEP
from lora_bridge.dataset import read_dataset
from lora_bridge.memory_estimate import estimate_memory
from lora_bridge.memory_fit import Fit, fit_run, fits, heaviest_run
from lora_bridge.memory_phases import memory_phases
from lora_bridge.plan import require_config, require_pictures
from lora_bridge.protocol_types import Memory, MemoryChange, MemoryParts, PhaseMemory

if TYPE_CHECKING:
    from lora_bridge.memory_estimate import DeviceKind, Run
    from lora_bridge.memory_ladder import Change
    from lora_bridge.memory_phases import PhasePeak
    from lora_bridge.protocol_types import Device, TrainConfig


def plan_memory(config: TrainConfig, device: Device) -> Memory:
    """Plan the memory of a run on a device. Raises ProblemError as `make_plan` does."""
    require_config(config)
    dataset = read_dataset(config)
    require_pictures(dataset)
    run = heaviest_run(config, dataset)
    peaks = memory_phases(run, device.kind)
    needed = max(peak.needed for peak in peaks)
    there = device.memory_bytes
    fit = Fit([], needed) if there is None else fit_run(run, device.kind, there)
    return Memory(
        parts=_parts(run, device.kind, peaks),
        phases=[PhaseMemory(phase=peak.phase, bytes=peak.bytes, file_bytes=peak.file) for peak in peaks],
        peak_bytes=max(peak.bytes for peak in peaks),
        needed_bytes=needed,
        memory_bytes=there,
        fits=None if there is None else fits(needed, there, device.kind),
        batch=run.batch,
        pixels=run.latent_pixels * LATENT_STEP**2,
        fit=None if fit.changes is None else [_change(change) for change in fit.changes],
        least_bytes=fit.least,
    )


def _parts(run: Run, kind: DeviceKind, peaks: list[PhasePeak]) -> MemoryParts:
    """Of the training. What is in none of them is the libraries'."""
    step = estimate_memory(run, kind)
    training = next(peak.bytes for peak in peaks if peak.phase == "training")
    return MemoryParts(**step._asdict(), libraries=training - step.total)


def _change(change: Change) -> MemoryChange:
    advice = change.advice[0].upper() + change.advice[1:] + "."
    return MemoryChange(values={} if change.by_hand else change.values, advice=advice, cost=change.cost)
