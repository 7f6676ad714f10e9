"""The sample project: whole, the same every time, and made only once."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any

import make_sample
import pytest
from caption_support import caption_config, captions
from default_config import default_config
from job_support import CollectingSink
from nova import CAPTIONED_AS, PHOTO_BACKGROUNDS
from PIL import Image

from lora_bridge.caption import list_images, run
from lora_bridge.identify import identify
from lora_bridge.plan import make_plan
from lora_bridge.protocol_types import ConceptSource, TrainConfig
from lora_bridge.sample_prompts import parse_prompts

if TYPE_CHECKING:
    from pathlib import Path

BACKGROUNDS = [f"on a {colour} background" for colour in PHOTO_BACKGROUNDS * 2]
"""Of Nova's ten photos."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "sample"
    assert make_sample.make_sample(folder)
    return folder


def description(sample: Path) -> dict[str, Any]:
    return json.loads((sample / "sample.json").read_text(encoding="utf-8"))


def train_config(sample: Path) -> TrainConfig:
    """The sample's own parameters, and the table's defaults where it has none, as in the app."""
    model: dict[str, Any] = {"pretrained_model_name_or_path": str(sample / "base-model")}
    return TrainConfig(**{**default_config(), **description(sample)["parameters"], **model})


def test_everything_it_names_is_there(sample: Path) -> None:
    about = description(sample)
    for part in ("photos", "regularization", "baseModel", "blip"):
        assert (sample / about[part]).is_dir()
    licence = (sample / "LICENCE.txt").read_text(encoding="utf-8")
    assert "drawn by the project" in licence
    assert "Apache License" in licence


def test_the_pictures_are_as_promised(sample: Path) -> None:
    photos, women = list_images(sample / "photos"), list_images(sample / "reg")
    assert [file.name for file in photos] == [f"nova-{number:02}.png" for number in range(1, 11)]
    assert [file.name for file in women] == [f"woman-{number:02}.png" for number in range(1, 21)]
    seen: set[bytes] = set()
    for file in photos + women:
        with Image.open(file) as image:
            assert (image.size, image.mode) == ((512, 512), "RGB")
            seen.add(image.tobytes())
    assert len(seen) == 30


def test_its_base_model_is_sdxl(sample: Path) -> None:
    identity = identify(str(sample / "base-model"))
    assert (identity.kind, identity.problem) == ("sdxl", None)


def test_its_parameters_make_a_run_of_one_bucket(sample: Path) -> None:
    about = description(sample)
    concepts = [
        ConceptSource(
            folder=str(sample / about["photos"]),
            prompt=f"{about['instancePrompt']} {about['classPrompt']}",
            repeats=about["repeats"],
            regularization=False,
        ),
        ConceptSource(
            folder=str(sample / about["regularization"]),
            prompt=about["classPrompt"],
            repeats=1,
            regularization=True,
        ),
    ]
    plan = make_plan(train_config(sample), concepts)
    assert [bucket.resolution for bucket in plan.buckets] == [(128, 128)]
    assert (plan.images, plan.regularization_images) == (10, 20)
    assert (plan.steps_per_epoch, plan.total_steps) == (50, 500)
    # Nothing else is wrong before anything was captioned.
    assert {warning.code for warning in plan.warnings} == {"caption_missing"}


def test_its_samples_ask_for_nova_and_for_her_class(sample: Path) -> None:
    config = train_config(sample)
    prompts = parse_prompts(config)
    assert [
        (prompt.text.startswith("nova woman"), prompt.text.startswith("a woman")) for prompt in prompts
    ] == [
        (True, False),
        (True, False),
        (False, True),
    ]
    assert {(prompt.width, prompt.height, prompt.seed) for prompt in prompts} == {(128, 128, 1)}
    # From before the first step to the last one, so that one sees her come.
    assert config.sample_at_first
    assert config.sample_every_n_epochs == 0
    assert 500 % config.sample_every_n_steps == 0


def test_its_blip_describes_every_photo(sample: Path, tmp_path: Path) -> None:
    shutil.copytree(sample / "photos", tmp_path, dirs_exist_ok=True)
    folders = {"model": str(sample / "blip"), "image_dir": str(tmp_path)}
    config = caption_config(**{**description(sample)["captioning"], **folders})
    sink = CollectingSink()
    run(config, sink)
    said = captions(sink)
    assert [event.outcome for event in said] == ["written"] * 10
    # The prompts of the samples begin as most captions do: these words are what the LoRA is bound to.
    assert sum(event.text.startswith(CAPTIONED_AS) for event in said) >= 6, [event.text for event in said]
    right = [background in event.text for background, event in zip(BACKGROUNDS, said, strict=True)]
    assert sum(right) >= 9, [event.text for event in said]


def test_is_not_made_twice(sample: Path) -> None:
    before = (sample / "sample.json").stat()
    assert not make_sample.make_sample(sample)
    assert (sample / "sample.json").stat() == before


def test_is_made_again_when_a_model_has_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    trained = tmp_path / "models"
    for name in make_sample.MODELS:
        (trained / name).mkdir(parents=True)
        (trained / name / "model.safetensors").write_bytes(b"old")
    monkeypatch.setattr(make_sample, "TRAINED", trained)
    assert make_sample.make_sample(tmp_path / "sample")
    (trained / "sdxl" / "model.safetensors").write_bytes(b"new")
    assert make_sample.make_sample(tmp_path / "sample")
    assert (tmp_path / "sample" / "base-model" / "model.safetensors").read_bytes() == b"new"


def test_is_the_same_every_time(sample: Path, tmp_path: Path) -> None:
    make_sample.make_sample(tmp_path / "sample")
    files = [file.relative_to(sample) for file in sorted(sample.rglob("*")) if file.is_file()]
    assert [
        file for file in files if (sample / file).read_bytes() != (tmp_path / "sample" / file).read_bytes()
    ] == []
