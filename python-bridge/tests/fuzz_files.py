"""What lies in the folders of fuzzed datasets: pictures and captions, sound, odd and broken."""

from __future__ import annotations

import struct
import zlib
from functools import lru_cache
from io import BytesIO
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pillow_heif
from PIL import AvifImagePlugin, Image

if TYPE_CHECKING:
    import random

_ORIENTATION = 0x0112


class Content(NamedTuple):
    """What is written into a file."""

    kind: str
    extension: str
    """Of pictures."""
    content: bytes


CAPTIONS: tuple[Content, ...] = tuple(
    Content(f"caption: {kind}", "", content)
    for kind, content in {
        "plain": b"ohwx woman, red coat, standing",
        "empty": b"",
        "blanks": b" \t\r\n \xe3\x80\x80 \n",
        "UTF-16": "ohwx woman".encode("utf-16"),
        "UTF-16 without a mark": "ohwx woman".encode("utf-16-le"),
        "Latin-1": "Mädchen, grün".encode("latin-1"),
        "with a mark": "ohwx, Mädchen".encode("utf-8-sig"),
        "NUL": b"ohwx\0woman",
        "a megabyte": b"ohwx woman, " * 87_381,
        "more than a megabyte": b"ohwx woman, " * 87_382,
        "long word": b"a" * 3000,
        "lines": "ohwx\r\rwoman\n\n\u2028standing\x0b, \x0csitting\x85".encode(),
        "emoji": "ohwx 👩‍👩‍👧‍👦🏳️‍🌈, 🎈\ufe0f".encode(),
        "right to left": "אישה, \u202eمرأة\u202c".encode(),
        "wildcard": b"{a|b|{c}|} ohwx {{x}} {|}",
        "open wildcard": b"{a|b, ohwx",
        "closed wildcard": b"a|b}, ohwx }} {{",
        "open brackets": b"(((ohwx, [[woman, (coat:1.3",
        "closed brackets": b"ohwx))) ]] :1.2) \\(",
        "heavy": b"(" * 300 + b"ohwx:99999999999999999999999999999999)" + b"[" * 300,
        "separators": b", ,,, ||| ,;;;,|||,,",
        "end of text": b"<|endoftext|> ohwx <|startoftext|>!!",
        "odd marks": "\ufdd0\uffff\U0010ffff \u0301\u0301 ﷽ ǅ İ".encode(),
        "control": bytes(range(1, 32)),
    }.items()
)
_ROOMY = frozenset({"caption: a megabyte", "caption: more than a megabyte"})
SMALL_CAPTIONS = tuple(each for each in CAPTIONS if each.kind not in _ROOMY)


