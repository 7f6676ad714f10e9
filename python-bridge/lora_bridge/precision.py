"""Where and in which number format a run computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem, WarningEvent

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink

DTYPES = {"no": torch.float32, "float": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}
"""By Kohya's names."""


def choose_device(name: str | None) -> torch.device:
    """The named device, else the first GPU, else the CPU. Sets what makes fp32 fast on a GPU."""
    device = torch.device(name or ("cuda" if torch.cuda.is_available() else "cpu"))
    if device.type == "cuda":
        torch.backends.cuda.matmul.allow_tf32 = True
        torch.backends.cudnn.allow_tf32 = True
    return device


def compute_dtype(config: TrainConfig, device: torch.device, sink: Sink) -> torch.dtype:
    """The format of the frozen model and of the LoRA's products. Raises ProblemError `no_bf16`."""
    dtype = DTYPES[config.mixed_precision]
    if dtype == torch.float16 and device.type == "cpu":
        problem = Problem(
            code="fp16_on_cpu",
            message="Mixed precision fp16 is for GPUs; this training runs on the CPU and computes in fp32.",
            hint="Choose no or bf16.",
        )
        sink.emit(WarningEvent(problem=problem))
        return torch.float32
    if (
        dtype == torch.bfloat16
        and device.type == "cuda"
        and not torch.cuda.is_bf16_supported(including_emulation=False)
    ):
        raise ProblemError(
            "no_bf16",
            f"Mixed precision is bf16, which {torch.cuda.get_device_name(device)} does not have.",
            "Choose fp16.",
        )
    return dtype
