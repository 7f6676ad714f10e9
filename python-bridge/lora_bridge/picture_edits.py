"""Turns and crops, kept beside a picture: `photo.jpg.edit.json` edits `photo.jpg`, which stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec
from PIL import Image

from lora_bridge.buckets import Size

if TYPE_CHECKING:
    from pathlib import Path

_SUFFIX = ".edit.json"
_TURNS = {
    90: Image.Transpose.ROTATE_270,
    180: Image.Transpose.ROTATE_180,
    270: Image.Transpose.ROTATE_90,
}
"""Pillow turns against the clock."""
_MOST_BYTES = 4096

_Fraction = Annotated[float, msgspec.Meta(ge=0, le=1)]


class Crop(NamedTuple):
    """What is kept, as fractions of the width and height of the turned picture."""

    left: _Fraction
    top: _Fraction
    width: _Fraction
    height: _Fraction


class Edit(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A picture is first brought upright as its EXIF says, then turned, then cut."""

    rotate: Literal[0, 90, 180, 270] = 0
    """Degrees, with the clock."""
    crop: Crop | None = None

    def size(self, upright: Size) -> Size:
        """The size of a picture after it."""
        _, _, right, bottom = box = self._box(upright)
        return Size(right - box[0], bottom - box[1])

    def apply(self, upright: Image.Image) -> Image.Image:
        """The picture, edited. One of another size, such as a mask, loses the same parts."""
        turn = _TURNS.get(self.rotate)
        box = self._box(Size(*upright.size))
        turned = upright if turn is None else upright.transpose(turn)
        return turned if box == (0, 0, *turned.size) else turned.crop(box)

    def _box(self, upright: Size) -> tuple[int, int, int, int]:
        """Left, top, right and bottom in pixels of the turned picture; at least one pixel of it."""
        width, height = upright if self.rotate in {0, 180} else (upright.height, upright.width)
        if self.crop is None:
            return 0, 0, width, height
        left = min(round(self.crop.left * width), width - 1)
        top = min(round(self.crop.top * height), height - 1)
        right = min(max(round((self.crop.left + self.crop.width) * width), left + 1), width)
        bottom = min(max(round((self.crop.top + self.crop.height) * height), top + 1), height)
        return left, top, right, bottom


class DamagedEditError(ValueError):
    """The file beside a picture does not say how it is edited."""


def edit_file(picture: Path) -> Path:
    """Where the edit of a picture is, if it has one."""
    return picture.with_name(f"{picture.name}{_SUFFIX}")


def read_edit(picture: Path) -> Edit | None:
    """None where a picture has no edit. Raises DamagedEditError, and OSError for one that cannot be read."""
    file = edit_file(picture)
    try:
        with file.open("rb") as stream:
            content = stream.read(_MOST_BYTES)
    except FileNotFoundError:
        return None
    try:
        return msgspec.json.decode(content, type=Edit)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise DamagedEditError(
            f"{file.name} beside it does not say how it is cropped: crop it anew, or delete that file."
        ) from error


def edit_stamp(picture: Path) -> str:
    """Tells edits of a picture apart; empty for a picture without one. Raises as `read_edit`."""
    edit = read_edit(picture)
    return "" if edit is None else msgspec.json.encode(edit).decode()
