"""Real photos, of several shapes and with a text file beside them: planned, trained and captioned."""

from __future__ import annotations

import math
import shutil
from typing import TYPE_CHECKING, Any

import make_sample
import pytest
from caption_support import caption_config, captions
from job_support import CollectingSink
from PIL import Image
from training_support import losses_of, make_config, run_training

from lora_bridge import caption
from lora_bridge.plan import make_plan

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def real_project(portrait_photos: Path, tmp_path: Path) -> Path:
    """Kohya's layout with the ten photos, each once an epoch."""
    shutil.copytree(portrait_photos, tmp_path / "img" / "1_eileen woman")
    return tmp_path


def test_there_are_ten_photos_of_three_shapes_and_more_sizes(portrait_photos: Path) -> None:
    sizes: list[tuple[int, int]] = []
    for file in caption.list_images(portrait_photos):
        with Image.open(file) as photo:
            photo.load()
            sizes.append(photo.size)
    assert len(sizes) == 10
    assert {(width > height) - (width < height) for width, height in sizes} == {-1, 0, 1}
    assert len(set(sizes)) > 3
    assert "public domain" in (portrait_photos / "LICENCE.txt").read_text(encoding="utf-8")


def test_their_shapes_make_buckets_that_train(real_project: Path, tiny_sdxl: Path) -> None:
    changes: dict[str, Any] = {"max_train_steps": 3, "train_batch_size": 4}
    plan = make_plan(make_config(real_project, **changes))
    assert len(plan.buckets) >= 3
    assert sum(bucket.count for bucket in plan.buckets) == 10
    ending, sink = run_training(real_project, tiny_sdxl, **changes)
    assert ending.outcome == "completed"
    losses = losses_of(sink)
    assert len(losses) == 3
    assert all(math.isfinite(loss) for loss in losses)


def test_blip_captions_each_of_them(real_project: Path) -> None:
    folder = real_project / "img" / "1_eileen woman"
    config = caption_config(
        model=str(make_sample.TRAINED / "blip"),
        image_dir=str(folder),
        prefix="eileen woman,",
        batch_size=4,
    )
    sink = CollectingSink()
    assert caption.run(config, sink).outcome == "completed"
    said = captions(sink)
    assert [event.outcome for event in said] == ["written"] * 10
    for photo in caption.list_images(folder):
        text = photo.with_suffix(".txt").read_text(encoding="utf-8")
        assert text.startswith("eileen woman, ")
        assert len(text.split()) > 3
