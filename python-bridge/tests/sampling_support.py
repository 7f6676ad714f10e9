"""A painter of the tiny model, as a training sets it up."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from training_support import ListSink, make_config

from lora_bridge.model import DiffusersModel
from lora_bridge.painter import Painter
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.text import KnownTexts, prepare_texts

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_CPU = torch.device("cpu")


def painted(project: Path, model: Path, line: str, seed: int, **changes: Any) -> Tensor:
    """What is drawn for a line of prompts, [3, height, width] from 0 to 1."""
    config = make_config(project, sample_prompts=line, **changes)
    (prompt,) = parse_prompts(config)
    base = DiffusersModel(str(model), local=True)
    known = KnownTexts((), (prompt.text, prompt.negative))
    texts = prepare_texts(base, config, known, _CPU, torch.float32, ListSink())
    painter = Painter(config, base.unet(torch.float32), base.vae().without_encoder(), texts, _CPU)
    return (painter.draw(prompt, seed, ListSink()) / 2 + 0.5).clamp(0, 1)
