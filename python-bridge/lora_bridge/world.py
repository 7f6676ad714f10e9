"""The processes that train together, as one of them sees them."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from datetime import timedelta

    from torch import Tensor

    from lora_bridge.networks import Network

_DISTRIBUTED: Any = torch.distributed
"""Untyped."""


class OthersLostError(RuntimeError):
    """The processes no longer reach one another: mostly because one of them ended."""


class Place(NamedTuple):
    """Which of the processes this is."""

    rank: int = 0
    """Of all machines; the first saves and draws."""
    size: int = 1
    local_rank: int = 0
    """On its machine; the first of each is the one that reports."""


class Timeouts(NamedTuple):
    """How long processes wait for one another."""

    in_step: timedelta
    between_steps: timedelta
    """While the first one encodes pictures, saves or draws, the others wait here."""


class World:
    """What processes do together. All of them call the same in the same order, and wait for one another.

    A world of one does nothing and waits for nobody.
    """

    def __init__(
        self,
        place: Place = Place(),  # noqa: B008 - a tuple
        in_step: object = None,
        *,
        is_nccl: bool = False,
    ) -> None:
        """`in_step` is torch's group for what lies on the device that trains; its own is for all else."""
        self.place = place
        self._in_step = in_step
        self.leaves_weights_whole = not is_nccl
        """When another process is lost: a GPU that waited for it in NCCL may update with half a sum."""

    @property
    def is_first(self) -> bool:
        return self.place.rank == 0

    @property
    def reports(self) -> bool:
        return self.place.local_rank == 0

    @property
    def is_alone(self) -> bool:
        return self.place.size == 1

    def share(self, count: int) -> slice:
        """Which of `count` samples this process takes: neighbours, as many as others take, or one more."""
        rank, size, _ = self.place
        return slice(count * rank // size, count * (rank + 1) // size)

    def begin_alike(self, networks: Sequence[Network]) -> None:
        """Let every process have the weights of the first."""
        if self.is_alone:
            return
        self.any(False)  # whose model is loaded later is waited for longer than in a step
        for network in networks:
            with _together():
                _DISTRIBUTED.broadcast(network.flat.weights.detach(), 0, group=self._in_step)
            network.flat.publish()

    def add_gradients(self, networks: Sequence[Network]) -> None:
        """Let every process have the sum of all gradients."""
        for network in networks:
            self.add(network.flat.gradients)

    def add(self, tensor: Tensor) -> Tensor:
        """The tensor, which has become the sum over the processes."""
        return self._sum(tensor, self._in_step)

    def any(self, *wishes: bool) -> tuple[bool, ...]:
        """For each wish, whether any process has it."""
        if self.is_alone:
            return wishes
        flags = self._sum(torch.tensor(wishes, dtype=torch.int32), None)
        return tuple(bool(flag) for flag in flags)

    def agree(self, number: int) -> int:
        """The number of the first process, up to 2**63 - 1."""
        return int(self._sum(torch.tensor(number if self.is_first else 0), None))

    def _sum(self, tensor: Tensor, group: object) -> Tensor:
        if not self.is_alone:
            with _together():
                _DISTRIBUTED.all_reduce(tensor, group=group)
        return tensor

    def handed_out(self, content: bytes) -> bytes:
        """The content of the first process."""
        size = self.agree(len(content))
        if self.is_alone or size == 0:
            return content if self.is_first else b""
        buffer = bytearray(content) if self.is_first else bytearray(size)
        with _together():
            _DISTRIBUTED.broadcast(torch.frombuffer(buffer, dtype=torch.uint8), 0)
        return bytes(buffer)

    @contextmanager
    def in_turn(self, *, wanted: bool) -> Generator[None]:
        """Inside, the first process of each machine is done before the others begin, if it is wanted."""
        if wanted and not self.reports:
            self.any(False)
        yield
        if wanted and self.reports:
            self.any(False)


@contextmanager
def _together() -> Generator[None]:
    try:
        yield
    except RuntimeError as error:
        raise OthersLostError(str(error)) from error


ALONE = World()


@contextmanager
def joined(place: Place, store: object, device: str, timeouts: Timeouts) -> Generator[World]:
    """Meet the other processes at a store of torch's. Raises OthersLostError.

    Tensors on GPUs are added by NCCL where it is there, all others by Gloo.
    """
    with _together():
        _DISTRIBUTED.init_process_group(
            "gloo", store=store, rank=place.rank, world_size=place.size, timeout=timeouts.between_steps
        )
    is_nccl = device.startswith("cuda") and _DISTRIBUTED.is_nccl_available()
    try:
        with _together():
            in_step = _DISTRIBUTED.new_group(backend="nccl" if is_nccl else "gloo", timeout=timeouts.in_step)
        yield World(place, in_step, is_nccl=is_nccl)
    finally:
        _DISTRIBUTED.destroy_process_group()


def meeting_point(host: str, port: int, *, opens: bool, timeout: timedelta) -> Any:
    """Where processes find one another; with a port of 0 and `opens`, a free one is taken."""
    with _together():
        return _DISTRIBUTED.TCPStore(
            host,
            port,
            is_master=opens,
            wait_for_workers=False,
            timeout=timeout,
            use_libuv=False,  # which torch for Windows may lack
        )
