"""Turns and crops that are kept beside a picture."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest
from PIL import Image

from lora_bridge.buckets import Size
from lora_bridge.images import UNREADABLE, load_layers, load_picture, picture_size, why_unreadable
from lora_bridge.picture_edits import Crop, DamagedEditError, Edit, edit_file, edit_stamp, read_edit
from lora_bridge.thumbnails import examine_picture, show_picture

if TYPE_CHECKING:
    from pathlib import Path

_WIDTH, _HEIGHT = 80, 60


@pytest.fixture(name="photo")
def _photo(tmp_path: Path) -> Path:
    """Each pixel says where it is: red from the left, green from the top."""
    across, down = np.meshgrid(np.arange(_WIDTH), np.arange(_HEIGHT))
    pixels = np.stack([across * 3, down * 4, np.zeros_like(across)], axis=-1).astype(np.uint8)
    file = tmp_path / "photo.png"
    Image.fromarray(pixels).save(file)
    return file


def _edit(photo: Path, **edit: object) -> None:
    edit_file(photo).write_text(json.dumps(edit), encoding="utf-8")


def test_a_picture_without_an_edit_is_as_it_is(photo: Path) -> None:
    assert read_edit(photo) is None
    assert edit_stamp(photo) == ""
    assert picture_size(photo) == (_WIDTH, _HEIGHT)


def test_a_turn_is_with_the_clock(photo: Path) -> None:
    _edit(photo, rotate=90)
    assert picture_size(photo) == (_HEIGHT, _WIDTH)
    turned = load_picture(photo)
    assert turned.size == (_HEIGHT, _WIDTH)
    assert turned.getpixel((_HEIGHT - 1, 0)) == (0, 0, 0)  # the left top corner is at the right top now
    _edit(photo, rotate=270)
    assert load_picture(photo).getpixel((0, _WIDTH - 1)) == (0, 0, 0)
    _edit(photo, rotate=180)
    assert load_picture(photo).getpixel((_WIDTH - 1, _HEIGHT - 1)) == (0, 0, 0)


def test_a_crop_is_of_the_turned_picture(photo: Path) -> None:
    _edit(photo, crop=[0.25, 0.5, 0.5, 0.25])
    assert picture_size(photo) == (40, 15)
    cropped = load_picture(photo)
    assert cropped.size == (40, 15)
    assert cropped.getpixel((0, 0)) == (20 * 3, 30 * 4, 0)
    _edit(photo, rotate=90, crop=[0, 0, 0.5, 1])
    assert load_picture(photo).size == picture_size(photo) == (30, 80)
    assert load_picture(photo).getpixel((0, 0)) == (0, 59 * 4, 0)


@pytest.mark.parametrize("rotate", [0, 90, 180, 270])
@pytest.mark.parametrize(
    "crop", [Crop(0, 0, 1, 1), Crop(0.999, 0.999, 0, 0), Crop(0.5, 0.5, 1, 1), Crop(0.1, 0.2, 0.33, 0.77)]
)
def test_the_size_said_is_the_size_that_comes(rotate: Literal[0, 90, 180, 270], crop: Crop) -> None:
    edit = Edit(rotate, crop)
    for size in [(1, 1), (7, 3), (64, 1), (640, 481)]:
        assert edit.apply(Image.new("RGB", size)).size == edit.size(Size(*size))


def test_the_original_is_not_touched(photo: Path) -> None:
    before = photo.read_bytes()
    _edit(photo, rotate=90, crop=[0, 0, 0.5, 0.5])
    load_picture(photo)
    assert photo.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"[]",
        b'{"rotate": 45}',
        b'{"crop": [0, 0, 2, 1]}',
        b'{"crop": [0, 0, 1]}',
        b'{"roate": 90}',
        b"\xff",
    ],
)
def test_a_damaged_edit_is_told_and_not_passed_over(photo: Path, content: bytes, tmp_path: Path) -> None:
    edit_file(photo).write_bytes(content)
    with pytest.raises(DamagedEditError, match=r"photo\.png\.edit\.json"):
        load_picture(photo)
    with pytest.raises(UNREADABLE):
        picture_size(photo)
    facts = examine_picture(photo, tmp_path / "small.webp")
    assert facts.problem is not None
    assert "photo.png.edit.json" in facts.problem


def test_another_edit_has_another_stamp(photo: Path) -> None:
    stamps = {edit_stamp(photo)}
    for edit in [{"rotate": 90}, {"rotate": 180}, {"crop": [0, 0, 0.5, 1]}, {"crop": [0, 0, 0.5, 0.9]}]:
        _edit(photo, **edit)
        stamps.add(edit_stamp(photo))
    assert len(stamps) == 5


def test_a_mask_without_an_edit_of_its_own_loses_what_its_picture_does(photo: Path) -> None:
    edit = Edit(90, Crop(0, 0, 0.5, 1))
    assert load_layers(photo, edit).colours.size == (30, 80)
    _edit(photo, rotate=180)
    assert load_layers(photo, edit).colours.size == (_WIDTH, _HEIGHT)


def test_thumbnails_and_the_large_view_show_the_edit(photo: Path, tmp_path: Path) -> None:
    _edit(photo, rotate=90, crop=[0, 0, 0.5, 1])
    small = tmp_path / "small.webp"
    facts = examine_picture(photo, small)
    assert (facts.width, facts.height) == (30, 80)
    with Image.open(small) as thumbnail:
        assert thumbnail.size == (30, 80)
    shown = show_picture(photo, tmp_path / "large.webp", 2048, cropped=True)
    assert (shown.width, shown.height) == (30, 80)
    whole = show_picture(photo, tmp_path / "whole.webp", 40, cropped=False)
    assert (whole.width, whole.height) == (30, 40)


def test_a_crop_of_a_large_picture_is_shown_as_sharp_as_there_is_room_for(tmp_path: Path) -> None:
    photo = tmp_path / "large.jpg"
    Image.new("RGB", (4000, 3000), "teal").save(photo)
    _edit(photo, crop=[0, 0, 0.25, 0.25])
    with Image.open(photo) as image:
        assert image.size == (4000, 3000)
    shown = show_picture(photo, tmp_path / "shown.webp", 640, cropped=True)
    assert shown.width == 640


def test_why_it_is_unreadable_names_the_file(photo: Path) -> None:
    edit_file(photo).write_bytes(b"{")
    with pytest.raises(DamagedEditError) as failure:
        read_edit(photo)
    assert "delete that file" in why_unreadable(failure.value)
