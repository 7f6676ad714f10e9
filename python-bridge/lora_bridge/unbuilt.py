"""What a config can ask for and this version cannot do: said before the run, never passed over."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig


def require_built(config: TrainConfig) -> None:
    """Raise ProblemError `not_built`, which names the field."""
    if config.num_processes > 1 or config.num_machines > 1:
        raise _not_built(
            "Training on several GPUs or machines",
            f"{config.num_processes} processes on {config.num_machines} machines",
            "Set Number of processes and Number of machines to 1.",
        )


def _not_built(field: str, value: str, hint: str) -> ProblemError:
    return ProblemError("not_built", f"{field} ({value}) is not in this version yet.", hint)