@lru_cache(maxsize=1)
def pictures() -> tuple[Content, ...]:
    """Pictures of every kind. Formats that nothing here can write are left out."""
    base = Image.linear_gradient("L").resize((72, 64)).convert("RGB")
    tall = base.resize((40, 80))
    frames = [base.rotate(90), base.rotate(180)]
    exif = Image.Exif()
    exif[_ORIENTATION] = 6
    odd_exif = Image.Exif()
    odd_exif[_ORIENTATION] = 99
    png = _saved(base, "PNG")
    sound = {
        "png": (".png", png),
        "tall": (".PNG", _saved(tall, "PNG")),
        "jpg": (".jpg", _saved(base, "JPEG")),
        "jfif": (".jfif", _saved(tall, "JPEG")),
        "webp": (".webp", _saved(base, "WEBP")),
        "bmp": (".bmp", _saved(base, "BMP")),
        "gif": (".gif", _saved(base, "GIF")),
        "tiff": (".tif", _saved(base, "TIFF", compression="tiff_lzw")),
        "one pixel": (".png", _saved(base.resize((1, 1)), "PNG")),
        "a line": (".png", _saved(base.resize((1, 5000)), "PNG")),
        "lying line": (".bmp", _saved(base.resize((300, 1)), "BMP")),
        "palette": (".png", _saved(base.quantize(7), "PNG", transparency=3)),
        "palette of alphas": (".png", _saved(base.quantize(4), "PNG", transparency=bytes([0, 9, 255]))),
        "one bit": (".png", _saved(base.convert("1"), "PNG")),
        "CMYK": (".jpg", _saved(base.convert("CMYK"), "JPEG")),
        "16 bits": (".png", _saved(base.convert("I;16"), "PNG")),
        "32 bits": (".tiff", _saved(base.convert("I"), "TIFF")),
        "fractions": (".tif", _saved(base.convert("F"), "TIFF")),
        "LAB": (".tif", _saved(base.convert("LAB"), "TIFF")),
        "alpha": (".png", _saved(_transparent(base), "PNG")),
        "grey alpha": (".webp", _saved(_transparent(base).convert("LA"), "WEBP")),
        "moving gif": (".gif", _saved(base, "GIF", save_all=True, append_images=frames)),
        "moving png": (".png", _saved(base, "PNG", save_all=True, append_images=frames)),
        "moving webp": (".webp", _saved(base, "WEBP", save_all=True, append_images=frames)),
        "turned": (".jpg", _saved(base, "JPEG", exif=exif)),
        "turned png": (".png", _saved(base, "PNG", exif=exif)),
        "odd orientation": (".jpg", _saved(base, "JPEG", exif=odd_exif)),
        "EXIF of rubbish": (".jpg", _saved(base, "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\xff\xff")),
        "EXIF that is none": (".webp", _saved(base, "WEBP", exif=b"rubbish")),
        "png as jpg": (".jpg", png),
        "jpg as bmp": (".bmp", _saved(base, "JPEG")),
    }
    if AvifImagePlugin.SUPPORTED:
        sound["avif"] = (".avif", _saved(base, "AVIF", speed=10))
    heif = BytesIO()
    cast("Any", pillow_heif.from_pillow(base)).save(heif)
    sound["heic"] = (".heic", heif.getvalue())
    broken = {
        "empty": (".png", b""),
        "text": (".png", b"This is a text about a picture."),
        "page": (".jpg", b"<!DOCTYPE html><title>404</title>"),
        "svg": (".webp", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
        "png bomb": (".png", _png_of(60_000, 60_000)),
        "bomb of a line": (".png", _png_of(1, 2**31 - 1)),
        "largest png": (".png", _png_of(2**32 - 1, 2**32 - 1)),
        "png without area": (".png", _png_of(0, 0)),
        "hollow png": (".png", _png_of(4000, 4000)),
        "gif bomb": (".gif", b"GIF89a" + struct.pack("<HH", 65_535, 65_535) + b"\0\0\0,"),
        "bmp bomb": (".bmp", _bmp_of(2**31 - 1, -(2**31))),
        "bmp of -1": (".bmp", _bmp_of(-1, 64)),
        "tiff in a circle": (".tif", b"II*\0\x08\0\0\0\0\0\x08\0\0\0"),
        "heic in name": (".heic", png[:40]),
        "ftyp and no more": (".avif", b"\0\0\0\x18ftypavif\0\0\0\0"),
    }
    return tuple(Content(f"picture: {kind}", *each) for kind, each in (*sound.items(), *broken.items()))


def damaged(picture: Content, chance: random.Random) -> Content:
    """A picture that breaks off, or that lost or changed some of its bytes."""
    content = bytearray(picture.content)
    if not content:
        return picture
    at = chance.randrange(len(content))
    how = chance.choice(("breaks off", "changed", "lost bytes", "goes on"))
    match how:
        case "breaks off":
            del content[at:]
        case "changed":
            for _ in range(chance.randint(1, 8)):
                content[chance.randrange(len(content))] = chance.randrange(256)
        case "lost bytes":
            del content[at : at + chance.randint(1, 30)]
        case _:
            content *= 2
    return Content(f"picture: {how}", picture.extension, bytes(content))


def _saved(picture: Image.Image, form: str, **options: Any) -> bytes:
    stream = BytesIO()
    picture.save(stream, form, **options)
    return stream.getvalue()


def _transparent(picture: Image.Image) -> Image.Image:
    picture = picture.convert("RGBA")
    picture.putalpha(Image.radial_gradient("L").resize(picture.size))
    return picture


def _png_of(width: int, height: int) -> bytes:
    """A PNG that says it is of a size, and has nothing in it."""
    header = struct.pack(">II5B", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(b"")), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        for name, data in chunks
    )


def _bmp_of(width: int, height: int) -> bytes:
    return struct.pack("<2sIHHIIiiHHIIiiII", b"BM", 54, 0, 0, 54, 40, width, height, 1, 24, 0, 0, 0, 0, 0, 0)
