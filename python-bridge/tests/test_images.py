"""Pictures of every kind that people have, whole and broken."""

from __future__ import annotations

import random
import re
import shutil
import struct
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from PIL import AvifImagePlugin, Image, ImageChops, ImageStat

from lora_bridge import images
from lora_bridge.images import (
    IMAGE_EXTENSIONS,
    UNREADABLE,
    ReaderMissingError,
    load_layers,
    load_picture,
    picture_size,
    why_unreadable,
)

if TYPE_CHECKING:
    from numpy.typing import NDArray

_ORIENTATION = 0x0112
_SIZE = (96, 64)
_REPOSITORY = Path(__file__).parents[2]


def _photo() -> Image.Image:
    """Smooth, so that compression keeps it, and no two corners alike."""
    down = Image.linear_gradient("L")
    across = down.rotate(90)
    return Image.merge("RGB", [each.resize(_SIZE) for each in (down, across, down.rotate(180))])


def _difference(one: Image.Image, other: Image.Image) -> float:
    assert one.size == other.size
    assert one.mode == other.mode
    return max(ImageStat.Stat(ImageChops.difference(one, other)).mean)


def _written(file: Path, content: bytes) -> Path:
    file.write_bytes(content)
    return file


@pytest.mark.parametrize("extension", sorted(IMAGE_EXTENSIONS))
def test_every_extension_on_the_list_is_read(tmp_path: Path, extension: str) -> None:
    file = tmp_path / f"a{extension}"
    _photo().save(file)
    assert picture_size(file) == _SIZE
    assert _difference(load_picture(file), _photo()) < (6 if extension == ".gif" else 4)


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.webp", "a.tif", "a.avif", "a.heic"])
def test_a_picture_is_turned_upright_once(tmp_path: Path, name: str, orientation: int) -> None:
    exif = Image.Exif()
    exif[_ORIENTATION] = orientation
    _photo().save(tmp_path / name, exif=exif.tobytes())
    # Where the first column and row of the file belong (EXIF 2.3, 4.6.4); from 5 on it lies on its side.
    columns, rows = {
        1: ("left", "top"),
        2: ("right", "top"),
        3: ("right", "bottom"),
        4: ("left", "bottom"),
        5: ("left", "top"),
        6: ("right", "top"),
        7: ("right", "bottom"),
        8: ("left", "bottom"),
    }[orientation]
    upright = np.asarray(_photo())
    upright = upright.swapaxes(0, 1) if orientation >= 5 else upright
    upright = upright[:, ::-1] if columns == "right" else upright
    upright = upright[::-1] if rows == "bottom" else upright
    expected = Image.fromarray(np.ascontiguousarray(upright))
    assert picture_size(tmp_path / name) == expected.size
    assert _difference(load_picture(tmp_path / name), expected) < 4


