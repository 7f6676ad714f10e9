"""Trainings of several processes: jobs in processes of their own, and machines that are processes here."""

from __future__ import annotations

import json
import multiprocessing
import os
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec
import torch
from job_support import events_of, golden
from training_support import ListSink, make_config

from lora_bridge import train
from lora_bridge.problems import ProblemError
from lora_bridge.trainer import Trainer

if TYPE_CHECKING:
    from lora_bridge.protocol_types import JobEvent

BRIDGE = Path(__file__).parents[1]


def start_training(
    project: Path, model: Path, environment: dict[str, str], **changes: Any
) -> subprocess.Popen[bytes]:
    """The job of a training in `project / "job"`, in a process of its own that sees no GPU."""
    config = make_config(project, pretrained_model_name_or_path=str(model), **changes)
    folder = project / "job"
    folder.mkdir(exist_ok=True)
    job = {**golden("jobs.jsonl")[0], "config": msgspec.to_builtins(config)}
    (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
    return subprocess.Popen(
        [sys.executable, "-m", "lora_bridge", "job", str(folder)],
        env={
            **os.environ,
            "ATELIER_DATA_DIR": str(project / "data"),
            "CUDA_VISIBLE_DEVICES": "",
            "PYTHONPATH": str(BRIDGE),
            **environment,
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def children_of(process: subprocess.Popen[bytes]) -> list[int]:
    """The pids of the processes that it started."""
    return [int(pid) for pid in Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def wait_for(condition: Any, seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.05)


def wait_for_event(folder: Path, kind: type[JobEvent]) -> None:
    def is_there() -> bool:
        return (folder / "events.jsonl").exists() and any(
            isinstance(event, kind) for event in events_of(folder)
        )

    wait_for(is_there)


class Machine:
    """One of several machines that train together, each with its own job folder in `project`."""

    def __init__(self, project: Path, model: Path, rank: int, **changes: Any) -> None:
        config = {"pretrained_model_name_or_path": str(model), "machine_rank": rank, **changes}
        self._there, here = multiprocessing.Pipe(duplex=False)
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["lora_bridge.train"])
        self._process = context.Process(target=_train, args=(here, project, rank, config))
        self._process.start()
        here.close()

    def ending(self) -> tuple[str, list[JobEvent]]:
        """The outcome, or the code and message of the problem; and the events."""
        try:
            return self._there.recv()
        finally:
            self._process.join(60)


def machines(
    project: Path, model: Path, *each: dict[str, Any], **changes: Any
) -> list[tuple[str, list[Any]]]:
    """How each machine's part of one training ended; the changes of `each` are its own."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    shared = {"num_machines": len(each), "main_process_ip": "127.0.0.1", "main_process_port": port, **changes}
    started = [Machine(project, model, rank, **{**shared, **own}) for rank, own in enumerate(each)]
    return [machine.ending() for machine in started]


def weights_at_the_end(project: Path, rank: int) -> torch.Tensor:
    """What a machine's process had learnt when the training ended."""
    return torch.load(project / f"weights-{rank}.pt", weights_only=True)


def _train(connection: Any, project: Path, rank: int, changes: dict[str, Any]) -> None:
    end = Trainer._end  # pyright: ignore[reportPrivateUsage]

    def kept(trainer: Any, *arguments: Any) -> Any:
        weights = torch.cat([network.flat.weights.detach() for network in trainer._networks])
        torch.save(weights, project / f"weights-{rank}.pt")
        return end(trainer, *arguments)

    cast("Any", Trainer)._end = kept
    pause_after = changes.pop("pause_after", None)
    sink = ListSink(
        pause_when=lambda event: pause_after is not None and getattr(event, "step", 0) == pause_after
    )
    folder = project / f"job-{rank}"
    folder.mkdir(exist_ok=True)
    try:
        outcome = train.run(make_config(project, **changes), sink, folder, "cpu").outcome
    except ProblemError as error:
        outcome = f"{error.problem.code}: {error.problem.message}"
    connection.send((outcome, sink.events))
