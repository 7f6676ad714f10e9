"""From anything thrown to what a person should read."""

from __future__ import annotations

import errno

from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

_FULL = {errno.ENOSPC, errno.EDQUOT}
_LONGEST_LINE = 1000
_NO_MEMORY = ("DefaultCPUAllocator: ", "CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED")
"""Of plain RuntimeErrors: torch's CPU allocator, whose words differ by system, the driver and a library."""
_FORBIDDEN = {errno.EACCES, errno.EPERM, errno.EROFS}


def problem_of(error: BaseException) -> Problem:
    """The problem of an exception; what is not known keeps its own words under the code `unexpected`."""
    match error:
        case ProblemError():
            return error.problem
        case KeyboardInterrupt():
            return Problem(
                code="interrupted",
                message="The job was ended at once, before it could save.",
                hint="Ask it to stop only once, and it keeps what was done.",
            )
        case ImportError():
            return Problem(
                code="environment_broken",
                message=f"The Python environment lacks something: {error}.",
                hint="Start the app with npm start, which completes the set-up.",
            )
        case OSError() if error.errno in _FORBIDDEN:
            return Problem(
                code="no_permission",
                message=f"{error.filename or 'A file'} may not be read or written: {error.strerror}.",
                hint="Choose another folder, or give yourself the right to this one.",
            )
        case _ if _is_out_of_memory(error):
            return Problem(
                code="out_of_memory",
                message=f"There is not enough memory: {_last_line(error)}",
                hint="Lower the batch size or the resolution, turn on gradient checkpointing, or close other "
                "programs.",
            )
        case _ if _is_disk_full(error):
            name = getattr(error, "filename", None)
            return Problem(
                code="disk_full",
                message=f"The disk is full{f': {name} could not be written' if name else ''}.",
                hint="Make room on the disk, or choose a folder on another one.",
            )
        case _:
            return Problem(
                code="unexpected",
                message=_last_line(error),
                hint="The console log of the job has the details.",
            )


def _is_out_of_memory(error: BaseException) -> bool:
    # By name: torch is not imported for this.
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or any(words in str(error) for words in _NO_MEMORY)
    )


def _is_disk_full(error: BaseException) -> bool:
    # safetensors, written in Rust, reports the system's error as text.
    return (isinstance(error, OSError) and error.errno in _FULL) or f"(os error {errno.ENOSPC})" in str(error)


def _last_line(error: BaseException) -> str:
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[-1][:_LONGEST_LINE]}" if lines else f"{type(error).__name__}."
