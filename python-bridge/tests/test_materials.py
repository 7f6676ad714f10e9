"""How batches are put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from training_support import make_config, save_picture

from lora_bridge.appearances import Appearance
from lora_bridge.dataset import read_dataset
from lora_bridge.latents import Latent, LatentStore
from lora_bridge.materials import Batch, Materials
from lora_bridge.text import CachedTexts, TextEmbedding
from lora_bridge.views import centred_view

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from lora_bridge.dataset import Sample
    from lora_bridge.views import View

CPU = torch.device("cpu")
TEXT = TextEmbedding(torch.zeros(77, 8, dtype=torch.bfloat16), torch.zeros(4, dtype=torch.bfloat16))


def batch_of(project: Path, masks: list[torch.Tensor | None], patch: pytest.MonkeyPatch) -> Batch:
    """Every sample of a project, with latents of zeros."""
    samples = read_dataset(make_config(project)).samples
    of = {sample.picture.path: mask for sample, mask in zip(samples, masks, strict=True)}

    def latent_of(_store: LatentStore, sample: Sample, _view: View) -> Latent:
        return Latent(torch.zeros(4, 8, 8), of[sample.picture.path])

    patch.setattr(LatentStore, "get", latent_of)
    store = LatentStore({}, frozenset(), None)
    texts = CachedTexts({"a": TEXT}, {}, CPU, lambda _new: {})
    materials = Materials(make_config(project), store, texts, CPU)
    return materials.batch([Appearance(sample, centred_view(sample), "a") for sample in samples])


def test_sizes_are_exact_in_half_precision(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_picture(tmp_path / "img" / "1_a" / "a.png", size=(1195, 1001))
    batch = batch_of(tmp_path, [None], monkeypatch)
    assert batch.hidden.dtype == torch.bfloat16
    assert [int(number) for number in batch.time_ids[0]] == [1001, 1195, 0, 6, 64, 64]


def test_where_one_picture_is_masked_the_others_count_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("a", "b"):
        save_picture(tmp_path / "img" / "1_a" / f"{name}.png")
    assert batch_of(tmp_path, [None, None], monkeypatch).masks is None
    batch = batch_of(tmp_path, [torch.full((1, 8, 8), 0.25), None], monkeypatch)
    assert batch.masks is not None
    assert batch.masks.shape == (2, 1, 8, 8)
    assert torch.equal(batch.masks[0], torch.full((1, 8, 8), 0.25))
    assert torch.equal(batch.masks[1], torch.ones(1, 8, 8))
