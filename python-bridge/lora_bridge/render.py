"""Pictures as the VAE gets them: resized, cut, mirrored and coloured as a view says, with their masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch import as_tensor

from lora_bridge.buckets import LATENT_STEP
from lora_bridge.colours import vary_colours
from lora_bridge.images import UNREADABLE, load_layers, load_picture, why_unreadable
from lora_bridge.picture_edits import read_edit
from lora_bridge.problems import ProblemError
from lora_bridge.resizing import resize

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray
    from PIL import Image
    from torch import Tensor

    from lora_bridge.dataset import Sample
    from lora_bridge.picture_edits import Edit
    from lora_bridge.views import View


class Rendered(NamedTuple):
    """What is shown of a picture."""

    pixels: Tensor
    """[3, height, width] fp32 from -1 to 1."""
    mask: Tensor | None
    """[1, height / 8, width / 8] fp32 from 0 to 1: how much the loss counts there. None: everywhere."""


def render(sample: Sample, view: View) -> Rendered:
    """A sample's picture as `view` shows it.

    Its mask is the red of its mask picture, else its transparency where the rules make a mask of that; the
    colours of transparent parts are then those of the file, as with Kohya. Raises one of images.UNREADABLE,
    and ProblemError `mask_unreadable`.
    """
    rules = sample.subset.pictures
    if rules.alpha_mask:
        picture, mask = load_layers(sample.picture.path)
    else:
        picture, mask = load_picture(sample.picture.path), None
    if sample.picture.mask is not None:
        mask = _load_mask(sample.picture.mask, read_edit(sample.picture.path))
    shown = _cut(resize(picture, view.resized, rules.interpolation), view)
    if view.colour is not None:
        shown = vary_colours(shown, view.colour)
    pixels = as_tensor(shown * 2 - 1).permute(2, 0, 1).contiguous()
    return Rendered(pixels, None if mask is None else _latent_mask(mask, view))


def _load_mask(file: Path, edit: Edit | None) -> Image.Image:
    try:
        return load_layers(file, edit).colours.getchannel("R")
    except UNREADABLE as error:
        raise ProblemError(
            "mask_unreadable",
            f"The mask {file} cannot be read. {why_unreadable(error)}",
            "Make it again, or take it out of the mask folder.",
        ) from error


def _latent_mask(mask: Image.Image, view: View) -> Tensor:
    """[1, height / 8, width / 8]: the mean of the mask over what each place of the latent stands for."""
    shown = _cut(resize(mask, view.resized, "area"), view)
    height, width = (side // LATENT_STEP for side in shown.shape)
    blocks = shown.reshape(height, LATENT_STEP, width, LATENT_STEP)
    return as_tensor(blocks.mean(axis=(1, 3))[None])


def _cut(picture: Image.Image, view: View) -> NDArray[np.float32]:
    """[height, width, 3], of a mask [height, width], from 0 to 1."""
    box = (view.left, view.top, view.left + view.bucket.width, view.top + view.bucket.height)
    cut = np.array(picture.crop(box), dtype=np.float32)
    cut /= 255
    return cut[:, ::-1] if view.flipped else cut
