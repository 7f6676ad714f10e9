"""The processes beside a training's first one: how they are started, watched and ended.

The process of the job is the first of its machine and reports for all. The others die with it, whatever ends
it, as their standard input does; when one of them dies the job ends and says why.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from msgspec import UNSET

from lora_bridge import system
from lora_bridge.joining import Start, device_of, joined_as, open_meeting, rank_folder
from lora_bridge.problems import ProblemError
from lora_bridge.progress import StopRequested
from lora_bridge.protocol_types import FailedEvent, Problem
from lora_bridge.rank import LOST, read_problem, write_start
from lora_bridge.sink import PassingSink
from lora_bridge.world import OthersLostError

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink
    from lora_bridge.world import World

_SECONDS_TO_SAVE = 60.0
"""After the death of one process, until the job is ended by force: a GPU may wait for the dead one."""
_SECONDS_TO_END = 30.0
_SECONDS_TO_LEARN = 5.0
"""Until it is known which process broke a connection."""


class _Rank:
    """A process beside the job's own."""

    def __init__(self, local_rank: int, folder: Path) -> None:
        self._name = f"Process {local_rank + 1}"
        self._folder = folder
        self._local_rank = local_rank
        self._log = (rank_folder(folder) / f"{local_rank}.log").open("wb")
        command = [sys.executable, "-m", "lora_bridge", "rank", str(folder), str(local_rank)]
        self.process = system.start_deaf(command, self._log)

    @property
    def failed(self) -> bool:
        return self.process.poll() not in {None, 0, LOST}

    def problem(self) -> Problem:
        """What it died of."""
        told = read_problem(self._folder, self._local_rank)
        if told is not None:
            return Problem(code=told.code, message=f"{self._name}: {told.message}", hint=told.hint)
        return Problem(
            code="rank_failed",
            message=f"{self._name} of this training ended with {system.exit_text(self.process.returncode)}.",
            hint=f"What it said last is in {self._log.name}. The training can be gone on with.",
        )

    def end(self) -> None:
        """Wait for its own end, and then no longer."""
        try:
            self.process.wait(_SECONDS_TO_END)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    def close(self) -> None:
        if self.process.stdin is not None:
            self.process.stdin.close()
        self._log.close()


class _Watch(PassingSink):
    """Notices when a process dies, and sees that the job does not outlive it for long.

    Stands between the training and its sink: it is asked to stop when there is nobody to go on with.
    """

    def __init__(self, ranks: list[_Rank], sink: Sink, timeout_minutes: int) -> None:
        self._ranks = ranks
        super().__init__(sink)
        self._timeout_minutes = timeout_minutes
        self._over = threading.Event()
        self._died = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ranks", daemon=True)
        self._thread.start()

    def stop_requested(self) -> bool:
        return self._died.is_set() or super().stop_requested()

    def has_lost_one(self) -> bool:
        return self._died.is_set()

    def problem(self) -> Problem:
        """What one died of; waits a little, as the first to notice is who was connected to it."""
        self._died.wait(_SECONDS_TO_LEARN)
        for rank in self._ranks:
            if rank.failed:
                return rank.problem()
        return Problem(
            code="rank_failed",
            message="The processes of this training lost one another.",
            hint="See that all machines are running and reach one another; where one was waited for longer "
            f"than DDP timeout ({self._timeout_minutes} min), raise it. The training can be gone on with.",
        )

    def end(self) -> None:
        self._over.set()
        self._thread.join()

    def _run(self) -> None:
        while not any(rank.process.poll() not in {None, 0} for rank in self._ranks):
            if self._over.wait(0.1):
                return
        # The one that failed may be a moment behind those that lost it.
        if self._over.wait(1.0):
            return
        self._died.set()
        if self._over.wait(_SECONDS_TO_SAVE):
            return
        self._sink.emit(FailedEvent(problem=self.problem(), traceback=""))
        for rank in self._ranks:
            rank.kill()
        os._exit(1)


class Together(NamedTuple):
    """What the first process of a machine trains with."""

    world: World
    sink: Sink


@contextmanager
def ranks_of(config: TrainConfig, folder: Path, sink: Sink, device: str | None) -> Generator[Together]:
    """Start the other processes of this machine, and meet them and those of other machines.

    Each has its own GPU, unless torch's `device` is named for all. At the end none of them is left. Raises
    StopRequested, and ProblemError: that of a process that failed, `rank_failed` or `not_met`.
    """
    own_device = device or device_of(config, 0)
    store = open_meeting(config, sink)
    start = Start(config, store.port, device)
    write_start(folder, start)
    with _started(config, folder) as ranks:
        watch = _Watch(ranks, sink, config.ddp_timeout)
        try:
            with joined_as(start, 0, own_device, store, watch) as world:
                yield Together(world, watch)
            for rank in ranks:
                rank.end()
        except (OthersLostError, StopRequested) as error:
            if isinstance(error, StopRequested) and not watch.has_lost_one():
                raise
            problem = watch.problem()
            hint = None if problem.hint is UNSET else problem.hint
            raise ProblemError(problem.code, problem.message, hint) from error
        finally:
            watch.end()


@contextmanager
def _started(config: TrainConfig, folder: Path) -> Generator[list[_Rank]]:
    ranks: list[_Rank] = []
    try:
        for local_rank in range(1, config.num_processes):
            ranks.append(_Rank(local_rank, folder))
        yield ranks
    finally:
        for rank in ranks:
            rank.kill()
            rank.close()
