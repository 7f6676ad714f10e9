"""How many processes train together, and on which GPUs. Asked while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig


def world_size(config: TrainConfig) -> int:
    """How many processes there are on all machines: each takes `train_batch_size` pictures of every batch."""
    return config.num_processes * config.num_machines


def gpu_ids(config: TrainConfig) -> list[int]:
    """The GPU of each process of this machine. Raises ProblemError `too_few_gpus` or `gpu_twice`."""
    written = [int(part) for part in config.gpu_ids.split(",") if part.strip()]
    if not written:
        return list(range(config.num_processes))
    if len(set(written)) < len(written):
        raise ProblemError(
            "gpu_twice",
            f"GPU IDs ({config.gpu_ids.strip()}) names a GPU twice.",
            "Name each GPU once.",
        )
    if len(written) < config.num_processes:
        raise ProblemError(
            "too_few_gpus",
            f"Number of processes is {config.num_processes}, and GPU IDs names {len(written)} of them.",
            "Name a GPU for each process, or empty GPU IDs to take the first ones.",
        )
    return written[: config.num_processes]


def require_processes(config: TrainConfig) -> None:
    """Raise ProblemError for what cannot train together."""
    gpu_ids(config)
    if config.machine_rank >= config.num_machines:
        raise ProblemError(
            "machine_rank",
            f"Machine rank is {config.machine_rank}, and there are {config.num_machines} machines, counted "
            "from 0.",
            "Give each machine its own number below the Number of machines.",
        )
    if config.num_machines > 1 and not config.main_process_ip.strip():
        raise ProblemError(
            "main_process_ip",
            f"Number of machines is {config.num_machines}, but Main process IP is empty.",
            "Give the address of the first machine, the same on all of them.",
        )
