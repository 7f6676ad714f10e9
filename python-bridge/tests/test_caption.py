"""Captioning with a tiny BLIP that is made here."""

from __future__ import annotations

import errno
import shutil
from typing import TYPE_CHECKING, Any

import pytest
from caption_support import caption_config, captions
from job_support import CollectingSink
from PIL import Image
from tensor_files import load_tensors, save_tensors
from tiny_blip import WORDS, make_tiny_blip

from lora_bridge import caption
from lora_bridge.blip import PROMPT, Blip
from lora_bridge.caption import run
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CaptionConfig, PhaseEvent

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent


@pytest.fixture(scope="module")
def blip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("blip")
    make_tiny_blip(folder)
    return folder


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three pictures in different formats and letters, and things that are none."""
    folder = tmp_path / "photos 写真"
    folder.mkdir()
    for name, colour in {"a.png": "red", "b.JPG": "green", "c.webp": "blue"}.items():
        Image.linear_gradient("L").convert("RGB").resize((70, 50)).save(folder / name)
        with Image.open(folder / name) as image:
            Image.blend(image.convert("RGB"), Image.new("RGB", image.size, colour), 0.7).save(folder / name)
    (folder / "notes.md").write_text("not a picture")
    (folder / "._a.png").write_bytes(b"what a Mac leaves beside pictures")
    (folder / "sub").mkdir()
    Image.new("RGB", (9, 9)).save(folder / "sub" / "deep.png")
    return folder


def config(blip: Path, photos: Path, **changes: object) -> CaptionConfig:
    """The golden caption job's config for these folders."""
    return caption_config(**{"model": str(blip), "image_dir": str(photos), **changes})


def test_every_picture_gets_its_caption(blip: Path, photos: Path) -> None:
    sink = CollectingSink()
    ending = run(config(blip, photos), sink)
    assert ending.outcome == "completed"
    events = captions(sink)
    assert [event.image for event in events] == [str(photos / name) for name in ("a.png", "b.JPG", "c.webp")]
    assert [(event.done, event.total) for event in events] == [(1, 3), (2, 3), (3, 3)]
    assert events[-1].eta_seconds == 0
    assert all(event.images_per_second > 0 for event in events)
    for event, file in zip(events, ("a.txt", "b.txt", "c.txt"), strict=True):
        assert event.outcome == "written"
        assert event.caption_file == str(photos / file)
        assert (photos / file).read_bytes() == f"{event.text}\n".encode()
    assert not (photos / "sub" / "deep.txt").exists()
    assert [file.name for file in photos.glob(".*")] == ["._a.png"]


def test_what_blip_says_comes_between_prefix_and_postfix(blip: Path, photos: Path) -> None:
    sink = CollectingSink()
    run(config(blip, photos, prefix="zoë woman, ", postfix=" best"), sink)
    for event in captions(sink):
        assert event.text.startswith("zoë woman, ")
        assert event.text.endswith(" best")
        said = event.text.removeprefix("zoë woman, ").removesuffix(" best").split()
        assert said
        assert set(said) <= set(WORDS)


def test_the_prompt_is_fed_and_not_repeated(blip: Path, photos: Path) -> None:
    captioner = Blip(config(blip, photos, max_length=20))
    parts = vars(captioner)
    generate = parts["_model"].generate
    fed: list[str] = []

    def watch(**inputs: Any) -> Any:
        fed.append(parts["_tokenizer"].decode(inputs["input_ids"][0], skip_special_tokens=True))
        out = generate(**inputs)
        assert parts["_tokenizer"].decode(out[0], skip_special_tokens=True).startswith(PROMPT)
        return out

    parts["_model"].generate = watch
    ((said,),) = captioner.describe([captioner.prepare(Image.new("RGB", (8, 8)))], 0)
    assert fed == [PROMPT.strip()]
    assert not said.startswith(PROMPT)


def test_lengths_count_the_prompt_as_in_kohya(blip: Path, photos: Path) -> None:
    captioner = Blip(config(blip, photos, min_length=12, max_length=12))
    ((said,),) = captioner.describe([captioner.prepare(Image.new("RGB", (8, 8), "red"))], 0)
    assert len(said.split()) == 12 - len(["[DEC]", *PROMPT.split()])


