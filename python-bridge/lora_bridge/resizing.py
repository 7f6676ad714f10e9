"""Pictures made smaller and larger, by the filter that a person chose."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lora_bridge.buckets import Size

_PILLOW = {
    "lanczos": Image.Resampling.LANCZOS,
    "bicubic": Image.Resampling.BICUBIC,
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
"""Other than Kohya's OpenCV, Pillow's bicubic and bilinear see all pixels of a picture that they shrink."""


def resize(picture: Image.Image, size: Size, interpolation: str) -> Image.Image:
    """A picture (RGB or L) in another size; `interpolation` is a choice of `resize_interpolation`.

    `auto` is Kohya's own choice (sd-scripts `resize_image`): area if no side grows, else Lanczos.
    """
    if picture.size == size:
        return picture
    if interpolation == "auto":
        shrinks = picture.width >= size.width and picture.height >= size.height
        interpolation = "area" if shrinks else "lanczos"
    if interpolation != "area":
        return picture.resize(size, _PILLOW[interpolation])
    return Image.fromarray(_area(np.asarray(picture), size))


def _area(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """[height, width, ...] in which each pixel is the mean of the area that it covers.

    Pixels at the rim of that area count by the part of them that lies in it: what OpenCV's INTER_AREA does,
    and what Pillow's box filter does not.
    """
    rows = _mean_of_rows(pixels, size.height)
    both = _mean_of_rows(rows.swapaxes(0, 1), size.width).swapaxes(0, 1)
    return np.clip(np.rint(both), 0, 255).astype(np.uint8)


def _mean_of_rows(pixels: NDArray[np.uint8] | NDArray[np.float32], target: int) -> NDArray[np.float32]:
    """[target, ...] from [source, ...]."""
    source = len(pixels)
    edges = np.arange(target + 1) * (source / target)
    low, high = edges[:-1], edges[1:]
    first = np.floor(low).astype(np.intp)
    means = np.zeros((target, *pixels.shape[1:]), dtype=np.float32)
    by_row = (-1, *(1 for _ in pixels.shape[1:]))
    for offset in range(math.ceil(source / target) + 1):
        row = first + offset
        inside = np.clip(np.minimum(high, row + 1) - np.maximum(low, row), 0, None)
        weights = (inside * (target / source)).astype(np.float32).reshape(by_row)
        means += weights * pixels[np.minimum(row, source - 1)]
    return means
