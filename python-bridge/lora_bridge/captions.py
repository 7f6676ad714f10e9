"""Captions beside pictures: `<stem><extension>`, else the folder's prompt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Container
    from pathlib import Path

CaptionFlaw = Literal["missing", "empty", "not UTF-8", "UTF-16 instead of UTF-8", "too large", "unreadable"]

_FACE_CROP_PARTS = 4
_MOST_BYTES = 2**16
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Caption(NamedTuple):
    """What a picture is called in training."""

    lines: tuple[str, ...]
    """Stripped, none empty. Wildcards take one of them, everything else the first."""
    flaw: CaptionFlaw | None
    """Why the folder's prompt stands in for the file."""

    @property
    def text(self) -> str:
        """The first line."""
        return self.lines[0] if self.lines else ""


def folder_caption(prompt: str, flaw: CaptionFlaw) -> Caption:
    """The prompt of a folder, in place of a caption that is missing or flawed."""
    return Caption((prompt,) if prompt else (), flaw)


def caption_file(image: Path, extension: str, siblings: Container[str]) -> Path | None:
    """The caption file of an image among the file names of its folder.

    The crops of Kohya's face cropper, `<stem>_<4 parts>`, share the caption of the picture they come from.
    """
    parts = image.stem.split("_")
    stems = [image.stem, "_".join(parts[:-_FACE_CROP_PARTS])]
    for stem in stems:
        # A picture is not captioned by itself, nor by a file that is an extension and nothing else.
        if stem and stem + extension in siblings and stem + extension != image.name:
            return image.with_name(stem + extension)
    return None


def read_caption(file: Path) -> Caption:
    """The lines of a caption file, or none and the reason where it has none. Raises OSError."""
    with file.open("rb") as stream:
        content = stream.read(_MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        return Caption((), "too large")
    # UTF-16 without a mark reads as UTF-8 too, with zeros between the letters.
    if content.startswith(_UTF_16) or b"\0" in content:
        return Caption((), "UTF-16 instead of UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return Caption((), "not UTF-8")
    lines = (line.strip() for line in text.replace("\r", "\n").split("\n"))
    found = tuple(line for line in lines if line)
    return Caption(found, None if found else "empty")
