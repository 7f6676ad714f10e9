"""Pictures as the app's grid shows them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from PIL import Image, ImageChops, ImageStat

from lora_bridge.images import load_picture
from lora_bridge.thumbnails import examine_picture

if TYPE_CHECKING:
    from pathlib import Path

_ORIENTATION = 0x0112


def _picture(file: Path, size: tuple[int, int] = (640, 400), orientation: int = 1) -> Path:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    Image.effect_noise(size, 80).convert("RGB").save(file, exif=exif)
    return file


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.bmp"])
def test_a_picture_is_measured_and_made_small(tmp_path: Path, name: str) -> None:
    thumbnail = tmp_path / "small" / "id.webp"
    facts = examine_picture(_picture(tmp_path / name), thumbnail)
    assert (facts.width, facts.height, facts.problem) == (640, 400, None)
    with Image.open(thumbnail) as small:
        assert (small.format, small.size) == ("WEBP", (320, 200))


@pytest.mark.parametrize("size", [(256, 16), (1024, 64)])
def test_sixteen_bits_of_grey_keep_their_shades(tmp_path: Path, size: tuple[int, int]) -> None:
    shades = Image.linear_gradient("L").rotate(90).resize(size)
    samples = b"".join(bytes((0, shade)) for shade in shades.tobytes())
    file, thumbnail = tmp_path / "a.png", tmp_path / "id.webp"
    Image.frombytes("I;16", size, samples).save(file)
    assert ImageChops.difference(load_picture(file), shades.convert("RGB")).getextrema() == ((0, 0),) * 3
    assert examine_picture(file, thumbnail).problem is None
    with Image.open(thumbnail) as small:
        assert 110 < ImageStat.Stat(small).mean[0] < 145


def test_a_damaged_avif_is_unreadable_and_no_failure(tmp_path: Path) -> None:
    file = tmp_path / "a.avif"
    Image.new("RGB", (64, 64), "teal").save(file)
    content = file.read_bytes()
    file.write_bytes(content.replace(b"iloc", b"ilox"))
    assert "damaged" in str(examine_picture(file, tmp_path / "id.webp").problem)


def test_a_photo_lying_on_its_side_is_turned_upright(tmp_path: Path) -> None:
    thumbnail = tmp_path / "id.webp"
    facts = examine_picture(_picture(tmp_path / "a.jpg", orientation=6), thumbnail)
    assert (facts.width, facts.height) == (400, 640)
    with Image.open(thumbnail) as small:
        assert small.size == (200, 320)


def test_a_small_picture_is_not_enlarged(tmp_path: Path) -> None:
    examine_picture(_picture(tmp_path / "a.png", (20, 10)), tmp_path / "id.webp")
    with Image.open(tmp_path / "id.webp") as small:
        assert small.size == (20, 10)


@pytest.mark.parametrize("kept", [0, 4, 0.5, 0.95])
def test_damage_anywhere_in_the_file_is_found(tmp_path: Path, kept: float) -> None:
    whole = _picture(tmp_path / "a.jpg").read_bytes()
    cut = tmp_path / "cut.jpg"
    cut.write_bytes(whole[: int(kept) or int(len(whole) * kept)])
    facts = examine_picture(cut, tmp_path / "id.webp")
    assert facts.problem == "This is not a picture, or it is damaged."
    assert not (tmp_path / "id.webp").exists()


def test_a_thumbnail_that_is_there_is_not_made_again(tmp_path: Path) -> None:
    thumbnail = tmp_path / "id.webp"
    thumbnail.write_bytes(b"kept")
    facts = examine_picture(_picture(tmp_path / "a.png"), thumbnail)
    assert facts.width == 640
    assert thumbnail.read_bytes() == b"kept"


def test_a_picture_that_went_away_is_an_answer(tmp_path: Path) -> None:
    assert examine_picture(tmp_path / "gone.png", tmp_path / "id.webp").problem == "It is not there any more."
