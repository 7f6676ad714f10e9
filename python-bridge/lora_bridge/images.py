"""Pictures on disk: their size from the header alone, their pixels upright and in eight bits a colour."""

from __future__ import annotations

import struct
import warnings
import zlib
from importlib import import_module
from typing import TYPE_CHECKING, NamedTuple, cast

# Before the HEIF reader, which would take AVIF pictures of the brand mif1 for its own and fail at their
# pixels.
from PIL import AvifImagePlugin, Image, UnidentifiedImageError

from lora_bridge.buckets import Size
from lora_bridge.picture_edits import DamagedEditError, read_edit

try:
    import_module("pillow_heif.HeifImagePlugin")
except ImportError:
    _reads_heif = False
else:
    _reads_heif = True

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.picture_edits import Edit

_HEIF = frozenset({".heic", ".heif"})
IMAGE_EXTENSIONS = _HEIF | frozenset(
    {".png", ".jpg", ".jpeg", ".jfif", ".webp", ".bmp", ".avif", ".tif", ".tiff", ".gif"}
)
"""Of moving pictures the first is read."""

UNREADABLE = (
    OSError,
    SyntaxError,
    ValueError,
    EOFError,
    RuntimeError,
    LookupError,
    TypeError,
    ArithmeticError,
    MemoryError,
    struct.error,
    zlib.error,
    Image.DecompressionBombError,
)
"""What Pillow and its readers throw at a file that is not a whole picture."""

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
_WHITES = (0xFF, 0xFFFF, 0xFFFF_FFFF)
_MOST_PIXELS = 178_956_970
"""Above it Pillow takes a picture for a bomb."""

# What it says of odd metadata, and of pictures above half of that size, which scans and panoramas have.
warnings.filterwarnings("ignore", module=r"PIL\.")


class ReaderMissingError(OSError):
    """A picture in a format that nothing installed here can read; says what can."""


class Layers(NamedTuple):
    """A picture's colours and its transparency, of one size."""

    colours: Image.Image
    """RGB, also where the picture is transparent."""
    alpha: Image.Image | None
    """L, 255 where the picture is opaque; None for a picture that cannot be transparent."""


def picture_size(file: Path) -> Size:
    """Size of what `load_picture` gives. Reads only the header; raises one of UNREADABLE."""
    return edited_size(file, upright_size(file))


def edited_size(file: Path, upright: Size) -> Size:
    """Size of a picture of that upright size after its edit. Raises one of UNREADABLE."""
    edit = read_edit(file)
    return upright if edit is None else edit.size(upright)


def upright_size(file: Path) -> Size:
    """Size as a person sees the picture without its edit. Reads only the header; raises one of UNREADABLE."""
    with _open(file) as image:
        width, height = image.size
        return Size(height, width) if _orientation(image) in _SIDEWAYS else Size(width, height)


def load_picture(file: Path) -> Image.Image:
    """RGB, upright as its EXIF says, edited, transparency on white. Raises one of UNREADABLE."""
    picture = _edited(file)
    if picture.mode == "RGB":
        return picture
    white = Image.new("RGBA", picture.size, (255, 255, 255, 255))
    return Image.alpha_composite(white, picture).convert("RGB")


def load_layers(file: Path, edit: Edit | None = None) -> Layers:
    """As `load_picture`, with the transparency beside the colours; `edit` for one without its own.

    Raises one of UNREADABLE.
    """
    picture = _edited(file, edit)
    return Layers(picture.convert("RGB"), picture.getchannel("A") if picture.mode == "RGBA" else None)


def eight_bit(image: Image.Image) -> Image.Image:
    """A grey picture of more than 8 bits in as many shades as fit in 8; Pillow's own conversion cuts off all
    but the darkest.

    Whole numbers of 32 bits and fractions do not say what white is: it is the first of 1 (for fractions),
    255, 65535 and 2³²-1 that no shade exceeds.
    """
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda shade: shade / 256).convert("L")
    if image.mode not in {"I", "F"}:
        return image
    _, brightest = cast("tuple[float, float]", image.getextrema())
    whites = (1.0, *_WHITES) if image.mode == "F" else _WHITES
    factor = 255 / next((white for white in whites if brightest <= white), brightest)
    return image.convert("F").point(lambda shade: shade * factor + 0.5).convert("L")


def why_unreadable(error: BaseException) -> str:
    """What one of UNREADABLE means, as a sentence."""
    if isinstance(error, ReaderMissingError | DamagedEditError):
        return str(error)
    if isinstance(error, PermissionError):
        return "You have no permission to read it."
    if isinstance(error, FileNotFoundError):
        return "It is not there any more."
    if isinstance(error, Image.DecompressionBombError):
        return f"The picture is too large: it has more than {_MOST_PIXELS // 1_000_000} million pixels."
    if isinstance(error, MemoryError):
        return "The picture is too large for the memory of this machine."
    return "This is not a picture, or it is damaged."


def _open(file: Path) -> Image.Image:
    try:
        return Image.open(file)
    except UnidentifiedImageError as error:
        missing = _missing_reader(file.suffix.lower())
        if missing is None:
            raise
        raise ReaderMissingError(missing) from error


def _missing_reader(extension: str) -> str | None:
    if extension in _HEIF and not _reads_heif:
        return "HEIC pictures cannot be read here: install the Python package pillow-heif, or save it as PNG."
    if extension == ".avif" and not AvifImagePlugin.SUPPORTED:
        return "AVIF pictures cannot be read here: this build of Pillow lacks AVIF. Save it as PNG."
    return None


def _edited(file: Path, otherwise: Edit | None = None) -> Image.Image:
    edit = read_edit(file) or otherwise
    picture = _upright(file)
    return picture if edit is None else edit.apply(picture)


def _upright(file: Path) -> Image.Image:
    """RGB, or RGBA where it may be transparent."""
    with _open(file) as image:
        turn = _UPRIGHT.get(_orientation(image))
        # The one transparent shade of a picture of 16 bits is no shade of 8.
        transparent = image.has_transparency_data and not image.mode.startswith("I")
        picture = eight_bit(image).convert("RGBA" if transparent else "RGB")
    return picture if turn is None else picture.transpose(turn)


def _orientation(image: Image.Image) -> int:
    # Asking a PNG without an eXIf chunk for its EXIF decodes all its pixels in search of one. Pillow turns
    # TIFF pictures itself.
    if image.format == "TIFF" or (image.format == "PNG" and "exif" not in image.info):
        return _AS_IT_IS
    return image.getexif().get(_ORIENTATION, _AS_IT_IS)
