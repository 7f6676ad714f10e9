"""Fixtures of the training's tests."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

# Threads that wait for each other on busy cores make the tiny model's steps several times slower.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["HF_HUB_OFFLINE"] = "1"

import hypothesis
import pytest
from portrait_photos import make_portrait_photos
from tiny_sdxl import make_tiny_sdxl
from training_support import save_picture

from lora_bridge import system

if TYPE_CHECKING:
    from pathlib import Path


hypothesis.settings.register_profile("ci", derandomize=True, deadline=None)
if os.environ.get("CI"):
    # Chance looks further on the machines of those who write the code.
    hypothesis.settings.load_profile("ci")


@pytest.fixture(scope="session")
def tiny_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A diffusers folder with a tiny SDXL."""
    folder = tmp_path_factory.mktemp("models") / "tiny-sdxl"
    make_tiny_sdxl(folder, system.data_dir() / "clip-tokenizer")
    return folder


@pytest.fixture(scope="session")
def portrait_photos() -> Path:
    """A folder with ten photos of a woman in three shapes, and a text file."""
    folder = system.data_dir() / "portrait-photos"
    make_portrait_photos(folder)
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Kohya's layout with four captioned pictures, each twice an epoch: 4 batches of 2 of one size."""
    for index in range(4):
        picture = tmp_path / "img" / "2_ohwx person" / f"{index}.png"
        save_picture(picture, hue=40 * index)
        picture.with_suffix(".txt").write_text(f"ohwx person, colour {index}", encoding="utf-8")
    return tmp_path
