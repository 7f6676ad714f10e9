"""Pictures on disk: their size from the header alone, their pixels upright and without transparency."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from lora_bridge.buckets import Fit, Size

if TYPE_CHECKING:
    from pathlib import Path

IMAGE_EXTENSIONS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".avif"})
UNREADABLE = (
    OSError,
    UnidentifiedImageError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    Image.DecompressionBombError,
)
"""What Pillow throws at a file that is not a whole picture; its AVIF decoder a RuntimeError."""

_ORIENTATION = 0x0112
_AS_IT_IS = 1
_UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SIDEWAYS = frozenset({5, 6, 7, 8})


def picture_size(file: Path) -> Size:
    """Size as a person sees the picture. Reads only the header; raises one of UNREADABLE."""
    with Image.open(file) as image:
        width, height = image.size
        return Size(height, width) if _orientation(image) in _SIDEWAYS else Size(width, height)


def load_picture(file: Path) -> Image.Image:
    """RGB, turned upright by its EXIF orientation, transparency on white. Raises one of UNREADABLE."""
    with Image.open(file) as image:
        turn = _UPRIGHT.get(_orientation(image))
        picture = _opaque(eight_bit(image))
    return picture if turn is None else picture.transpose(turn)


def eight_bit(image: Image.Image) -> Image.Image:
    """A grey picture with 16 bits in as many shades as fit in 8; Pillow's own conversion cuts off all but the
    darkest."""
    return image.point(lambda shade: shade / 256).convert("L") if image.mode == "I;16" else image


def why_unreadable(error: BaseException) -> str:
    """What one of UNREADABLE means, as a sentence."""
    if isinstance(error, PermissionError):
        return "You have no permission to read it."
    if isinstance(error, FileNotFoundError):
        return "It is not there any more."
    if isinstance(error, Image.DecompressionBombError):
        return "The picture is too large."
    return "This is not a picture, or it is damaged."


def fit_picture(picture: Image.Image, fit: Fit) -> Image.Image:
    """Resize and centre-crop a picture into its bucket."""
    if picture.size != fit.resized:
        picture = picture.resize(fit.resized, Image.Resampling.LANCZOS)
    return picture.crop((fit.left, fit.top, fit.left + fit.bucket.width, fit.top + fit.bucket.height))


def _orientation(image: Image.Image) -> int:
    # Asking a PNG without an eXIf chunk for its EXIF decodes all its pixels in search of one.
    if image.format == "PNG" and "exif" not in image.info:
        return _AS_IT_IS
    return image.getexif().get(_ORIENTATION, _AS_IT_IS)


def _opaque(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    layer = image.convert("RGBA")
    white = Image.new("RGBA", layer.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, layer).convert("RGB")
