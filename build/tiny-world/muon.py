"""Muon: momentum whose updates are made orthogonal (Jordan et al. 2024, kellerjordan.github.io/posts/muon).

torch's own takes matrices only; most weights here are convolutions, matrices of outputs by all else.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor, nn

_NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
_ITERATIONS = 5


class Muon(torch.optim.Optimizer):
    """With Nesterov's momentum; a step changes every matrix by about the rate in each direction."""

    def __init__(self, weights: Iterable[nn.Parameter], rate: float, momentum: float = 0.95) -> None:
        super().__init__(weights, {"lr": rate, "momentum": momentum})

    @torch.no_grad()
    def step(self) -> None:
        """Take one step with the gradients that are there."""
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None:
                    continue
                state = self.state[weight]
                if not state:
                    state["momentum"] = torch.zeros_like(weight)
                mean = state["momentum"].lerp_(weight.grad, 1 - group["momentum"])
                change = orthogonal(weight.grad.lerp(mean, group["momentum"]).flatten(1))
                scale = max(1.0, change.shape[0] / change.shape[1]) ** 0.5
                weight.add_(change.view_as(weight), alpha=-group["lr"] * scale)


def orthogonal(matrix: Tensor) -> Tensor:
    """A near matrix with singular values near 1, by rounds of Newton and Schulz; [M, N], in bf16."""
    if matrix.shape[0] > matrix.shape[1]:
        return orthogonal(matrix.T).T
    a, b, c = _NEWTON_SCHULZ
    matrix = (matrix / (matrix.norm() + 1e-7)).bfloat16()
    for _ in range(_ITERATIONS):
        square = matrix @ matrix.T
        matrix = a * matrix + (b * square + c * square @ square) @ matrix
    return matrix