def test_pictures_are_squashed_not_cropped(blip: Path, photos: Path) -> None:
    captioner = Blip(config(blip, photos, max_length=40, min_length=30))
    wide = Image.linear_gradient("L").rotate(90).convert("RGB").resize((300, 100))
    square = wide.resize((96, 96), Image.Resampling.BICUBIC)
    cropped = wide.crop((100, 0, 200, 100))
    one, two, three = captioner.describe([captioner.prepare(each) for each in (wide, square, cropped)], 0)
    assert one == two
    assert one != three


@pytest.mark.parametrize("changes", [{"num_beams": 3}, {"use_beam_search": False, "top_p": 0.9}])
def test_the_same_run_says_the_same_again(blip: Path, photos: Path, changes: dict[str, object]) -> None:
    first, second = CollectingSink(), CollectingSink()
    run(config(blip, photos, max_length=30, **changes), first)
    run(config(blip, photos, max_length=30, **changes), second)
    assert [event.text for event in captions(first)] == [event.text for event in captions(second)]


def test_ways_to_search_differ(blip: Path, photos: Path) -> None:
    said: set[str] = set()
    for changes in ({"num_beams": 1}, {"use_beam_search": False, "top_p": 0.99}):
        sink = CollectingSink()
        run(config(blip, photos, max_length=40, min_length=30, **changes), sink)
        said.add(captions(sink)[0].text)
    assert len(said) == 2


def test_batches_say_what_single_pictures_do(blip: Path, photos: Path) -> None:
    one, two = CollectingSink(), CollectingSink()
    run(config(blip, photos, max_length=12), one)
    run(config(blip, photos, max_length=12, batch_size=2), two)
    assert [event.text for event in captions(one)] == [event.text for event in captions(two)]


def test_an_unreadable_picture_fails_alone(blip: Path, photos: Path) -> None:
    (photos / "broken.png").write_bytes((photos / "a.png").read_bytes()[:100])
    sink = CollectingSink()
    assert run(config(blip, photos, prefix="zoë", batch_size=4), sink).outcome == "completed"
    outcomes = {event.image.rpartition("/")[2]: event for event in captions(sink)}
    assert outcomes["broken.png"].outcome == "failed"
    assert outcomes["broken.png"].reason == "This is not a picture, or it is damaged."
    assert not (photos / "broken.txt").exists()
    assert [event.outcome for event in captions(sink)].count("written") == 3


def test_nothing_said_writes_nothing(blip: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def say_nothing(_self: Blip, prepared: list[object], _candidates: int) -> list[list[str]]:
        return [[""]] * len(prepared)

    monkeypatch.setattr(Blip, "describe", say_nothing)
    sink = CollectingSink()
    run(config(blip, photos, prefix="zoë"), sink)
    assert {event.outcome for event in captions(sink)} == {"failed"}
    assert not list(photos.glob("*.txt"))


def test_skip_keeps_what_is_there(blip: Path, photos: Path) -> None:
    (photos / "b.txt").write_text("mine\n")
    sink = CollectingSink()
    run(config(blip, photos, existing="skip"), sink)
    assert [(event.outcome, event.text == "mine") for event in captions(sink)] == [
        ("skipped", True),
        ("written", False),
        ("written", False),
    ]
    assert (photos / "b.txt").read_text() == "mine\n"


def test_skip_keeps_what_is_written_meanwhile(blip: Path, photos: Path) -> None:
    class Writer(CollectingSink):
        def emit(self, event: JobEvent) -> None:
            super().emit(event)
            if isinstance(event, PhaseEvent) and event.phase == "loading_model":
                (photos / "c.txt").write_text("mine\n")

    run(config(blip, photos, existing="skip", batch_size=3), Writer())
    assert (photos / "c.txt").read_text() == "mine\n"


def test_overwrite_replaces_it(blip: Path, photos: Path) -> None:
    (photos / "b.txt").write_text("mine\n")
    run(config(blip, photos), CollectingSink())
    assert (photos / "b.txt").read_text() != "mine\n"


def test_stops_between_batches_and_keeps_what_is_done(blip: Path, photos: Path) -> None:
    sink = CollectingSink(stop_after=3)  # two phases and the first caption
    assert run(config(blip, photos), sink).outcome == "stopped"
    assert len(list(photos.glob("*.txt"))) == len(captions(sink)) == 1


def test_the_exif_orientation_counts(blip: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[int, int]] = []

    prepare = Blip.prepare

    def look(self: Blip, picture: Image.Image) -> object:
        seen.append(picture.size)
        return prepare(self, picture)

    for file in [*photos.glob("*.*")]:
        file.unlink()
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (40, 20)).save(photos / "sideways.jpg", exif=exif)
    monkeypatch.setattr(Blip, "prepare", look)
    run(config(blip, photos), CollectingSink())
    assert seen == [(20, 40)]


