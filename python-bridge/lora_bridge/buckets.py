"""Aspect-ratio buckets, exactly as Kohya makes and fills them (sd-scripts `BucketManager`)."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import BucketParameters, TrainConfig

SDXL_BUCKET_STEP = 32
LATENT_STEP = 8
_MOST_CUT_AWAY = 64
"""A strip that covers a bucket this many times would need gigabytes and show next to nothing of itself."""


class Size(NamedTuple):
    """Width and height in pixels."""

    width: int
    height: int

    @property
    def aspect(self) -> float:
        return self.width / self.height

    @property
    def area(self) -> int:
        return self.width * self.height

    def __str__(self) -> str:
        return f"{self.width}x{self.height}"


class Fit(NamedTuple):
    """How a picture comes into its bucket: resized to `resized`, then cut to `bucket` at `left`, `top`."""

    bucket: Size
    resized: Size

    @property
    def left(self) -> int:
        return (self.resized.width - self.bucket.width) // 2

    @property
    def top(self) -> int:
        return (self.resized.height - self.bucket.height) // 2


class BucketRules(Struct, frozen=True):
    """What decides which bucket a picture goes into."""

    resolution: Size
    enabled: bool
    step: int
    upscale: bool
    """Small pictures are enlarged to a predefined bucket; else they keep their size."""
    predefined: tuple[Size, ...]

    def fit(self, picture: Size) -> Fit | None:
        """The bucket of a picture of this size; None when it is too small or too long for any."""
        if not self.enabled or self.upscale:
            cover = _cover(picture, self._nearest(picture) if self.enabled else self.resolution)
            return cover if cover.resized.area <= _MOST_CUT_AWAY * cover.bucket.area else None
        resized = picture if picture.area <= self.resolution.area else self._shrink(picture)
        bucket = Size(_floor(resized.width, self.step), _floor(resized.height, self.step))
        return Fit(bucket, resized) if bucket.area > 0 else None

    def _nearest(self, picture: Size) -> Size:
        if picture in self.predefined:
            return picture
        return min(self.predefined, key=lambda bucket: abs(bucket.aspect - picture.aspect))

    def _shrink(self, picture: Size) -> Size:
        """To the area of the resolution, with the side rounded to a step that distorts the aspect least."""
        width = math.sqrt(self.resolution.area * picture.aspect)
        by_width = Size(_round(width, self.step), 0)
        by_width = by_width._replace(height=_round(by_width.width / picture.aspect, self.step))
        by_height = Size(0, _round(self.resolution.area / width, self.step))
        by_height = by_height._replace(width=_round(by_height.height * picture.aspect, self.step))
        if by_width.area == 0 or by_height.area == 0:
            return Size(0, 0)
        if abs(by_width.aspect - picture.aspect) < abs(by_height.aspect - picture.aspect):
            return Size(by_width.width, _round(by_width.width / picture.aspect, 1))
        return Size(_round(by_height.height * picture.aspect, 1), by_height.height)


def parse_resolution(text: str) -> Size:
    """`1024,768` or `1024` as Kohya writes it.

    Raises ProblemError `bad_resolution`.
    """
    parts = [part.strip() for part in text.split(",")]
    if not 1 <= len(parts) <= 2 or not all(part.isdigit() and int(part) > 0 for part in parts):
        raise ProblemError(
            "bad_resolution",
            f"Max resolution is “{text}”, which is not a width and a height.",
            "Write two whole numbers with a comma between them, such as 1024,1024.",
        )
    return Size(int(parts[0]), int(parts[-1]))


def bucket_rules(config: TrainConfig | BucketParameters) -> BucketRules:
    """The rules that a config asks for. Raises ProblemError naming the parameter that does not fit."""
    resolution = parse_resolution(config.max_resolution)
    step = config.bucket_reso_steps
    if not config.enable_bucket:
        if resolution.width % LATENT_STEP or resolution.height % LATENT_STEP:
            raise ProblemError(
                "bad_resolution",
                f"Max resolution is {config.max_resolution}, but without buckets both sides must be "
                f"multiples of {LATENT_STEP}.",
                "Round it, or enable buckets.",
            )
        return BucketRules(resolution, enabled=False, step=step, upscale=True, predefined=())
    if step % SDXL_BUCKET_STEP:
        raise ProblemError(
            "bad_bucket_reso_steps",
            f"Bucket resolution steps is {step}, but SDXL needs a multiple of {SDXL_BUCKET_STEP}.",
            "Set it to 64.",
        )
    if config.bucket_no_upscale:
        return BucketRules(resolution, enabled=True, step=step, upscale=False, predefined=())
    smallest, largest = bucket_limits(config)
    if smallest > min(resolution):
        raise ProblemError(
            "bad_min_bucket_reso",
            f"Minimum bucket resolution is {smallest}, which is more than the shorter side of "
            f"Max resolution, {min(resolution)}.",
            "Lower Minimum bucket resolution or raise Max resolution.",
        )
    if largest < max(resolution):
        raise ProblemError(
            "bad_max_bucket_reso",
            f"Maximum bucket resolution is {largest}, which is less than the longer side of "
            f"Max resolution, {max(resolution)}.",
            "Raise Maximum bucket resolution or lower Max resolution.",
        )
    predefined = predefined_buckets(resolution, smallest, largest, step)
    return BucketRules(resolution, enabled=True, step=step, upscale=True, predefined=predefined)


def bucket_limits(config: TrainConfig | BucketParameters) -> tuple[int, int]:
    """Smallest and largest side of a bucket, moved outwards to whole steps as Kohya does: at least one."""
    step = config.bucket_reso_steps
    return max(_floor(config.min_bucket_reso, step), step), -_floor(-config.max_bucket_reso, step)


def bucket_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What becomes of limits that are no whole steps."""
    if not config.enable_bucket or config.bucket_no_upscale:
        return
    limits = bucket_limits(config)
    if limits != (config.min_bucket_reso, config.max_bucket_reso):
        yield Problem(
            code="bucket_limits_rounded",
            message=f"Minimum and maximum bucket resolution become {limits[0]} and {limits[1]}, "
            f"multiples of Bucket resolution steps ({config.bucket_reso_steps}).",
        )


def predefined_buckets(resolution: Size, smallest: int, largest: int, step: int) -> tuple[Size, ...]:
    """Every bucket with sides of whole steps that covers at most the area of `resolution`, in order."""
    square = _floor(math.isqrt(resolution.area), step)
    buckets = {Size(square, square)}
    for width in range(smallest, largest + 1, step):
        height = min(largest, _floor(resolution.area // width, step))
        if height >= smallest:
            buckets |= {Size(width, height), Size(height, width)}
    return tuple(sorted(buckets))


def _cover(picture: Size, bucket: Size) -> Fit:
    """Resize so that the bucket is covered and one side fits."""
    scale = max(bucket.width / picture.width, bucket.height / picture.height)
    return Fit(bucket, Size(_round(picture.width * scale, 1), _round(picture.height * scale, 1)))


def _floor(value: int, step: int) -> int:
    return value - value % step


def _round(value: float, step: int) -> int:
    """To the nearest whole number, then down to a step: Kohya's order, which decides ties."""
    return _floor(int(value + 0.5), step)
