"""Pictures for the app's grid: what they are, whether they are whole, and how they look in small."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from PIL import Image, ImageOps

from lora_bridge.files import write_atomically
from lora_bridge.images import UNREADABLE, eight_bit, picture_size, why_unreadable
from lora_bridge.protocol_types import PictureFacts

if TYPE_CHECKING:
    from pathlib import Path

_SIDE = 320
_QUALITY = 80


def examine_picture(file: Path, thumbnail: Path) -> PictureFacts:
    """Read a picture as training would and keep a thumbnail of it, at most 320 pixels a side.

    Decodes all of it unless the thumbnail is there already, so that damage behind the header is found. A
    picture that cannot be read is an answer, not an error. Raises OSError if the thumbnail cannot be written.
    """
    try:
        size = picture_size(file)
        with Image.open(file) as image:
            image_format = (image.format or "").lower()
            small = None if thumbnail.exists() else _shrink(image)
    except UNREADABLE as error:
        return PictureFacts(width=0, height=0, format="", problem=why_unreadable(error))
    if small is not None:
        thumbnail.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(thumbnail, small)
    return PictureFacts(width=size.width, height=size.height, format=image_format, problem=None)


def _shrink(image: Image.Image) -> bytes:
    image.thumbnail((_SIDE, _SIDE))
    mode = "RGBA" if image.has_transparency_data else "RGB"
    buffer = io.BytesIO()
    eight_bit(ImageOps.exif_transpose(image)).convert(mode).save(buffer, "WEBP", quality=_QUALITY)
    return buffer.getvalue()
