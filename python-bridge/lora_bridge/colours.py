"""The colours of pictures, varied as Kohya does."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lora_bridge.views import Colour


def vary_colours(pixels: NDArray[np.float32], colour: Colour) -> NDArray[np.float32]:
    """[height, width, 3] from 0 to 1, with hue and gamma changed.

    As albumentations' HueSaturationValue and RandomGamma, which Kohya's `AugHelper` stands for; its own gamma
    is raised on 0 to 255, which darkens white to 193 at 0.95 and cuts it off at 1.05.
    """
    if colour.hue:
        pixels = _turn_hue(pixels, colour.hue)
    return pixels if colour.gamma == 1.0 else pixels**colour.gamma


def _turn_hue(pixels: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Hue turned with saturation and value of HSV as they are: RGB to hue and back, without rounding."""
    value = pixels.max(axis=2)
    chroma = value - pixels.min(axis=2)
    red, green, blue = np.moveaxis(pixels, 2, 0)
    sextant = np.select(
        [value == red, value == green],
        [green - blue, blue - red + 2 * chroma],
        red - green + 4 * chroma,
    ) / np.where(chroma == 0, 1, chroma)
    turned = sextant + np.float32(degrees / 60)
    channels = [(start + turned) % 6 for start in (5, 3, 1)]
    shares = np.stack([np.clip(np.minimum(place, 4 - place), 0, 1) for place in channels], axis=2)
    return value[..., None] - chroma[..., None] * shares
