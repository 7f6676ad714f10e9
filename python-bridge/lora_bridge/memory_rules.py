"""What the parameters of precision and memory may be together. Without torch: it is asked while one types."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import TrainConfig


def require_memory(config: TrainConfig) -> None:
    """Raise ProblemError `full_bf16_needs_bf16`.

    Kohya wants mixed precision with a quantised model; here the layers compute in fp32 as well, which is what
    a CPU does best.
    """
    if config.full_bf16 and config.mixed_precision != "bf16":
        raise ProblemError(
            "full_bf16_needs_bf16",
            f"Full bf16 training is on, but Mixed precision is {config.mixed_precision}.",
            "Set Mixed precision to bf16, or turn Full bf16 training off.",
        )


def memory_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What is set and has no effect."""
    if config.checkpointing_method == "selective" and not config.gradient_checkpointing:
        yield Problem(
            code="checkpointing_ignored",
            message="Checkpointing method is selective, but Gradient checkpointing is off.",
            hint="Turn Gradient checkpointing on to train with less memory.",
        )
