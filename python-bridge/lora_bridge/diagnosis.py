"""Why a loss is no longer a number, as far as the run so far can tell."""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING, NamedTuple

from lora_bridge.problems import ProblemError
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lora_bridge.protocol_types import TrainConfig

_COMPARED = 5
_GROWN = 10


class Cause(NamedTuple):
    """What probably happened, and what to do about it."""

    sentence: str
    hint: str


def loss_not_finite(
    config: TrainConfig, step: int, pictures: Sequence[Path], norms: Sequence[float]
) -> ProblemError:
    """The failure of a step. `norms` are the gradients' lengths in the steps before it, oldest first."""
    names = listed(sorted({picture.name for picture in pictures}))
    cause = likely_cause(config, norms)
    return ProblemError(
        "loss_not_finite",
        f"The loss of step {step} is not a finite number. Its pictures: {names}. {cause.sentence}",
        cause.hint,
    )


def likely_cause(config: TrainConfig, norms: Sequence[float]) -> Cause:
    """The first explanation that fits."""
    first, last = norms[:_COMPARED], norms[-_COMPARED:]
    if len(norms) >= 2 * _COMPARED and median(last) > _GROWN * median(first):
        return Cause(
            f"The gradients had grown {median(last) / median(first):.0f} times longer, "
            "so the learning rate is probably too high.",
            "Lower the learning rate, or let it rise slowly with LR warmup.",
        )
    if config.mixed_precision == "fp16":
        return Cause(
            "Mixed precision is fp16, which holds no number above 65,504: one probably grew beyond it.",
            "Choose bf16, or no where the GPU does not have it.",
        )
    if config.max_grad_norm == 0:
        return Cause(
            "Gradients are not limited (Max grad norm is 0), so one picture may have ruined the step.",
            "Set Max grad norm to 1, or lower the learning rate.",
        )
    return Cause(
        "Nothing before it was odd, so the base model or one of these pictures is probably at fault.",
        "Try another base model, or leave these pictures out.",
    )
