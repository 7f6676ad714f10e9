"""How the processes of a training find their GPUs and one another."""

from __future__ import annotations

import time
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import torch
from msgspec import Struct

from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import gpu_ids, world_size
from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import LogEvent, TrainConfig
from lora_bridge.routes import is_open, use_route_to
from lora_bridge.world import OthersLostError, Place, Timeouts, World, joined, meeting_point

if TYPE_CHECKING:
    from collections.abc import Callable, Generator
    from pathlib import Path

    from lora_bridge.sink import Sink

_PORT = 29500
"""Torch's own, where there are several machines."""
_SECONDS_BETWEEN_LOOKS = 0.1


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


def open_meeting(config: TrainConfig, sink: Sink) -> Any:
    """torch's store at which all processes meet: the first machine opens it, others find it.

    Raises ProblemError `not_met`, and StopRequested.
    """
    opens = config.machine_rank == 0
    host = config.main_process_ip.strip()
    port = config.main_process_port or (_PORT if config.num_machines > 1 else 0)
    if config.num_machines > 1:
        use_route_to(host)
    if not opens:
        sink.emit(LogEvent(level="info", text=f"Looking for the first machine at {host}, port {port}."))
        _until(
            lambda: is_open(host, port),
            config,
            sink,
            f"The first machine was not reached at {host}, port {port}",
        )
    try:
        return _meet(config, port, opens=opens)
    except OthersLostError as error:
        raise ProblemError(
            "not_met",
            f"Port {port}, at which the processes are to meet, cannot be used: {str(error).splitlines()[0]}",
            "Choose another Main process port.",
        ) from error


@contextmanager
def joined_as(start: Start, local_rank: int, device: str, store: Any, sink: Sink) -> Generator[World]:
    """Be one of the processes, from the meeting to the end. Raises OthersLostError and StopRequested."""
    config = start.config
    place = Place(config.machine_rank * config.num_processes + local_rank, world_size(config), local_rank)
    store = store or _meet(config, start.port, opens=False)
    store.set(_present(place.rank), b"")
    if config.num_machines > 1 and place.local_rank == 0:
        sink.emit(LogEvent(level="info", text=f"Waiting until all {config.num_machines} machines are there."))
    everybody = [_present(rank) for rank in range(place.size)]
    _until(lambda: store.check(everybody), config, sink, "Not all machines were there")
    with _one_thread_each(config), joined(place, store, device, _timeouts(config)) as world:
        yield world


def _present(rank: int) -> str:
    return f"present-{rank}"


def _until(is_so: Callable[[], bool], config: TrainConfig, sink: Sink, flaw: str) -> None:
    """Wait for it, in vain as long as DDP timeout. Raises ProblemError `not_met`, and StopRequested."""
    end = time.monotonic() + 60 * config.ddp_timeout
    while not is_so():
        check_stop(sink)
        if time.monotonic() > end:
            raise ProblemError(
                "not_met",
                f"{flaw} within {config.ddp_timeout} min.",
                "Start the run on every machine. See that Main process IP and port are right, and that the "
                "first machine's firewall lets them through.",
            )
        time.sleep(_SECONDS_BETWEEN_LOOKS)


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
