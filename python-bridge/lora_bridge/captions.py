"""Captions beside pictures: `<stem><extension>`, first line, else the folder's prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

CaptionFlaw = Literal["missing", "empty", "not UTF-8", "unreadable"]

_FACE_CROP_PARTS = 4


class Caption(NamedTuple):
    """What a picture is called in training."""

    text: str
    flaw: CaptionFlaw | None
    """Why the folder's prompt stands in for the file."""


def caption_file(image: Path, extension: str, siblings: Container[str]) -> Path | None:
    """The caption file of an image among the file names of its folder.

    The crops of Kohya's face cropper, `<stem>_<4 parts>`, share the caption of the picture they come from.
    """
    parts = image.stem.split("_")
    stems = [image.stem]
    if len(parts) > _FACE_CROP_PARTS:
        stems.append("_".join(parts[:-_FACE_CROP_PARTS]))
    for stem in stems:
        if stem + extension in siblings:
            return image.with_name(stem + extension)
    return None


def read_caption(file: Path) -> Caption:
    """The first line of a caption file, or nothing and the reason where it has none. Raises OSError."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        return Caption("", "not UTF-8")
    first_line = text.strip().partition("\n")[0].strip()
    return Caption(first_line, None if first_line else "empty")