def refused(settings: CaptionConfig) -> str:
    """The code of the problem that the run ends with."""
    with pytest.raises(ProblemError) as caught:
        run(settings, CollectingSink())
    return caught.value.problem.code


def test_wrong_settings_are_named(blip: Path, photos: Path, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert refused(config(blip, empty)) == "no_images"
    assert refused(config(blip, tmp_path / "nowhere")) == "folder_missing"
    assert refused(config(blip, photos, min_length=30, max_length=20)) == "caption_length"
    assert refused(config(blip, photos, min_length=0, max_length=4)) == "caption_length"
    for extension in (".PNG", ".gif"):
        assert refused(config(blip, photos, caption_extension=extension)) == "caption_extension"
    assert not list(photos.glob("*.txt"))


def test_a_caption_that_is_kept_is_told_as_training_reads_it(blip: Path, photos: Path) -> None:
    (photos / "a.txt").write_bytes(b"\xef\xbb\xbfa red thing\r\nnotes\r\n")
    (photos / "b.txt").write_bytes("grün".encode("latin-1"))
    (photos / "c.txt").mkdir()
    sink = CollectingSink()
    assert run(config(blip, photos, existing="skip"), sink).outcome == "completed"
    first, second, third = captions(sink)
    assert (first.outcome, first.text) == ("skipped", "a red thing")
    assert (second.outcome, "not UTF-8" in second.reason) == ("skipped", True)
    assert (third.outcome, "cannot be read" in third.reason) == ("failed", True)


def test_a_model_that_is_not_blip_is_named(blip: Path, photos: Path, tmp_path: Path) -> None:
    assert refused(config(tmp_path / "no" / "such" / "model", photos)) == "caption_model_missing"
    assert refused(config(photos / "a.png", photos)) == "caption_model_missing"
    other = tmp_path / "other"
    other.mkdir()
    assert refused(config(other, photos)) == "caption_model_unknown"
    (other / "config.json").write_text('{"model_type": "clip"}')
    assert refused(config(other, photos)) == "caption_model_unknown"
    (other / "config.json").write_bytes((blip / "config.json").read_bytes())
    assert refused(config(other, photos)) == "caption_model_damaged"
    (other / "model.safetensors").write_bytes((blip / "model.safetensors").read_bytes()[:5000])
    assert refused(config(other, photos)) == "caption_model_damaged"


def test_a_blip_that_does_not_caption_is_named(blip: Path, photos: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(blip, other)
    weights = load_tensors(other / "model.safetensors")
    half = {
        name: weight for name, weight in weights.items() if not name.startswith("text_decoder.bert.encoder")
    }
    save_tensors(other / "model.safetensors", half, format="pt")
    assert refused(config(other, photos)) == "caption_model_damaged"


def test_a_hub_that_cannot_be_reached_is_named(photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to the hub.")

    monkeypatch.setattr("lora_bridge.captioner.fetch", unreachable)
    settings = config(photos, photos, model="Salesforce/blip-image-captioning-large")
    assert refused(settings) == "caption_model_unreachable"


def test_a_full_disk_keeps_what_is_done(blip: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write = caption.write_atomically

    def fill(path: Path, content: bytes) -> None:
        if path.name == "b.txt":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr(caption, "write_atomically", fill)
    with pytest.raises(OSError, match=r"b\.txt"):
        run(config(blip, photos), CollectingSink())
    assert [file.name for file in photos.glob("*.txt")] == ["a.txt"]


def test_the_error_of_a_write_names_the_file_not_the_temporary(tmp_path: Path) -> None:
    missing = tmp_path / "gone" / "a.txt"
    with pytest.raises(FileNotFoundError) as caught:
        caption.write_atomically(missing, b"x")
    assert caught.value.filename == str(missing)


def test_the_tiny_blip_is_tiny(blip: Path) -> None:
    assert sum(file.stat().st_size for file in blip.iterdir()) < 3_000_000
