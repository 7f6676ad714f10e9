"""The sample project: whole, the same every time, and made only once."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import make_sample
import pytest
from job_support import CollectingSink, golden
from PIL import Image

from lora_bridge import system
from lora_bridge.caption import list_images, run
from lora_bridge.identify import identify
from lora_bridge.plan import make_plan
from lora_bridge.protocol_types import CaptionConfig, CaptionEvent, ConceptSource, TrainConfig

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    data = tmp_path_factory.mktemp("data")
    (data / "clip-tokenizer").symlink_to(system.data_dir() / "clip-tokenizer")
    assert make_sample.make_sample(data / "sample")
    return data / "sample"


def description(sample: Path) -> dict[str, Any]:
    return json.loads((sample / "sample.json").read_text(encoding="utf-8"))


def test_everything_it_names_is_there(sample: Path) -> None:
    about = description(sample)
    for part in ("photos", "regularization", "baseModel", "blip"):
        assert (sample / about[part]).is_dir()
    assert "public domain" in (sample / "LICENCE.txt").read_text(encoding="utf-8")


def test_the_pictures_are_as_promised(sample: Path) -> None:
    photos, faces = list_images(sample / "photos"), list_images(sample / "reg")
    assert (len(photos), len(faces)) == (10, 20)
    sizes: set[tuple[int, int]] = set()
    for file in photos:
        with Image.open(file) as image:
            image.load()
            assert 512 <= max(image.size) <= 768
            sizes.add(image.size)
    assert len({width / height for width, height in sizes}) >= 3


def test_its_base_model_is_sdxl(sample: Path) -> None:
    identity = identify(str(sample / "base-model"))
    assert (identity.kind, identity.problem) == ("sdxl", None)


def test_its_parameters_make_a_run_of_several_buckets(sample: Path) -> None:
    about = description(sample)
    config = {**golden("jobs.jsonl")[0]["config"], **about["parameters"]}
    concepts = [
        ConceptSource(
            folder=str(sample / "photos"),
            prompt="eileen woman",
            repeats=about["repeats"],
            regularization=False,
        ),
        ConceptSource(folder=str(sample / "reg"), prompt="woman", repeats=1, regularization=True),
    ]
    plan = make_plan(TrainConfig(**config), concepts)
    assert len(plan.buckets) >= 3
    assert 50 <= plan.total_steps <= 200


def test_its_blip_describes_every_photo(sample: Path, tmp_path: Path) -> None:
    for photo in list_images(sample / "photos"):
        (tmp_path / photo.name).symlink_to(photo)
    config: dict[str, Any] = {
        **golden("jobs.jsonl")[2]["config"],
        **description(sample)["captioning"],
        "model": str(sample / "blip"),
        "image_dir": str(tmp_path),
    }
    sink = CollectingSink()
    run(CaptionConfig(**config), sink)
    said = [event for event in sink.events if isinstance(event, CaptionEvent)]
    assert [event.outcome for event in said] == ["written"] * 10
    assert all(event.text.isascii() and len(event.text.split()) > 3 for event in said)


def test_is_not_made_twice(sample: Path) -> None:
    before = (sample / "sample.json").stat()
    assert not make_sample.make_sample(sample)
    assert (sample / "sample.json").stat() == before


def test_is_the_same_every_time(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "clip-tokenizer").symlink_to(sample.parent / "clip-tokenizer")
    make_sample.make_sample(tmp_path / "sample")
    files = [file.relative_to(sample) for file in sorted(sample.rglob("*")) if file.is_file()]
    assert [
        file for file in files if (sample / file).read_bytes() != (tmp_path / "sample" / file).read_bytes()
    ] == []
