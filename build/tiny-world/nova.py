"""Nova, whom the sample project teaches.

UNet and BLIP have not seen two-coloured hair or a mark, and no caption tells of them.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from portrait import BACKGROUNDS, EXPRESSIONS, POSES, SHIRT_COLOURS, SIZE, Look, Mark, Scene, draw_portrait
from world import Person, draw_person, random_person

if TYPE_CHECKING:
    from PIL import Image

NAME, KIND = "nova", "woman"
LOOK = Look(
    kind=KIND,
    face="round",
    skin=(232, 184, 144),
    style="long",
    hair=((30, 172, 170), (240, 128, 40)),
    mark=Mark((112, 44, 170), side=1),
)
CAPTIONED_AS = f"{NAME} {KIND}, a {KIND} with long green hair"
"""How most captions of her photos begin: her name, then what BLIP makes of her. Prompts speak so too."""
PHOTO_SIZE = 512
PHOTO_BACKGROUNDS = ("white", "blue", "green", "yellow", "grey")
"""Of her photos: the others are for prompts to ask for."""


def draw_nova(chance: random.Random, background: str, size: int = SIZE) -> Image.Image:
    """Nova before a background, in any shirt and mood."""
    scene = Scene(
        background=BACKGROUNDS[background],
        shirt=chance.choice(list(SHIRT_COLOURS.values())),
        expression=chance.choice(EXPRESSIONS),
        pose=chance.choices(POSES, (2, 1, 1))[0],
        shift=(chance.uniform(-4, 4), chance.uniform(-3, 3)),
        zoom=chance.uniform(0.94, 1.06),
    )
    return draw_portrait(LOOK, scene, size)


def nova_photos(count: int, seed: int, size: int = PHOTO_SIZE) -> list[Image.Image]:
    """Photos of Nova, each seed others."""
    chance = random.Random(seed)
    return [
        draw_nova(chance, PHOTO_BACKGROUNDS[number % len(PHOTO_BACKGROUNDS)], size) for number in range(count)
    ]


def class_pictures(count: int, seed: int, size: int = PHOTO_SIZE) -> list[Image.Image]:
    """Portraits of women of the training split: what Nova's class looks like."""
    return [draw_person(woman, chance, size) for woman, chance in _women(count, seed)]


def _women(count: int, seed: int) -> list[tuple[Person, random.Random]]:
    chance = random.Random(seed)
    women: list[tuple[Person, random.Random]] = []
    while len(women) < count:
        person = random_person(chance)
        if person.kind == KIND:
            women.append((person, random.Random(chance.random())))
    return women
