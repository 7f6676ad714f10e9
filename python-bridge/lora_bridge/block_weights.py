"""Ranks, alphas and rates of SDXL's 23 blocks, as Kohya has them written. Asked while typing: no torch.

The blocks are 0 the embeddings, 1 to 9 on the way down, 10 to 12 in the middle, 13 to 21 on the way up and
22 the output (sd-scripts `networks/lora.py`).
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from lora_bridge.protocol_types import TrainConfig

BLOCKS: Final = 23
_WAY = 9
_MIDDLE = 3
_LABELS = {
    "down_lr_weight": "Down LR weights",
    "mid_lr_weight": "Mid LR weights",
    "up_lr_weight": "Up LR weights",
    "block_dims": "Block dims",
    "block_alphas": "Block alphas",
    "conv_block_dims": "Conv dims",
    "conv_block_alphas": "Conv alphas",
}
_CURVES: dict[str, Callable[[float], float]] = {
    "sine": lambda place: math.sin(math.pi * place / 2),
    "cosine": lambda place: math.sin(math.pi * (1 - place) / 2),
    "linear": lambda place: place,
    "reverse_linear": lambda place: 1 - place,
    "zeros": lambda _place: 0.0,
}


class BlockRanks(Struct, frozen=True):
    """Of the layers of one kind in each block; a rank of 0 leaves a block's as they are."""

    dims: tuple[int, ...]
    alphas: tuple[float, ...]


class Blocks(Struct, frozen=True):
    """What the blocks of the UNet get, [23] each."""

    linear: BlockRanks
    convolutions: BlockRanks
    """Of the convolutions that see more than one pixel."""
    weights: tuple[float, ...]
    """Shares of the learning rate."""


def read_blocks(config: TrainConfig) -> Blocks:
    """Raises ProblemError `bad_block_weights`, which names the field."""
    weights = _weights(config)
    conv_dim = config.conv_dim if config.lora_type == "Kohya LoCon" else 0
    linear = _ranks(config, "block", config.network_dim, config.network_alpha, weights)
    conv_alpha = config.conv_alpha or conv_dim
    return Blocks(linear, _ranks(config, "conv_block", conv_dim, conv_alpha, weights), weights)


def block_of(ldm_name: str) -> int:
    """Which block a layer of the UNet is in, by its name in Stability's layout."""
    way, number = re.match(r"([a-z_]+)(?:\.(\d+))?", ldm_name, re.ASCII).groups()  # type: ignore[union-attr]
    match way:
        case "input_blocks":
            return 1 + int(number)
        case "middle_block":
            return 1 + _WAY + int(number)
        case "output_blocks":
            return 1 + _WAY + _MIDDLE + int(number)
        case "out":
            return BLOCKS - 1
        case _:
            return 0


def _weights(config: TrainConfig) -> tuple[float, ...]:
    down = _way_weights("down_lr_weight", config.down_lr_weight, _WAY)
    middle = _way_weights("mid_lr_weight", config.mid_lr_weight, _MIDDLE)
    up = _way_weights("up_lr_weight", config.up_lr_weight, _WAY)
    threshold = config.block_lr_zero_threshold
    return (1.0, *(weight if weight > threshold else 0.0 for weight in (*down, *middle, *up)), 1.0)


def _way_weights(key: str, text: str, count: int) -> tuple[float, ...]:
    """Shares of blocks one behind the other; without a text each has all of the rate."""
    text = text.strip()
    if not text:
        return (1.0,) * count
    name, plus, base = text.partition("+")
    curve = _CURVES.get(name.strip())
    if curve is None or key == "mid_lr_weight":
        return tuple(_numbers(key, text, count, _share))
    added = _one(key, base, _share) if plus else 0.0
    return tuple(curve(index / (count - 1)) + added for index in range(count))


def _ranks(config: TrainConfig, key: str, dim: int, alpha: float, weights: Sequence[float]) -> BlockRanks:
    written_dims, written_alphas = getattr(config, f"{key}_dims"), getattr(config, f"{key}_alphas")
    if key == "conv_block" and config.lora_type != "Kohya LoCon":
        written_dims = written_alphas = ""
    dims = _numbers(f"{key}_dims", written_dims, BLOCKS, _rank) if written_dims.strip() else [dim] * BLOCKS
    alphas = (
        _numbers(f"{key}_alphas", written_alphas, BLOCKS, _share)
        if written_alphas.strip()
        else [alpha] * BLOCKS
    )
    kept = tuple(int(dim) if weight > 0 else 0 for dim, weight in zip(dims, weights, strict=True))
    # As in all of Kohya's networks, an alpha of 0 is that of the rank.
    return BlockRanks(kept, tuple(alpha or dim for alpha, dim in zip(alphas, kept, strict=True)))


def _numbers(key: str, text: str, count: int, read: Callable[[str], float]) -> list[float]:
    parts = text.split(",")
    if len(parts) != count:
        raise _bad(key, f"has {len(parts)} numbers, and there are {count} blocks")
    return [_one(key, part, read) for part in parts]


def _one(key: str, text: str, read: Callable[[str], float]) -> float:
    try:
        return read(text.strip())
    except ValueError:
        wanted = "a whole number" if read is _rank else "a number"
        raise _bad(key, f"has “{text.strip()}”, which is not {wanted} of at least 0") from None


def _share(text: str) -> float:
    number = float(text or 0)
    if not 0 <= number < math.inf:
        raise ValueError
    return number


def _rank(text: str) -> int:
    number = int(text or 0)
    if number < 0:
        raise ValueError
    return number


def _bad(key: str, flaw: str) -> ProblemError:
    return ProblemError(
        "bad_block_weights",
        f"{_LABELS[key]} {flaw}.",
        "Write a number for each block with commas between them, or leave the field empty.",
    )
