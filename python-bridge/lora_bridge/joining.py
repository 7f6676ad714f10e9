"""How the processes of a training find their GPUs and one another."""

from __future__ import annotations

from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from msgspec import Struct

from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import gpu_ids, world_size
from lora_bridge.protocol_types import TrainConfig  # noqa: TC001 - msgspec reads it
from lora_bridge.world import OthersLostError, Place, Timeouts, World, joined, meeting_point

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

_PORT = 29500
"""Torch's own, where there are several machines."""


class Start(Struct, frozen=True):
    """What each process of a machine begins with."""

    config: TrainConfig
    port: int
    device: str | None
    """torch's, for all of them; by default each has its own GPU, where there are any."""


def rank_folder(job_folder: Path) -> Path:
    """Where the processes of a machine leave what is theirs."""
    return job_folder / "ranks"


def device_of(config: TrainConfig, local_rank: int) -> str:
    """torch's device of a process. Raises ProblemError `gpu_missing`."""
    if not torch.cuda.is_available():
        return "cpu"
    number = gpu_ids(config)[local_rank]
    count = torch.cuda.device_count()
    if number >= count:
        raise ProblemError(
            "gpu_missing",
            f"GPU {number} is asked for, and this machine has {count} of them, counted from 0.",
            "Lower Number of processes, or name other GPU IDs.",
        )
    torch.cuda.set_device(number)
    return f"cuda:{number}"


def open_meeting(config: TrainConfig) -> Any:
    """torch's store at which all processes meet: the first machine opens it, others find it.

    Raises ProblemError `not_met`.
    """
    opens = config.machine_rank == 0
    port = config.main_process_port or (_PORT if config.num_machines > 1 else 0)
    try:
        return _meet(config, port, opens=opens)
    except OthersLostError as error:
        what = (
            f"Port {port}, at which the processes are to meet, could not be opened"
            if opens
            else f"The first machine was not reached at {config.main_process_ip.strip()}, port {port}"
        )
        raise ProblemError(
            "not_met",
            f"{what}: {str(error).splitlines()[0]}",
            "Choose another Main process port."
            if opens
            else "Start the run on the first machine too. See that Main process IP and port are right, and "
            "that its firewall lets them through.",
        ) from error


@contextmanager
def joined_as(start: Start, local_rank: int, device: str, store: Any = None) -> Generator[World]:
    """Be one of the processes, from the meeting to the end. Raises OthersLostError."""
    config = start.config
    place = Place(config.machine_rank * config.num_processes + local_rank, world_size(config), local_rank)
    with (
        _one_thread_each(config),
        joined(place, store or _meet(config, start.port, opens=False), device, _timeouts(config)) as world,
    ):
        yield world


def _meet(config: TrainConfig, port: int, *, opens: bool) -> Any:
    host = config.main_process_ip.strip() if config.num_machines > 1 else "127.0.0.1"
    return meeting_point(host, port, opens=opens, timeout=timedelta(minutes=config.ddp_timeout))


def _timeouts(config: TrainConfig) -> Timeouts:
    """Who dies is noticed at once on the same machine: there one may wait for the living."""
    asked = timedelta(minutes=config.ddp_timeout)
    return Timeouts(asked, asked if config.num_machines > 1 else timedelta(days=7))


@contextmanager
def _one_thread_each(config: TrainConfig) -> Generator[None]:
    """Where processes compute on the CPU, they share its cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, before // config.num_processes))
    try:
        yield
    finally:
        torch.set_num_threads(before)
