"""The numbers that the training stands on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from training_support import make_config, save_picture

from lora_bridge.dataset import read_dataset
from lora_bridge.materials import Materials
from lora_bridge.text import TextEmbedding

if TYPE_CHECKING:
    from pathlib import Path


def test_sizes_are_exact_in_half_precision(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "1_a" / "a.png", size=(1195, 1001))
    (sample,) = read_dataset(make_config(tmp_path)).samples
    text = TextEmbedding(torch.zeros(77, 8, dtype=torch.bfloat16), torch.zeros(4, dtype=torch.bfloat16))
    materials = Materials({sample.picture.path: torch.zeros(4, 8, 8)}, {"a": text}, 1.0)
    batch = materials.batch([sample, sample], torch.device("cpu"))
    assert [int(number) for number in batch.time_ids[1]] == [1001, 1195, 0, 6, 64, 64]
