"""One running job per device: two at once on a GPU are slower than in turn, if they fit at all."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from lora_bridge.problems import ProblemError
from lora_bridge.system import data_dir, try_lock

if TYPE_CHECKING:
    from collections.abc import Generator


class _Holder(msgspec.Struct):
    job: str
    pid: int


@contextmanager
def device_lock(device: str, job: str) -> Generator[None]:
    """Hold `device` (such as `cpu` or `cuda-0`) for the job with this id.

    The lock is the system's, on `locks/<device>.lock` in the data folder, so it ends with the process. The
    file says whose it is. Raises ProblemError `device_busy`, which names the running job.
    """
    folder = data_dir() / "locks"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{device}.lock"
    file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        if not try_lock(file):
            raise _busy(device, file)
        os.ftruncate(file, 0)
        os.lseek(file, 0, os.SEEK_SET)
        os.write(file, msgspec.json.encode(_Holder(job=job, pid=os.getpid())))
        yield
    finally:
        os.close(file)


def _busy(device: str, file: int) -> ProblemError:
    os.lseek(file, 0, os.SEEK_SET)
    try:
        holder = msgspec.json.decode(os.read(file, 4096), type=_Holder)
        other = f"job {holder.job} (process {holder.pid})"
    except msgspec.DecodeError:
        other = "another job"  # it holds the lock and has not signed it yet
    return ProblemError(
        "device_busy",
        f"The {'processor' if device == 'cpu' else 'GPU'} is busy with {other}.",
        "Wait until that job has finished, or stop it.",
    )
