"""Pictures for the app's window: what they are, whether they are whole, how they look in small and large."""

from __future__ import annotations

import io
import math
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from lora_bridge.files import write_atomically
from lora_bridge.images import UNREADABLE, eight_bit, picture_size, why_unreadable
from lora_bridge.picture_edits import Edit, read_edit
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import PictureFacts, ShownPicture

if TYPE_CHECKING:
    from pathlib import Path

_SIDE = 320
_QUALITY = 80
_FASTEST = 0
"""WebP's method: a third of the time of its default, for files a seventh larger."""
_AS_IT_IS = Edit()


def examine_picture(file: Path, thumbnail: Path) -> PictureFacts:
    """Read a picture as training would and keep a thumbnail of it, at most 320 pixels a side.

    Decodes all of it unless the thumbnail is there already, so that damage behind the header is found. A
    picture that cannot be read is an answer, not an error. Raises OSError if the thumbnail cannot be written.
    """
    try:
        size = picture_size(file)
        with Image.open(file) as image:
            image_format = (image.format or "").lower()
            shrunk = None if thumbnail.exists() else _shrink(image, read_edit(file) or _AS_IT_IS, _SIDE)
    except UNREADABLE as error:
        return PictureFacts(width=0, height=0, format="", problem=why_unreadable(error))
    if shrunk is not None:
        thumbnail.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(thumbnail, _webp(shrunk))
    return PictureFacts(width=size.width, height=size.height, format=image_format, problem=None)


def show_picture(file: Path, target: Path, side: int, *, cropped: bool) -> ShownPicture:
    """Write a picture for the large view, upright and at most `side` pixels a side, as WebP.

    Turned as its edit says, and with its crop where `cropped`. Raises ProblemError `picture_unreadable`, and
    OSError if it cannot be written.
    """
    try:
        with Image.open(file) as image:
            edit = read_edit(file) or _AS_IT_IS
            shown = _shrink(image, edit if cropped else Edit(edit.rotate), side)
    except UNREADABLE as error:
        raise ProblemError(
            "picture_unreadable",
            f"{file.name} cannot be shown. {why_unreadable(error)}",
            "Reload the folder.",
        ) from error
    target.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(target, _webp(shown))
    return ShownPicture(width=shown.width, height=shown.height)


def _shrink(image: Image.Image, edit: Edit, side: int) -> Image.Image:
    # Before it is cropped the picture must be so much larger as the crop is smaller.
    part = 1.0 if edit.crop is None else max(min(edit.crop.width, edit.crop.height), 1 / 64)
    image.thumbnail((math.ceil(side / part), math.ceil(side / part)))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    shrunk = edit.apply(eight_bit(ImageOps.exif_transpose(image)).convert(mode))
    shrunk.thumbnail((side, side))
    return shrunk


def _webp(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=_QUALITY, method=_FASTEST)
    return buffer.getvalue()
