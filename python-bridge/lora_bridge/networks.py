"""What is built into SDXL and learns, whatever its kind."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from contextlib import AbstractContextManager

    from torch import Tensor

    from lora_bridge.flat_weights import FlatWeights
    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.switches import Switches


class NetworkTensor(NamedTuple):
    """A tensor of a network's file."""

    module: str
    """Name of the adapted layer in its library's layout."""
    key: str
    """What stands behind the module's name in the file, such as `lora_down.weight`."""
    value: Tensor
    """What is trained, or a number [] such as alpha."""


class KeyNormTensors(NamedTuple):
    """What a limit of the modules' sizes did. On the device: reading them waits for it."""

    scaled: Tensor
    """How many modules were made smaller, []."""
    norms: Tensor
    """Of every module afterwards, [modules], fp32."""


class Network(ABC):
    """An adapter in one part of SDXL."""

    def __init__(
        self, part: LoraPart, flat: FlatWeights, switches: Switches, network_args: Mapping[str, str]
    ) -> None:
        self.part: LoraPart = part
        self.flat = flat
        """All that it learns."""
        self.network_args = dict(network_args)
        """`ss_network_args` of its files: what differs from the defaults of `kohya_module`."""
        self._switches = switches

    @property
    @abstractmethod
    def kohya_module(self) -> str:
        """`ss_network_module` of its files."""

    def off(self) -> AbstractContextManager[None]:
        """The base model alone: inside, the network does nothing. No backward pass may cross its end."""
        return self._switches.off()

    def resting(self) -> AbstractContextManager[None]:
        """Inside, nothing is left out by chance."""
        return self._switches.resting()

    @abstractmethod
    def has_learnt(self) -> bool:
        """Whether it does anything yet."""

    @abstractmethod
    def limit_norms(self) -> KeyNormTensors | None:
        """Hold the size of each module's effect to the limit of the config; None without one.

        Nothing waits for the device.
        """

    @abstractmethod
    def tensors(self) -> Iterator[NetworkTensor]:
        """What a file of it holds."""

    @abstractmethod
    def load(self, weights: Mapping[str, Mapping[str, Tensor]]) -> None:
        """Begin with these tensors, by module and key as `tensors` has them.

        They have its shapes and act at its scale. Modules that are not there stay as they are.
        """
