"""How pictures are shown: where they are cut, mirrored and coloured, and what SDXL is told of it."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sample_support import make_sample, views_config

from lora_bridge.buckets import Size
from lora_bridge.problems import ProblemError
from lora_bridge.views import (
    Face,
    View,
    cached_views,
    draw_view,
    face_in_name,
    parse_face_crop,
    require_views,
    time_ids,
    view_warnings,
)

_SIDES = st.integers(64, 6000)
_SWITCHES = st.fixed_dictionaries(
    {
        "flip_aug": st.booleans(),
        "random_crop": st.booleans(),
        "color_aug": st.booleans(),
        "enable_bucket": st.booleans(),
        "bucket_no_upscale": st.booleans(),
        "face_crop_aug_range": st.sampled_from(["", "1.0,1.0", "2.0,4.0", "1.5, 9"]),
    }
)
_FACES = st.one_of(
    st.just("a.png"),
    st.builds(
        "a_{:04d}_{:04d}_{:04d}_{:04d}.png".format,
        *(st.integers(0, 7000), st.integers(0, 7000), st.integers(0, 4000), st.integers(0, 4000)),
    ),
)


@given(width=_SIDES, height=_SIDES, name=_FACES, switches=_SWITCHES, seed=st.integers(0, 2**32))
def test_every_view_lies_in_the_resized_picture_and_fills_the_bucket(
    width: int, height: int, name: str, switches: dict[str, Any], seed: int
) -> None:
    assume(max(width, height) / min(width, height) < 12)
    sample = make_sample((width, height), Path(name), **switches)
    view = draw_view(sample, random.Random(seed))
    assert view.bucket == sample.fit.bucket
    assert 0 <= view.left <= view.resized.width - view.bucket.width
    assert 0 <= view.top <= view.resized.height - view.bucket.height
    # Its aspect is that of the picture, to within a pixel of each side, or what the rules of buckets make it.
    assert view.resized == sample.fit.resized or (
        abs(view.resized.width / width - view.resized.height / height) <= 1 / width + 1 / height
    )
    assert not view.flipped or switches["flip_aug"]
    assert view.colour is None or switches["color_aug"]
    views = cached_views(sample)
    assert not views or view in views
    assert draw_view(sample, random.Random(seed)) == view


@given(width=_SIDES, height=_SIDES, switches=_SWITCHES, seed=st.integers(0, 2**32))
def test_what_sdxl_is_told_is_what_was_cut(
    width: int, height: int, switches: dict[str, Any], seed: int
) -> None:
    assume(max(width, height) / min(width, height) < 12)
    sample = make_sample((width, height), **switches)
    view = draw_view(sample, random.Random(seed))._replace(flipped=False)
    told = time_ids(sample, view, kohya_exact=False)
    assert told == (height, width, view.top, view.left, view.bucket.height, view.bucket.width)
    mirrored = time_ids(sample, view._replace(flipped=True), kohya_exact=False)
    # Mirroring turns what is cut away on the left into what is cut away on the right.
    assert told[3] + mirrored[3] == view.resized.width - view.bucket.width
    assert mirrored[:3] + mirrored[4:] == told[:3] + told[4:]


@pytest.mark.parametrize(
    ("size", "cut", "kohya", "kohya_mirrored"),
    [
        ((1920, 1080), (0, 10), (6, 0), (6, 0)),
        ((768, 1024), (21, 0), (0, 16), (0, 16)),
        ((4000, 3000), (0, 21), (16, 0), (16, 0)),
        ((1000, 700), (9, 0), (0, 13), (0, 14)),
        ((1024, 1024), (0, 0), (0, 0), (0, 0)),
    ],
)
def test_the_crop_is_the_true_one_or_kohyas(
    size: tuple[int, int], cut: tuple[int, int], kohya: tuple[int, int], kohya_mirrored: tuple[int, int]
) -> None:
    sample = make_sample(size, flip_aug=True)
    view, mirrored = cached_views(sample)
    assert time_ids(sample, view, kohya_exact=False)[2:4] == cut
    assert time_ids(sample, view, kohya_exact=True)[2:4] == kohya
    assert time_ids(sample, mirrored, kohya_exact=True)[2:4] == kohya_mirrored


def test_the_golden_example_of_kohya() -> None:
    sample = make_sample((1920, 1080))
    (view,) = cached_views(sample)
    assert view == View(Size(1365, 768), 10, 0, Size(1344, 768), flipped=False, colour=None)
    assert time_ids(sample, view, kohya_exact=False) == (1080, 1920, 0, 10, 768, 1344)
    assert time_ids(sample, view, kohya_exact=True) == (1080, 1920, 6, 0, 768, 1344)


@pytest.mark.parametrize(
    ("changes", "number"),
    [
        ({}, 1),
        ({"flip_aug": True}, 2),
        ({"random_crop": True}, 0),
        ({"color_aug": True}, 0),
        ({"face_crop_aug_range": "2.0,4.0"}, 0),
    ],
)
def test_views_are_cached_unless_chance_cuts_or_colours(changes: dict[str, Any], number: int) -> None:
    assert len(cached_views(make_sample((1920, 1080), Path("a_900_500_200_300.png"), **changes))) == number


@pytest.mark.parametrize("name", ["a.png", "a_900_500_200.png", "a_1920_500_200_300.png", "a_9_9_0_0.png"])
def test_a_picture_without_a_face_is_cut_in_its_middle(name: str) -> None:
    sample = make_sample((1920, 1080), Path(name), face_crop_aug_range="2.0,4.0")
    assert cached_views(sample) == (draw_view(sample, random.Random(1)),)
    assert draw_view(sample, random.Random(1)).left == sample.fit.left


def test_nothing_is_left_to_chance_when_a_picture_is_its_bucket() -> None:
    assert len(cached_views(make_sample((1024, 1024), random_crop=True))) == 1


def test_half_of_the_pictures_are_mirrored() -> None:
    sample, chance = make_sample((1920, 1080), flip_aug=True), random.Random(1)
    flipped = sum(draw_view(sample, chance).flipped for _ in range(4000))
    assert 1870 < flipped < 2130


def test_random_crops_lie_everywhere_alike() -> None:
    sample, chance = make_sample((1920, 1080), random_crop=True), random.Random(1)
    places = Counter(draw_view(sample, chance).left for _ in range(22_000))
    # 1365 pixels for a bucket of 1344: 22 places, each a thousand times.
    assert sorted(places) == list(range(22))
    assert 850 < min(places.values()) <= max(places.values()) < 1150


def test_a_third_of_the_pictures_change_their_hue_or_gamma_a_little() -> None:
    sample, chance = make_sample((1024, 1024), color_aug=True), random.Random(1)
    colours = [draw_view(sample, chance).colour for _ in range(9000)]
    hues = [each.hue for each in colours if each is not None and each.gamma == 1]
    gammas = [each.gamma for each in colours if each is not None and each.hue == 0]
    assert 1350 < len(hues) < 1620
    assert 1350 < len(gammas) < 1620
    assert len(hues) + len(gammas) == sum(each is not None for each in colours)
    assert -16 <= min(hues) < -15.8
    assert 15.8 < max(hues) <= 16
    assert 0.95 <= min(gammas) < 0.951
    assert 1.049 < max(gammas) <= 1.05


def _on_face(view: View, sample_size: tuple[int, int], face: Face) -> tuple[float, float, float]:
    """Where the middle of a face is in a view, and how much of the shorter side the face takes."""
    scale = view.resized.width / sample_size[0]
    shown = (face.x * scale - view.left, face.y * scale - view.top)
    return shown[0], shown[1], face.size * scale / min(view.bucket)


def test_faces_take_the_share_that_the_range_says_and_are_in_the_middle() -> None:
    size, face = (6000, 6000), Face(2500, 3100, 900, 1200)
    name = Path("anna_2500_3100_0900_1200.jpg")
    assert face_in_name(name) == face
    sample = make_sample(size, name, face_crop_aug_range="2.0,4.0")
    chance = random.Random(1)
    shares: list[float] = []
    for _ in range(500):
        x, y, share = _on_face(draw_view(sample, chance), size, face)
        shares.append(share)
        # Off the middle by a twentieth of the face at most, half a pixel for rounding.
        assert abs(x - 512) <= share * 1024 / 20 + 1
        assert abs(y - 512) <= share * 1024 / 20 + 1
    assert 0.249 < min(shares) < 0.26
    assert 0.49 < max(shares) < 0.501


def test_a_random_crop_moves_the_face_and_keeps_all_of_it() -> None:
    size, face = (6000, 6000), Face(2500, 3100, 900, 1200)
    sample = make_sample(
        size, Path("anna_2500_3100_0900_1200.jpg"), face_crop_aug_range="2.0,2.0", random_crop=True
    )
    chance = random.Random(1)
    places = [_on_face(draw_view(sample, chance), size, face) for _ in range(500)]
    assert {round(share, 2) for _, _, share in places} == {0.5}
    half_width, half_height = 1024 * 0.5 * 0.75 / 2, 1024 * 0.5 / 2
    assert all(half_width - 1 <= x <= 1024 - half_width + 1 for x, _, _ in places)
    assert all(half_height - 1 <= y <= 1024 - half_height + 1 for _, y, _ in places)
    assert max(x for x, _, _ in places) - min(x for x, _, _ in places) > 500


def test_a_face_is_not_enlarged() -> None:
    sample = make_sample((3000, 3000), Path("a_1500_1500_40_40.png"), face_crop_aug_range="2.0,4.0")
    assert draw_view(sample, random.Random(1)).resized == Size(3000, 3000)


@pytest.mark.parametrize("text", ["4.0,2.0", "0,4", "0.5,2", "2.0", "two,four", "2,3,4", "nan,nan"])
def test_a_face_crop_range_that_cannot_be_is_refused(text: str) -> None:
    with pytest.raises(ProblemError, match="Face crop range") as caught:
        require_views(views_config(face_crop_aug_range=text))
    assert caught.value.problem.code == "bad_face_crop_aug_range"


def test_a_face_crop_range_is_read_as_kohya_writes_it() -> None:
    assert parse_face_crop("2.0,4.0") == (2.0, 4.0)
    assert parse_face_crop(" 1 , 1 ") == (1.0, 1.0)
    assert parse_face_crop("  ") is None


def test_masked_loss_needs_to_know_where() -> None:
    with pytest.raises(ProblemError, match="Masked loss") as caught:
        require_views(views_config(masked_loss=True))
    assert caught.value.problem.code == "masks_missing"
    for source in ({"alpha_mask": True}, {"conditioning_data_dir": "m"}, {"dataset_config": "d.toml"}):
        require_views(views_config(masked_loss=True, **source))


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"conditioning_data_dir": "masks"}, ["masks_unused"]),
        ({"conditioning_data_dir": "masks", "masked_loss": True}, []),
        ({"random_crop": True}, ["latents_not_cached"]),
        ({"random_crop": True, "color_aug": True, "cache_latents": False}, []),
        ({"face_crop_aug_range": "2,4", "flip_aug": True}, ["latents_not_cached"]),
        ({"flip_aug": True}, []),
    ],
)
def test_what_a_person_should_know_is_said(changes: dict[str, Any], codes: list[str]) -> None:
    assert [problem.code for problem in view_warnings(views_config(**changes))] == codes
