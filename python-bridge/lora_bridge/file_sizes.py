"""How large the files of a run become. Asked while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

_NUMBER_BYTES = {"float": 4, "fp16": 2, "bf16": 2}
_HEADER_BYTES_PER_TENSOR = 200
_METADATA_BYTES = 1 << 16
_NUMBERS_PER_WEIGHT = 4
"""Of 4 bytes: the weight, two that most optimizers remember, and an average or a second copy."""


class Amount(NamedTuple):
    """What a LoRA is made of."""

    numbers: int
    tensors: int


def lora_bytes(config: TrainConfig, amount: Amount) -> int:
    """Of one file, as Save precision has it, with its names and its metadata."""
    numbers = amount.numbers * _NUMBER_BYTES[config.save_precision]
    return numbers + amount.tensors * _HEADER_BYTES_PER_TENSOR + _METADATA_BYTES


def state_bytes(weights: int) -> int:
    """Of a state to go on from, of a LoRA with so many weights."""
    return weights * 4 * _NUMBERS_PER_WEIGHT


def states_at_once(config: TrainConfig, files: int) -> int:
    """How many states there are at most at one time, beside `files` LoRA files on the way.

    One goes with each file, and with the end where the config asks for it; a new one is there before the old
    one goes.
    """
    at_end = config.save_state or config.save_state_on_train_end
    wanted = files or config.save_state_every_n_minutes or at_end
    return (files if config.save_state else 0) + 2 if wanted else 0
