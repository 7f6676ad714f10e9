"""Buckets: Kohya's golden vectors, and what must hold for any picture."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from training_support import make_config

from lora_bridge.buckets import BucketRules, Fit, Size, bucket_rules, parse_resolution, predefined_buckets
from lora_bridge.problems import ProblemError

SDXL = Size(1024, 1024)
UPSCALE = BucketRules(
    SDXL, enabled=True, step=64, upscale=True, predefined=predefined_buckets(SDXL, 256, 2048, 64)
)
NO_UPSCALE = BucketRules(SDXL, enabled=True, step=64, upscale=False, predefined=())

sizes = st.builds(Size, st.integers(64, 8000), st.integers(64, 8000))
steps = st.sampled_from([32, 64, 96, 128])
resolutions = st.builds(Size, st.integers(512, 1536), st.integers(512, 1536))
limits = st.tuples(st.sampled_from([64, 256, 512]), st.sampled_from([1536, 2048, 4096]))


@st.composite
def rules_with_upscaling(draw: st.DrawFn) -> BucketRules:
    """What a config could ask for."""
    (width, height), (smallest, largest) = draw(resolutions), draw(limits)
    return bucket_rules(
        make_config(
            Path("project"),
            max_resolution=f"{width},{height}",
            bucket_reso_steps=draw(steps),
            bucket_no_upscale=False,
            min_bucket_reso=smallest,
            max_bucket_reso=largest,
        )
    )


@st.composite
def rules_without_upscaling(draw: st.DrawFn) -> BucketRules:
    return BucketRules(draw(resolutions), enabled=True, step=draw(steps), upscale=False, predefined=())


def test_predefined_buckets_are_kohyas() -> None:
    half = [
        (256, 2048), (320, 2048), (384, 2048), (448, 2048), (512, 1856), (512, 1920), (512, 1984),
        (512, 2048), (576, 1664), (576, 1728), (576, 1792), (640, 1536), (640, 1600), (704, 1408),
        (704, 1472), (768, 1280), (768, 1344), (832, 1216), (896, 1152), (960, 1088), (1024, 1024),
    ]  # fmt: skip
    expected = {Size(*size) for size in half} | {Size(*size[::-1]) for size in half}
    assert set(UPSCALE.predefined) == expected
    assert len(UPSCALE.predefined) == 41


@pytest.mark.parametrize(("smallest", "step", "count"), [(256, 64, 41), (256, 32, 81), (512, 64, 33)])
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


def _times_covered(picture: Size, bucket: Size) -> float:
    """By a picture that is as small as one that covers the bucket can be."""
    return max(picture.aspect / bucket.aspect, bucket.aspect / picture.aspect)


@given(sizes, st.one_of(rules_with_upscaling(), rules_without_upscaling()))
def test_any_picture_covers_its_bucket(picture: Size, rules: BucketRules) -> None:
    fit = rules.fit(picture)
    if fit is None:
        covers = min(_times_covered(picture, bucket) for bucket in rules.predefined) if rules.upscale else 0
        assert covers > 63 or not rules.upscale
        assert rules.upscale or min(picture) < rules.step or max(picture) / min(picture) > 4
        return
    assert fit.bucket.width % rules.step == fit.bucket.height % rules.step == 0
    assert min(fit.bucket) > 0
    assert fit.resized.width >= fit.bucket.width
    assert fit.resized.height >= fit.bucket.height
    assert fit.left >= 0
    assert fit.top >= 0


@given(sizes, rules_with_upscaling())
def test_with_upscaling_one_side_fits_and_the_aspect_stays(picture: Size, rules: BucketRules) -> None:
    fit = rules.fit(picture)
    assume(fit is not None)
    assert fit is not None
    assert fit.bucket in rules.predefined
    assert fit.resized.width == fit.bucket.width or fit.resized.height == fit.bucket.height
    scale = max(fit.bucket.width / picture.width, fit.bucket.height / picture.height)
    assert abs(fit.resized.width - picture.width * scale) <= 0.5
    assert abs(fit.resized.height - picture.height * scale) <= 0.5


@given(sizes, rules_with_upscaling())
def test_with_upscaling_the_nearest_aspect_is_chosen(picture: Size, rules: BucketRules) -> None:
    fit = rules.fit(picture)
    assume(fit is not None)
    assert fit is not None
    error = abs(fit.bucket.aspect - picture.aspect)
    assert all(error <= abs(bucket.aspect - picture.aspect) for bucket in rules.predefined)


@given(rules_with_upscaling(), st.data())
def test_a_picture_of_a_buckets_size_stays_as_it_is(rules: BucketRules, data: st.DataObject) -> None:
    picture = data.draw(st.sampled_from(rules.predefined))
    assert rules.fit(picture) == Fit(picture, picture)


@given(rules_with_upscaling())
def test_predefined_buckets_are_whole_steps_and_come_with_their_mirror(rules: BucketRules) -> None:
    for bucket in rules.predefined:
        assert bucket.width % rules.step == bucket.height % rules.step == 0
        assert bucket.area <= rules.resolution.area
        assert Size(bucket.height, bucket.width) in rules.predefined


@given(sizes, rules_without_upscaling())
def test_without_upscaling_a_picture_that_is_not_too_large_is_only_cut(
    picture: Size, rules: BucketRules
) -> None:
    fit = rules.fit(picture)
    if fit is None or picture.area > rules.resolution.area:
        return
    assert fit.resized == picture
    assert picture.width - fit.bucket.width < rules.step
    assert picture.height - fit.bucket.height < rules.step


@given(sizes, rules_without_upscaling())
def test_without_upscaling_nothing_grows(picture: Size, rules: BucketRules) -> None:
    fit = rules.fit(picture)
    if fit is None or picture.area <= rules.resolution.area:
        return
    # One side is cut to a whole step, and the other follows it.
    assert fit.resized.width % rules.step == 0 or fit.resized.height % rules.step == 0
    assert fit.resized.area <= rules.resolution.area * 1.05
    assert fit.bucket.area <= fit.resized.area


@given(sizes, resolutions)
def test_without_buckets_every_picture_covers_the_resolution(picture: Size, resolution: Size) -> None:
    fit = BucketRules(resolution, enabled=False, step=64, upscale=True, predefined=()).fit(picture)
    assume(fit is not None)
    assert fit is not None
    assert fit.bucket == resolution
    assert fit.resized.width >= resolution.width
    assert fit.resized.height >= resolution.height


def test_resolution_is_read_as_kohya_writes_it() -> None:
    assert parse_resolution("1024,768") == Size(1024, 768)
    assert parse_resolution(" 512 ") == Size(512, 512)
    with pytest.raises(ProblemError, match="Max resolution"):
        parse_resolution("big")


def test_a_strip_that_would_be_cut_away_is_too_long_for_any_bucket(tmp_path: Path) -> None:
    for changes in ({"enable_bucket": False}, {"bucket_no_upscale": False}):
        rules = bucket_rules(make_config(tmp_path, max_resolution="128,128", **changes))
        assert rules.fit(Size(1, 5000)) is None
        assert rules.fit(Size(100, 800)) is not None
