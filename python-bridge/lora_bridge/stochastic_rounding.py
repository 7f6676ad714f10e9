"""bf16 without bias: rounded up as often as the number is near to the upper neighbour."""

from __future__ import annotations

import hashlib

import torch
from torch import Tensor

_CUT_BITS = 16


def round_into(target: Tensor, values: Tensor, generator: torch.Generator) -> None:
    """Write fp32 `values` to the bf16 `target` of the same shape; the mean over many draws is `values`.

    bf16 is the upper half of an fp32: a random number is added to the lower half, then that is cut off.
    """
    bits = values.view(torch.int32)
    noise = torch.randint(
        1 << _CUT_BITS, bits.shape, dtype=torch.int32, device=bits.device, generator=generator
    )
    kept = noise.add_(bits).bitwise_and_(-1 << _CUT_BITS)
    target.copy_(kept.view(torch.float32))


def rounding_generator(stream: str, step: int, device: torch.device) -> torch.Generator:
    """The draws of one step, told by their stream and the step alone and unlike any others of the run."""
    digest = hashlib.sha256(f"rounding-{stream}-{step}".encode()).digest()
    return torch.Generator(device).manual_seed(int.from_bytes(digest[:8], "big", signed=True))
