"""torch's and Python's global chance, from which layers draw what they leave out."""

from __future__ import annotations

import random

import torch


def seed_layers(seed: int, step: int, batch: int, rank: int) -> None:
    """Let what layers draw in a batch of a step depend on these numbers alone.

    So a resumed run draws the same, and so does a block that is computed again in the backward pass.
    """
    chance = random.Random(f"layers-{seed}-{step}-{batch}-{rank}").randrange(2**63)
    torch.manual_seed(chance)
    random.seed(chance)
