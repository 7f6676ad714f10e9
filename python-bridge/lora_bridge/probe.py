"""What this Python and this machine have."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any, Protocol, cast

from lora_bridge.protocol_types import Device, Probe, Versions
from lora_bridge.system import cpu_name, total_memory_bytes


class _Gpu(Protocol):
    name: str
    total_memory: int


class _Cuda(Protocol):
    """What of the untyped `torch.cuda` is used here."""

    def device_count(self) -> int: ...
    def get_device_properties(self, device: int) -> _Gpu: ...


def versions() -> Versions:
    return Versions(
        python=platform.python_version(),
        torch=version("torch"),
        diffusers=version("diffusers"),
        transformers=version("transformers"),
    )


def devices() -> list[Device]:
    """The devices that can train, the one that is used first. Loads torch."""
    import torch

    cuda: _Cuda = cast("Any", torch.cuda)
    gpus = [cuda.get_device_properties(index) for index in range(cuda.device_count())]
    cpu = Device(kind="cpu", name=cpu_name(), memory_bytes=total_memory_bytes())
    return [*(Device(kind="cuda", name=gpu.name, memory_bytes=gpu.total_memory) for gpu in gpus), cpu]


def probe() -> Probe:
    return Probe(versions=versions(), devices=devices())
