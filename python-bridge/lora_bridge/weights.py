"""Giving models their tensors from .safetensors files, one by one, so that nothing is there twice."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import SafetensorError, safe_open

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

UNLOADABLE = (OSError, SafetensorError, ValueError)
"""What loading throws at files that are not there, not whole, or not of the model's shape."""


def empty_model(kind: Any, configs: Path) -> Any:
    """A diffusers model without memory, from the folder with its `config.json`."""
    with torch.device("meta"):
        return kind.from_config(kind.load_config(configs))


def fill(model: Any, file: Path, dtype: torch.dtype, read: Callable[[Any, str], torch.Tensor]) -> Any:
    """Give a model without memory its tensors, and its counters their numbers; freeze it.

    `read` finds a tensor of the model's own name in the open file. Raises one of UNLOADABLE.
    """
    state: dict[str, torch.Tensor] = {}
    with cast("Any", safe_open(file, framework="pt")) as tensors:
        for name, empty in model.state_dict().items():
            tensor = read(tensors, name).to(dtype)
            if tensor.numel() != empty.numel():
                raise ValueError(f"{name} has the shape {tuple(tensor.shape)}, not {tuple(empty.shape)}.")
            # A linear layer that is written as a 1x1 convolution, and the other way round.
            state[name] = tensor.reshape(empty.shape)
    model.load_state_dict(state, assign=True)
    for name, buffer in model.named_buffers():
        if buffer.is_meta and name.endswith("position_ids"):
            buffer_owner = model.get_submodule(name.rpartition(".")[0])
            buffer_owner.position_ids = torch.arange(buffer.shape[-1]).unsqueeze(0)
    return frozen(model)


def frozen(model: Any) -> Any:
    return model.requires_grad_(False).eval()


def variant_of(folder: Path) -> str | None:
    """Some copies of SDXL hold only the half-precision files."""
    names = [file.name for file in folder.glob("*.safetensors*")]
    return "fp16" if names and all(".fp16." in name for name in names) else None


def first_line(error: Exception) -> str:
    text = str(error).strip()
    return text.splitlines()[0] if text else type(error).__name__
