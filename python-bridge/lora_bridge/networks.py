"""What is built into SDXL and learns, whatever its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor

    from lora_bridge.flat_weights import FlatWeights
    from lora_bridge.lora_sites import LoraPart


class NetworkTensor(NamedTuple):
    """A tensor of a network's file."""

    module: str
    """Name of the adapted layer in its library's layout."""
    key: str
    """What stands behind the module's name in the file, such as `lora_down.weight`."""
    value: Tensor
    """A view of what is trained, or a number [] such as alpha."""


class KeyNormTensors(NamedTuple):
    """What a limit of the modules' sizes did. On the device: reading them waits for it."""

    scaled: Tensor
    """How many modules were made smaller, []."""
    norms: Tensor
    """Of every module afterwards, [modules], fp32."""


class Network(Protocol):
    """An adapter in one part of SDXL."""

    @property
    def part(self) -> LoraPart: ...

    @property
    def flat(self) -> FlatWeights:
        """All that it learns."""
        ...

    @property
    def kohya_module(self) -> str:
        """`ss_network_module` of its files."""
        ...

    @property
    def network_args(self) -> dict[str, str]:
        """`ss_network_args` of its files: what differs from the defaults of `kohya_module`."""
        ...

    @property
    def draws(self) -> bool:
        """Whether its layers leave something out by chance, drawn from torch's global generators."""
        ...

    def off(self) -> AbstractContextManager[None]:
        """The base model alone: inside, the network does nothing. No backward pass may cross its end."""
        ...

    def resting(self) -> AbstractContextManager[None]:
        """Inside, nothing is left out by chance."""
        ...

    def has_learnt(self) -> bool:
        """Whether it does anything yet."""
        ...

    def limit_norms(self) -> KeyNormTensors | None:
        """Hold the size of each module's effect to the limit of the config; None without one.

        Nothing waits for the device.
        """
        ...

    def tensors(self) -> Iterator[NetworkTensor]:
        """What a file of it holds."""
        ...

    def load(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Begin with these tensors, by module and key as `tensors` has them.

        They have its shapes and act at its scale. Modules that are not there stay as they are.
        """
        ...
