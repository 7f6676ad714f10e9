"""Buckets: Kohya's golden vectors, and what must hold for any picture."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lora_bridge.buckets import BucketRules, Fit, Size, parse_resolution, predefined_buckets
from lora_bridge.problems import ProblemError

SDXL = Size(1024, 1024)
UPSCALE = BucketRules(
    SDXL, enabled=True, step=64, upscale=True, predefined=predefined_buckets(SDXL, 256, 2048, 64)
)
NO_UPSCALE = BucketRules(SDXL, enabled=True, step=64, upscale=False, predefined=())

sizes = st.builds(Size, st.integers(64, 8000), st.integers(64, 8000))


def test_predefined_buckets_are_kohyas() -> None:
    half = [
        (256, 2048), (320, 2048), (384, 2048), (448, 2048), (512, 1856), (512, 1920), (512, 1984),
        (512, 2048), (576, 1664), (576, 1728), (576, 1792), (640, 1536), (640, 1600), (704, 1408),
        (704, 1472), (768, 1280), (768, 1344), (832, 1216), (896, 1152), (960, 1088), (1024, 1024),
    ]  # fmt: skip
    expected = {Size(*size) for size in half} | {Size(*size[::-1]) for size in half}
    assert set(UPSCALE.predefined) == expected
    assert len(UPSCALE.predefined) == 41


@pytest.mark.parametrize(("smallest", "step", "count"), [(256, 32, 81), (512, 64, 33)])
def test_number_of_predefined_buckets(smallest: int, step: int, count: int) -> None:
    assert len(predefined_buckets(SDXL, smallest, 2048, step)) == count


@pytest.mark.parametrize(
    ("picture", "bucket", "resized"),
    [
        ((1920, 1080), (1344, 768), (1365, 768)),
        ((768, 1024), (896, 1152), (896, 1195)),
        ((512, 512), (1024, 1024), (1024, 1024)),
        ((4000, 3000), (1152, 896), (1195, 896)),
        ((1000, 700), (1216, 832), (1216, 851)),
        ((6000, 1000), (2048, 320), (2048, 341)),
    ],
)
def test_kohyas_choice_with_upscaling(
    picture: tuple[int, int], bucket: tuple[int, int], resized: tuple[int, int]
) -> None:
    assert UPSCALE.fit(Size(*picture)) == Fit(Size(*bucket), Size(*resized))


@pytest.mark.parametrize(
    ("picture", "bucket", "resized"),
    [
        ((1920, 1080), (1344, 768), (1365, 768)),
        ((768, 1024), (768, 1024), (768, 1024)),
        ((512, 512), (512, 512), (512, 512)),
        ((4000, 3000), (1088, 832), (1109, 832)),
        ((1000, 700), (960, 640), (1000, 700)),
        ((6000, 1000), (2304, 384), (2304, 384)),
    ],
)
def test_kohyas_choice_without_upscaling(
    picture: tuple[int, int], bucket: tuple[int, int], resized: tuple[int, int]
) -> None:
    assert NO_UPSCALE.fit(Size(*picture)) == Fit(Size(*bucket), Size(*resized))


def test_the_crop_is_where_the_picture_is_cut() -> None:
    fit = Fit(Size(1344, 768), Size(1365, 768))
    assert (fit.left, fit.top) == (10, 0)


def test_too_small_for_a_bucket() -> None:
    assert NO_UPSCALE.fit(Size(63, 900)) is None
    assert NO_UPSCALE.fit(Size(100_000, 20)) is None


@given(sizes)
def test_any_picture_covers_its_bucket(picture: Size) -> None:
    for rules in (UPSCALE, NO_UPSCALE):
        fit = rules.fit(picture)
        if fit is None:
            continue
        assert fit.bucket.width % 64 == fit.bucket.height % 64 == 0
        assert fit.resized.width >= fit.bucket.width
        assert fit.resized.height >= fit.bucket.height
        assert fit.left >= 0
        assert fit.top >= 0


@given(sizes)
def test_without_upscaling_nothing_grows(picture: Size) -> None:
    fit = NO_UPSCALE.fit(picture)
    # Rounding a side of an extreme picture can add a little, never more than a step.
    assert fit is None or fit.resized.area <= max(picture.area, SDXL.area) * 1.2


@given(sizes)
def test_with_upscaling_the_nearest_aspect_is_chosen(picture: Size) -> None:
    fit = UPSCALE.fit(picture)
    assert fit is not None
    error = abs(fit.bucket.aspect - picture.aspect)
    assert picture in UPSCALE.predefined or all(
        error <= abs(bucket.aspect - picture.aspect) for bucket in UPSCALE.predefined
    )


def test_resolution_is_read_as_kohya_writes_it() -> None:
    assert parse_resolution("1024,768") == Size(1024, 768)
    assert parse_resolution(" 512 ") == Size(512, 512)
    with pytest.raises(ProblemError, match="Max resolution"):
        parse_resolution("big")
