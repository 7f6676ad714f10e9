"""Which changes let a training fit into the memory that is there. Without torch: asked while one types."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from lora_bridge.buckets import LATENT_STEP
from lora_bridge.memory_estimate import Run
from lora_bridge.memory_ladder import after, steps_down
from lora_bridge.memory_phases import needed_memory
from lora_bridge.model_size import read_model_size
from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import world_size
from lora_bridge.sample_prompts import parse_prompts

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lora_bridge.dataset import Dataset
    from lora_bridge.memory_estimate import DeviceKind
    from lora_bridge.memory_ladder import Change
    from lora_bridge.protocol_types import TrainConfig

_USABLE: dict[DeviceKind, float] = {"cuda": 0.97, "cpu": 0.9}
"""Of the memory: a run that needs all of it does not fit, and on a CPU the system needs some for itself."""


class Fit(NamedTuple):
    """What was found."""

    changes: list[Change] | None
    """The least costly ones; none where it fits as it is. None where even all of them are not enough."""
    least: int
    """Bytes that it needs with every change there is."""


def heaviest_run(config: TrainConfig, dataset: Dataset) -> Run:
    """The run with the largest batch that one of its devices is shown."""
    processes = world_size(config)
    loads = [
        (sample.fit.bucket.area // LATENT_STEP**2, dataset.parts[sample.part].batch_size // processes)
        for sample in dataset.everything()
    ]
    drawn = [0]
    # A file of prompts that is gone by now has its own error.
    with suppress(ProblemError):
        drawn += [prompt.width * prompt.height // LATENT_STEP**2 for prompt in parse_prompts(config)]
    pixels, batch = max(loads, key=lambda load: load[0] * load[1])
    model = read_model_size(config.pretrained_model_name_or_path)
    return Run(config, pixels, batch, max(drawn), model)


def fits(needed: float, there: int, kind: DeviceKind) -> bool:
    """Whether a run that needs so many bytes can be started where so many are there."""
    return needed <= there * _USABLE[kind]


def fit_run(run: Run, kind: DeviceKind, there: int, *, wrong_by: float = 1.0) -> Fit:
    """Find the changes for `there` bytes, where the estimate is too low by the factor `wrong_by`."""

    def needed(changes: Sequence[Change]) -> float:
        return needed_memory(after(run, changes), kind) * wrong_by

    changes = list(steps_down(run))
    chosen = _fewest(changes, lambda some: fits(needed(some), there, kind))
    return Fit(chosen, round(needed(changes)))


def _fewest(changes: list[Change], is_enough: Callable[[Sequence[Change]], bool]) -> list[Change] | None:
    """As far down as it takes, and then up again as far as can be, first with what costs most."""
    chosen: dict[str, Change] = {}
    remaining = iter(changes)
    while not is_enough([*chosen.values()]):
        change = next(remaining, None)
        if change is None:
            return None
        chosen[change.kind] = change
    for kind in reversed([*chosen]):
        others = {other: change for other, change in chosen.items() if other != kind}
        milder = ({**chosen, kind: change} for change in changes if change.kind == kind)
        chosen = next(some for some in (others, *milder) if is_enough([*some.values()]))
    return [*chosen.values()]
