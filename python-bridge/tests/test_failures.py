"""From exceptions to words for a person."""

from __future__ import annotations

import errno
import json
from pathlib import Path

import pytest

from lora_bridge.failures import problem_of
from lora_bridge.problems import ProblemError


class OutOfMemoryError(RuntimeError):
    """As torch names its own."""


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ProblemError("no_images", "There are no pictures in /p.", "Add some."), "no_images", "/p"),
        (MemoryError(), "out_of_memory", "memory"),
        (OutOfMemoryError("CUDA out of memory."), "out_of_memory", "CUDA"),
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: 9 bytes"), "out_of_memory", "9 bytes"),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried"), "out_of_memory", "you tried"),
        (RuntimeError("CUDA error: out of memory\nCompile with"), "out_of_memory", "memory"),
        (RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling"), "out_of_memory", "CUBLAS"),
        (RuntimeError("CUDA error: an illegal memory access"), "unexpected", "illegal"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/model/a.safetensors"),
            "disk_full",
            "a.safetensors",
        ),
        (RuntimeError("Error: I/O error: No space left on device (os error 28)"), "disk_full", "full"),
        (PermissionError(errno.EACCES, "Permission denied", "/model/a"), "no_permission", "/model/a"),
        (OSError(errno.EROFS, "Read-only file system", "/model/a"), "no_permission", "/model/a"),
        (ImportError("No module named 'torch'"), "environment_broken", "torch"),
        (ValueError("long story\nthe end"), "unexpected", "the end"),
        (AssertionError(), "unexpected", "AssertionError"),
        (ValueError("x" * 3000), "unexpected", "xxx"),
    ],
)
def test_every_failure_has_a_problem(error: Exception, code: str, said: str) -> None:
    problem = problem_of(error)
    assert problem.code == code
    assert said in problem.message
    assert len(problem.message) < 2000


def test_a_broken_environment_is_mended_by_a_command_that_there_is() -> None:
    scripts = json.loads((Path(__file__).parents[2] / "package.json").read_bytes())["scripts"]
    hint = str(problem_of(ImportError("No module named 'torch'")).hint)
    assert [command for command in scripts if f"npm {command}" in hint or f"npm run {command}" in hint]
