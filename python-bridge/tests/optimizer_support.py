"""What the tests of optimizers share: a network of two matrices, without a model around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch

from lora_bridge.flat_weights import FlatWeights, Slot
from lora_bridge.optim import Optimizer, RateGroup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig

# Larger than 4096 numbers, below which bitsandbytes does not use 8 bit.
_SHAPES = ((8, 640), (48, 8))


class StandIn:
    """The weights and gradients of a network."""

    part = "unet"

    def __init__(self, seed: int = 0, dtype: torch.dtype = torch.float32) -> None:
        generator = torch.Generator().manual_seed(seed)
        slots = [Slot(shape) for shape in _SHAPES]
        self.flat = FlatWeights(slots, dtype=dtype, compute_dtype=dtype, device=torch.device("cpu"))
        self.weights.detach().copy_(torch.randn(len(self.weights), generator=generator).to(dtype))

    @property
    def weights(self) -> torch.nn.Parameter:
        return self.flat.weights

    @property
    def gradients(self) -> torch.Tensor:
        return self.flat.gradients

    @property
    def matrices(self) -> list[torch.nn.Parameter]:
        return self.flat.matrices

    def loss(self) -> float:
        """The square of the weights, whose gradient `pull` gives."""
        return self.weights.detach().float().square().sum().item()

    def pull(self) -> None:
        self.gradients.copy_(2 * self.weights.detach())


def optimizer_of(
    networks: Sequence[StandIn],
    config: TrainConfig,
    total_steps: int = 100,
    *,
    rates: Sequence[float] | None = None,
    scale_loss: bool = False,
) -> Optimizer:
    """With the config's learning rate for all networks where no rates are given."""
    rates = rates or [config.learning_rate] * len(networks)
    groups = [
        RateGroup(cast("Network", network), rate) for network, rate in zip(networks, rates, strict=True)
    ]
    return Optimizer(groups, config, total_steps, scale_loss=scale_loss)


def copies(network: StandIn) -> list[torch.nn.Parameter]:
    """The matrices as parameters of their own, for a library's optimizer to start from."""
    return [torch.nn.Parameter(matrix.detach().float().clone()) for matrix in network.matrices]


def gradients(step: int, network: StandIn) -> torch.Tensor:
    """Gradients of a step, the same for everyone: noise around the pull to zero."""
    generator = torch.Generator().manual_seed(1000 + step)
    noise = torch.randn(network.gradients.shape, generator=generator)
    return noise + network.weights.detach().float() * 0.5


def step_with(optimizer: Any, parameters: Sequence[torch.nn.Parameter], flat: torch.Tensor) -> None:
    """A step of a library's optimizer with flat gradients."""
    sizes = [parameter.numel() for parameter in parameters]
    for parameter, part in zip(parameters, parts_of(flat, sizes), strict=True):
        parameter.grad = part.view(parameter.shape).clone()
    optimizer.step()


def parts_of(flat: torch.Tensor, sizes: Sequence[int]) -> tuple[torch.Tensor, ...]:
    """Views of a flat tensor."""
    return cast("Any", flat).split(sizes)


def joined(parameters: Sequence[torch.nn.Parameter]) -> torch.Tensor:
    return torch.cat([parameter.detach().flatten() for parameter in parameters])