@pytest.mark.parametrize("byte_order", ["<u2", ">u2"])
@pytest.mark.parametrize("name", ["a.png", "a.tif"])
def test_sixteen_bits_of_grey(tmp_path: Path, name: str, byte_order: str) -> None:
    shades = np.arange(96, dtype=np.uint16)[None].repeat(64, axis=0) * 690
    Image.fromarray(shades.astype(byte_order)).save(tmp_path / name)
    read = np.asarray(load_picture(tmp_path / name))
    assert (read[..., 0] == shades // 256).all()
    assert (read[..., 0] == read[..., 2]).all()


def _tiff(pixels: NDArray[np.uint16]) -> bytes:
    """An uncompressed little-endian TIFF of 16-bit RGB, which Pillow reads and cannot write."""
    height, width, _ = pixels.shape
    fields = [
        *((256, 3, 1, width), (257, 3, 1, height), (258, 3, 3, 134), (259, 3, 1, 1), (262, 3, 1, 2)),
        *((273, 4, 1, 140), (277, 3, 1, 3), (278, 3, 1, height), (279, 4, 1, pixels.nbytes), (284, 3, 1, 1)),
    ]
    head = struct.pack("<2sHIH", b"II", 42, 8, len(fields))
    body = b"".join(struct.pack("<HHII", *field) for field in fields) + struct.pack("<I", 0)
    return head + body + struct.pack("<HHH", 16, 16, 16) + pixels.astype("<u2").tobytes()


def test_sixteen_bits_of_colour(tmp_path: Path) -> None:
    colours = np.asarray(_photo()).astype(np.uint16) * 256 + 77
    content = _tiff(colours)
    assert content.index(struct.pack("<HHH", 16, 16, 16)) == 134
    file = _written(tmp_path / "a.tiff", content)
    assert _difference(load_picture(file), _photo()) == 0


@pytest.mark.parametrize(
    ("kind", "white"),
    [("f4", 1.0), ("f4", 255), ("f4", 65535), ("i4", 255), ("i4", 65535)],
)
def test_grey_of_other_kinds_of_numbers(tmp_path: Path, kind: str, white: float) -> None:
    ramp = np.asarray(Image.linear_gradient("L"), dtype=np.float64)
    Image.fromarray((ramp / 255 * white).round(5).astype(kind)).save(tmp_path / "a.tif")
    read = np.asarray(load_picture(tmp_path / "a.tif"), dtype=np.float64)
    assert np.abs(read[..., 1] - ramp).max() <= 1


@pytest.mark.parametrize("name", ["a.jpg", "a.tif"])
def test_cmyk_is_not_inverted(tmp_path: Path, name: str) -> None:
    _photo().convert("CMYK").save(tmp_path / name, quality=95)
    with Image.open(tmp_path / name) as image:
        assert image.mode == "CMYK"
    # Adobe writes the inks of a JPEG inverted; a marker in the file says so.
    assert (b"Adobe" in (tmp_path / name).read_bytes()) == (name == "a.jpg")
    assert _difference(load_picture(tmp_path / name), _photo()) < 3


@pytest.mark.parametrize("mode", ["L", "1", "P", "YCbCr"])
def test_other_colours_become_red_green_and_blue(tmp_path: Path, mode: str) -> None:
    file = tmp_path / ("a.tif" if mode == "YCbCr" else "a.png")
    _photo().convert(mode).save(file)
    assert _difference(load_picture(file), _photo().convert(mode).convert("RGB")) < 2
    assert load_layers(file).alpha is None


def test_transparency_of_every_kind_is_white_or_a_mask(tmp_path: Path) -> None:
    alpha = Image.new("L", _SIZE, 255)
    alpha.paste(0, (0, 0, 48, 64))
    grey = _photo().convert("L")
    palette = _photo().quantize(8)
    palette.paste(7, (0, 0, 48, 64))
    marked = _photo()
    marked.paste((1, 2, 3), (0, 0, 48, 64))
    kinds: dict[str, tuple[Image.Image, dict[str, Any]]] = {
        "rgba.png": (Image.merge("RGBA", (*_photo().split(), alpha)), {}),
        "rgba.webp": (Image.merge("RGBA", (*_photo().split(), alpha)), {"lossless": True}),
        "rgba.avif": (Image.merge("RGBA", (*_photo().split(), alpha)), {}),
        "rgba.tif": (Image.merge("RGBA", (*_photo().split(), alpha)), {}),
        "grey.png": (Image.merge("LA", (grey, alpha)), {}),
        "palette.png": (palette, {"transparency": 7}),
        "palette.gif": (palette, {"transparency": 7}),
        "colour.png": (marked, {"transparency": (1, 2, 3)}),
    }
    for name, (picture, options) in kinds.items():
        picture.save(tmp_path / name, **options)
        read, layers = load_picture(tmp_path / name), load_layers(tmp_path / name)
        assert read.getpixel((10, 30)) == (255, 255, 255), name
        assert read.getpixel((80, 30)) != (255, 255, 255), name
        assert layers.alpha is not None, name
        assert (layers.alpha.getpixel((10, 30)), layers.alpha.getpixel((80, 30))) == (0, 255), name
        assert layers.colours.mode == "RGB"


def test_a_transparent_shade_of_sixteen_bits_is_not_one_of_eight(tmp_path: Path) -> None:
    Image.fromarray(np.full((64, 96), 200 * 256, dtype=np.uint16)).save(tmp_path / "a.png", transparency=200)
    assert load_layers(tmp_path / "a.png").alpha is None
    assert load_picture(tmp_path / "a.png").getpixel((5, 5)) == (200, 200, 200)


def test_the_colours_under_transparency_are_those_of_the_file(tmp_path: Path) -> None:
    Image.new("RGBA", _SIZE, (10, 20, 30, 0)).save(tmp_path / "a.png")
    assert load_layers(tmp_path / "a.png").colours.getpixel((5, 5)) == (10, 20, 30)


@pytest.mark.parametrize("name", ["a.gif", "a.png", "a.webp", "a.avif", "a.tif"])
def test_the_first_of_moving_pictures_is_read(tmp_path: Path, name: str) -> None:
    frames = [Image.new("RGB", _SIZE, colour) for colour in ("red", "lime", "blue")]
    frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
    with Image.open(tmp_path / name) as image:
        assert getattr(image, "n_frames", 1) == 3
    assert _difference(load_picture(tmp_path / name), frames[0]) < 3


def test_a_picture_may_have_the_name_of_another_format(tmp_path: Path) -> None:
    for ours, theirs in ((".png", ".jpg"), (".heic", ".jpg"), (".jpg", ".heic"), (".avif", ".png")):
        _photo().save(tmp_path / f"a{ours}")
        shutil.move(tmp_path / f"a{ours}", tmp_path / f"b{theirs}")
        assert _difference(load_picture(tmp_path / f"b{theirs}"), _photo()) < 4


@pytest.mark.parametrize("extension", sorted(IMAGE_EXTENSIONS))
def test_what_is_no_picture_is_told_from_its_start(tmp_path: Path, extension: str) -> None:
    for number, content in enumerate((b"", b"\0" * 5000, b"not a picture", b"\xff\xd8\xff")):
        file = _written(tmp_path / f"{number}{extension}", content)
        with pytest.raises(UNREADABLE) as caught:
            picture_size(file)
        assert why_unreadable(caught.value) == "This is not a picture, or it is damaged."


@pytest.mark.parametrize("extension", sorted(IMAGE_EXTENSIONS))
def test_a_picture_cut_off_is_unreadable(tmp_path: Path, extension: str) -> None:
    whole = tmp_path / f"a{extension}"
    Image.effect_noise((200, 200), 80).convert("RGB").save(whole)
    content = whole.read_bytes()
    file = _written(tmp_path / f"b{extension}", content[: len(content) * 2 // 3])
    with pytest.raises(UNREADABLE) as caught:
        load_picture(file)
    assert why_unreadable(caught.value) == "This is not a picture, or it is damaged."


@pytest.mark.filterwarnings("ignore::UserWarning:PIL")
def test_damage_of_any_kind_is_an_answer_and_no_failure(tmp_path: Path) -> None:
    chance = random.Random(5)
    whole: list[bytes] = []
    for extension in sorted(IMAGE_EXTENSIONS):
        _photo().save(tmp_path / f"a{extension}")
        whole.append((tmp_path / f"a{extension}").read_bytes())
    file, unreadable = tmp_path / "a", 0
    for number in range(600):
        content = bytearray(whole[number % len(whole)])
        for _ in range(chance.randint(1, 8)):
            content[chance.randrange(min(len(content), chance.choice((40, 400, 4000))))] = chance.randrange(
                256
            )
        file.write_bytes(content)
        try:
            assert load_picture(file).mode == "RGB"
        except UNREADABLE:
            unreadable += 1
    assert 100 < unreadable < 500


def test_what_pillow_takes_for_a_mistake_of_ours_is_damage(tmp_path: Path) -> None:
    whole = _tiff(np.asarray(_photo()).astype(np.uint16))
    # The place of the pixels is said to be bytes instead of a number.
    damaged = whole.replace(struct.pack("<HHI", 273, 4, 1), struct.pack("<HHI", 273, 7, 4))
    with pytest.raises(UNREADABLE) as caught:
        load_picture(_written(tmp_path / "a.tif", damaged))
    assert isinstance(caught.value, TypeError)


def _header_of(width: int, height: int) -> bytes:
    """The start of a bitmap of that size."""
    return struct.pack("<2sIIIIiiHHIIiiII", b"BM", 54, 0, 54, 40, width, height, 1, 24, *(0,) * 6)


def test_a_bomb_is_too_large(tmp_path: Path) -> None:
    with pytest.raises(UNREADABLE) as caught:
        picture_size(_written(tmp_path / "bomb.bmp", _header_of(60_000, 60_000)))
    assert "more than 178 million pixels" in why_unreadable(caught.value)
    assert Image.MAX_IMAGE_PIXELS is not None
    assert 2 * Image.MAX_IMAGE_PIXELS // 1_000_000 == 178


def _in_own_process(expression: str, file: Path, before: str = "") -> tuple[list[str], str]:
    """The sizes that `expression` gives for `file`, and what was said meanwhile."""
    program = (
        f"import sys; {before}\nfrom pathlib import Path; from lora_bridge.images import *\n"
        f"file = Path(sys.argv[1]); print(*{expression})"
    )
    command = [sys.executable, "-c", program, str(file)]
    bridge = _REPOSITORY / "python-bridge"
    ran = subprocess.run(command, capture_output=True, check=True, text=True, cwd=bridge)
    return ran.stdout.split(), ran.stderr


def test_avif_of_the_general_brand_is_not_taken_for_heic(tmp_path: Path) -> None:
    _photo().save(tmp_path / "a.avif")
    content = (tmp_path / "a.avif").read_bytes()
    file = _written(tmp_path / "b.avif", content.replace(b"ftypavif", b"ftypmif1", 1))
    assert _in_own_process("load_picture(file).size", file) == (["96", "64"], "")


def test_a_large_scan_is_read_without_a_word(tmp_path: Path) -> None:
    scan = _written(tmp_path / "scan.bmp", _header_of(13_000, 13_000))
    assert _in_own_process("picture_size(file)", scan) == (["13000", "13000"], "")


def test_pictures_are_read_without_the_heic_reader(tmp_path: Path) -> None:
    _photo().save(tmp_path / "a.png")
    read, said = _in_own_process(
        "load_picture(file).size", tmp_path / "a.png", "sys.modules['pillow_heif'] = None"
    )
    assert (read, said) == (["96", "64"], "")


def test_without_its_reader_a_heic_picture_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(images, "_reads_heif", False)
    file = _written(tmp_path / "a.HEIC", b"what nothing can read")
    with pytest.raises(ReaderMissingError) as caught:
        load_picture(file)
    assert isinstance(caught.value, UNREADABLE)
    assert "pillow-heif" in why_unreadable(caught.value)
    _photo().save(tmp_path / "b.jpg")
    assert picture_size((tmp_path / "b.jpg").rename(tmp_path / "b.heic")) == _SIZE


def test_without_avif_in_pillow_it_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AvifImagePlugin, "SUPPORTED", False)
    with pytest.raises(ReaderMissingError, match="AVIF"):
        picture_size(_written(tmp_path / "a.avif", b"what nothing can read"))


def test_why_is_told_for_each_reason() -> None:
    reasons = [
        PermissionError(),
        FileNotFoundError(),
        MemoryError(),
        OSError(),
        Image.DecompressionBombError(),
    ]
    assert len({why_unreadable(reason) for reason in reasons}) == len(reasons)


def test_the_app_lists_the_same_extensions() -> None:
    source = (_REPOSITORY / "electron" / "services" / "pictures.ts").read_text(encoding="utf-8")
    listed = re.search(r"const extensions = new Set\(\[(.*?)\]\)", source, re.DOTALL)
    assert listed is not None
    assert set(re.findall(r"'(\.\w+)'", listed[1])) == IMAGE_EXTENSIONS
