"""The captioners beside BLIP, each with a tiny model of its kind that is loaded as a real one."""

from __future__ import annotations

import shutil
import sys
from typing import TYPE_CHECKING

import numpy as np
import pytest
from caption_support import caption_config, captions
from job_support import CollectingSink
from PIL import Image
from tiny_blip import WORDS, make_tiny_blip
from tiny_captioners import MAKERS, SIDE, make_tiny_wd14

from lora_bridge.caption import run
from lora_bridge.captioner import captioner_kind, open_captioner
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import CaptionConfig, CaptionEvent


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("captioners")
    make_tiny_blip(folder / "blip")
    for name, make in MAKERS.items():
        make(folder / name)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for name, colour in {"a.png": (250, 0, 0), "b.png": (0, 200, 0), "c.png": (0, 0, 250)}.items():
        Image.new("RGB", (40, 30), colour).save(tmp_path / name)
    return tmp_path


def config(model: Path | str, photos: Path, **changes: object) -> CaptionConfig:
    folders = {"model": str(model), "image_dir": str(photos)}
    return caption_config(**{"prefix": "", "blip2_num_beams": 2, "max_length": 20, **folders, **changes})


def told(settings: CaptionConfig) -> list[CaptionEvent]:
    sink = CollectingSink()
    assert run(settings, sink).outcome == "completed"
    return captions(sink)


def refused(settings: CaptionConfig) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        open_captioner(settings)
    assert caught.value.problem.hint
    return caught.value


@pytest.mark.parametrize(
    ("name", "kind"), [("blip", "blip"), ("blip2", "blip-2"), ("git", "git"), ("wd14", "wd14")]
)
def test_a_folder_says_what_it_is(models: Path, name: str, kind: str) -> None:
    assert captioner_kind(str(models / name)) == kind


@pytest.mark.parametrize("name", ["blip2", "git"])
@pytest.mark.parametrize("batch_size", [1, 3])
def test_words_are_written_for_each_picture(models: Path, photos: Path, name: str, batch_size: int) -> None:
    events = told(config(models / name, photos, batch_size=batch_size))
    assert [event.outcome for event in events] == ["written"] * 3
    for event in events:
        assert set(event.text.split()) <= {*WORDS, "[UNK]"}
        assert (photos / event.image).with_suffix(".txt").read_text() == f"{event.text}\n"


@pytest.mark.parametrize("name", ["blip2", "git"])
def test_lengths_are_kept_to(models: Path, photos: Path, name: str) -> None:
    settings = config(models / name, photos, max_length=6, blip2_min_new_tokens=4, blip2_max_new_tokens=4)
    assert all(len(event.text.split()) <= 5 for event in told(settings))


@pytest.mark.parametrize("name", ["blip", "blip2", "git"])
def test_candidates_are_told_and_not_written(models: Path, photos: Path, name: str) -> None:
    (photos / "a.txt").write_text("mine\n")
    events = told(config(models / name, photos, candidates=4, prefix="nova,", top_p=1.0, existing="skip"))
    assert [event.outcome for event in events] == ["offered"] * 3
    for event in events:
        assert 1 < len(event.candidates) <= 4
        assert len(set(event.candidates)) == len(event.candidates)
        assert all(text.startswith("nova, ") for text in event.candidates)
    assert [file.name for file in photos.glob("*.txt")] == ["a.txt"]
    assert (photos / "a.txt").read_text() == "mine\n"


def tags(models: Path, photos: Path, **changes: object) -> list[str]:
    return [event.text for event in told(config(models / "wd14", photos, **changes))]


def test_the_tags_of_each_colour(models: Path, photos: Path) -> None:
    # The square's white above and below is a quarter of it.
    assert tags(models, photos, wd14_general_threshold=0.5, wd14_character_threshold=0.5) == [
        "red dress, >_<, nova (atelier)",
        "green field",
        "blue sky",
    ]


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"wd14_remove_underscore": False}, "red_dress, >_<, nova_(atelier)"),
        ({"wd14_character_tags_first": True}, "nova (atelier), red dress, >_<"),
        ({"wd14_character_tag_expand": True}, "red dress, >_<, nova, atelier"),
        ({"wd14_undesired_tags": "red dress, >_<"}, "nova (atelier)"),
        ({"wd14_character_threshold": 1.0, "wd14_separator": "; "}, "red dress; >_<"),
        ({"wd14_tag_replacement": r"red dress,a gown;>_<,a\, b"}, "a gown, a, b, nova (atelier)"),
        ({"wd14_rating_tags": "first"}, "general, red dress, >_<, nova (atelier)"),
        ({"wd14_rating_tags": "last"}, "red dress, >_<, nova (atelier), general"),
    ],
)
def test_the_rules_of_tags(models: Path, photos: Path, changes: dict[str, object], text: str) -> None:
    thresholds = {"wd14_general_threshold": 0.5, "wd14_character_threshold": 0.5}
    assert tags(models, photos, images=["a.png"], **{**thresholds, **changes}) == [text]


def test_a_picture_without_likely_tags_gets_no_rating_either(models: Path, photos: Path) -> None:
    Image.new("RGB", (9, 9), "black").save(photos / "d.png")
    (event,) = told(
        config(models / "wd14", photos, images=["d.png"], wd14_rating_tags="first", prefix="nova,")
    )
    assert (event.outcome, event.reason) == ("failed", "WD14 said nothing.")
    assert not (photos / "d.txt").exists()


def test_a_tagger_sees_bgr_on_a_white_square(models: Path, photos: Path) -> None:
    picture = Image.new("RGB", (4, 2), (255, 128, 0))
    small = open_captioner(config(models / "wd14", photos))
    assert small.prepare(picture).shape == (SIDE, SIDE, 3)
    make_tiny_wd14(photos / "four", side=4)
    seen = open_captioner(config(photos / "four", photos)).prepare(picture)
    assert seen.dtype == np.float32
    assert seen[0].tolist() == seen[3].tolist() == [[255.0] * 3] * 4
    assert seen[1].tolist() == seen[2].tolist() == [[0.0, 128.0, 255.0]] * 4


def test_what_a_tagger_lacks_is_named(models: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = photos / "other"
    shutil.copytree(models / "wd14", other)
    bad = refused(config(other, photos, wd14_tag_replacement="a,b,c")).problem
    assert (bad.code, "“a,b,c”" in bad.message) == ("tag_replacement", True)
    (other / "selected_tags.csv").write_text("tag_id,name,category,count\n0,a,0,1\n")
    damaged = refused(config(other, photos)).problem
    assert (damaged.code, "7 tags" in damaged.message) == ("caption_model_damaged", True)
    (other / "selected_tags.csv").unlink()
    missing = refused(config(other, photos)).problem
    assert (missing.code, "selected_tags.csv" in missing.message) == ("caption_model_unknown", True)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    assert refused(config(models / "wd14", photos)).problem.code == "onnxruntime_missing"


@pytest.mark.parametrize("name", ["blip2", "git"])
def test_damaged_models_are_named(models: Path, photos: Path, name: str) -> None:
    other = photos / "other"
    shutil.copytree(models / name, other)
    weights = other / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:5000])
    assert refused(config(other, photos)).problem.code == "caption_model_damaged"


def test_contradicting_lengths_of_blip2(models: Path, photos: Path) -> None:
    settings = config(models / "blip2", photos, blip2_min_new_tokens=30, blip2_max_new_tokens=20)
    assert refused(settings).problem.code == "caption_length"
