"""Appending, selections and files that cannot be written."""

from __future__ import annotations

import multiprocessing
import os
import random
import time
from typing import TYPE_CHECKING

import pytest
from caption_support import caption_config, captions
from job_support import CollectingSink
from PIL import Image
from tiny_captioners import make_tiny_wd14

from lora_bridge.caption import run
from lora_bridge.caption_text import appended
from lora_bridge.captions import read_caption
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import CaptionConfig, CaptionEvent


@pytest.fixture(scope="module")
def tagger(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("tagger")
    make_tiny_wd14(folder)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a", "b", "c"):
        Image.new("RGB", (8, 8), "red").save(folder / f"{name}.png")
    return folder


def config(tagger: Path, photos: Path, **changes: object) -> CaptionConfig:
    own = {"prefix": "", "model": str(tagger), "image_dir": str(photos), "existing": "append"}
    return caption_config(**{**own, **changes})


def told(settings: CaptionConfig) -> dict[str, CaptionEvent]:
    sink = CollectingSink()
    run(settings, sink)
    return {event.image.rpartition(os.sep)[2]: event for event in captions(sink)}


@pytest.mark.parametrize(
    ("there", "said", "around", "together"),
    [
        ("old", "new", ("", ""), "old, new"),
        ("old,", "new", ("", ""), "old, new"),
        ("Old, two", "old, new, NEW", ("", ""), "Old, two, new"),
        ("old, two", "two,  old", ("", ""), "old, two"),
        ("old", "new", ("nova,", "best"), "old, nova, new best"),
        ("nova, old best", "new", ("nova,", "best"), "nova, old best, new"),
        ("nova, old best", "old", ("nova,", "best"), "nova, old best"),
        ("old, a photo of a dog", "a dog", ("a photo of", ""), "old, a photo of a dog"),
    ],
)
def test_what_is_appended(
    tagger: Path, there: str, said: str, around: tuple[str, str], together: str
) -> None:
    prefix, postfix = around
    settings = config(tagger, tagger, prefix=prefix, postfix=postfix)
    assert appended(there, said, settings) == together
    assert appended(together, said, settings) == together


def test_append_keeps_what_is_there(tagger: Path, photos: Path) -> None:
    (photos / "a.txt").write_text("mine\nanother line\n")
    (photos / "b.txt").write_bytes("grün".encode("latin-1"))
    settings = config(tagger, photos, prefix="nova,")
    first = told(settings)
    text = "nova, red dress, >_<, nova (atelier)"
    assert (photos / "a.txt").read_text() == f"mine, {text}\nanother line\n"
    assert (first["b.png"].outcome, "not UTF-8" in first["b.png"].reason) == ("failed", True)
    assert (photos / "b.txt").read_bytes() == "grün".encode("latin-1")
    assert (photos / "c.txt").read_text() == f"{text}\n"
    again = told(settings)
    assert again["a.png"].outcome == again["c.png"].outcome == "skipped"
    assert (photos / "a.txt").read_text() == f"mine, {text}\nanother line\n"
    assert (photos / "c.txt").read_text() == f"{text}\n"


def test_only_the_chosen_pictures(tagger: Path, photos: Path) -> None:
    events = told(config(tagger, photos, images=["c.png", str(photos / "a.png"), "gone.png"]))
    assert [*events] == ["a.png", "c.png", "gone.png"]
    assert events["gone.png"].reason == "It is not there any more."
    assert sorted(file.name for file in photos.glob("*.txt")) == ["a.txt", "c.txt"]


@pytest.mark.parametrize("name", ["../x.png", "sub/x.png", "notes.md"])
def test_what_is_no_picture_of_the_folder_is_refused(tagger: Path, photos: Path, name: str) -> None:
    with pytest.raises(ProblemError) as caught:
        told(config(tagger, photos, images=[name]))
    assert caught.value.problem.code == "not_in_folder"


def test_what_cannot_be_written_is_named(tagger: Path, photos: Path) -> None:
    (photos / "b.txt").mkdir()
    with pytest.raises(ProblemError) as caught:
        told(config(tagger, photos, existing="overwrite", batch_size=1))
    assert caught.value.problem.code == "caption_unwritable"
    assert str(photos / "b.txt") in caught.value.problem.message
    assert sorted(file.name for file in photos.glob("*.txt") if file.is_file()) == ["a.txt"]


def _caption(settings: CaptionConfig) -> None:
    run(settings, CollectingSink())


def test_a_kill_leaves_whole_captions_only(tagger: Path, photos: Path) -> None:
    for number in range(150):
        Image.new("RGB", (8, 8), "red").save(photos / f"{number:03}.png")
    settings = config(tagger, photos, prefix="nova,", existing="overwrite", batch_size=1)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["test_caption_text", "lora_bridge.caption", "lora_bridge.wd14"])
    chance = random.Random(0)
    amid = 0
    for _ in range(20):
        for file in photos.glob("*.txt"):
            file.unlink()
        process = context.Process(target=_caption, args=(settings,))
        process.start()
        while process.is_alive() and not any(photos.glob("*.txt")):
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        process.kill()
        process.join()
        written = [*photos.glob("*.txt")]
        amid += len(written) < 153
        for file in written:
            assert read_caption(file).text == "nova, red dress, >_<, nova (atelier)", file
    assert amid >= 10
