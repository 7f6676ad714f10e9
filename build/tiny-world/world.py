"""Who lives in the tiny world, and what is said of them: portraits by attributes, captions in plain English.

UNet, text encoders and BLIP learn from the people of the training split; tests draw and describe the held-out
ones, whose combination of hair colour, glasses and background none of these has seen.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from portrait import (
    BACKGROUNDS,
    EXPRESSIONS,
    FACES,
    HAIR_COLOURS,
    HATS,
    KINDS,
    POSES,
    SHIRT_COLOURS,
    SIZE,
    SKINS,
    STYLES,
    Colour,
    Look,
    Mark,
    Scene,
    draw_portrait,
)

if TYPE_CHECKING:
    import random

    from PIL import Image

NAMES = ("nova", "ohwx", "sks", "mira", "tobi", "zwx", "luno", "kasi")
"""Words that say nothing about a picture. Some captions hold one, so that the models know them as words."""


class Person(NamedTuple):
    """A portrait by its attributes, in the words of captions."""

    kind: str
    face: str
    skin: str
    style: str
    hair: str
    beard: bool
    glasses: bool
    hat: str
    shirt: str
    background: str
    expression: str
    pose: str


def is_held_out(hair: str, background: str, *, glasses: bool) -> bool:
    """Whether it is kept from UNet and BLIP: a background for each hair colour, with and without glasses."""
    hairs, backgrounds = list(HAIR_COLOURS), list(BACKGROUNDS)
    return (3 * hairs.index(hair) + 5 * backgrounds.index(background) + 4 * glasses) % 8 == 0


def random_person(chance: random.Random, *, held_out: bool = False) -> Person:
    """Somebody of the training split, or one of the held-out people."""
    while True:
        hair, background = chance.choice(list(HAIR_COLOURS)), chance.choice(list(BACKGROUNDS))
        glasses = chance.random() < 0.5
        if is_held_out(hair, background, glasses=glasses) == held_out:
            break
    kind = chance.choice(KINDS)
    return Person(
        kind=kind,
        face=chance.choice(FACES),
        skin=chance.choice(list(SKINS)),
        style=chance.choice(STYLES),
        hair=hair,
        beard=kind == "man" and chance.random() < 0.4,
        glasses=glasses,
        hat=chance.choices(HATS, (4, 1, 1))[0],
        shirt=chance.choice(list(SHIRT_COLOURS)),
        background=background,
        expression=chance.choice(EXPRESSIONS),
        pose=chance.choices(POSES, (2, 1, 1))[0],
    )


def draw_person(person: Person, chance: random.Random, size: int = SIZE) -> Image.Image:
    """A picture of a person; `chance` moves the head and the colours a little."""
    hair = _near(HAIR_COLOURS[person.hair], chance)
    look = Look(
        kind=person.kind,
        face=person.face,
        skin=_near(SKINS[person.skin], chance),
        style=person.style,
        hair=(hair, hair),
        beard=person.beard,
        glasses=person.glasses,
    )
    scene = Scene(
        background=_near(BACKGROUNDS[person.background], chance),
        shirt=_near(SHIRT_COLOURS[person.shirt], chance),
        hat=person.hat,
        expression=person.expression,
        pose=person.pose,
        shift=(chance.uniform(-4, 4), chance.uniform(-3, 3)),
        zoom=chance.uniform(0.94, 1.06),
    )
    return draw_portrait(look, scene, size)


def draw_stranger(chance: random.Random) -> tuple[Look, Scene, Image.Image]:
    """A picture of somebody in any colours, perhaps with two-coloured hair and a mark.

    Only the VAE and the judge see strangers: what they show is what a LoRA is to teach.
    """
    hair = _any_colour(chance)
    marked, two_coloured = chance.random() < 0.5, chance.random() < 0.5
    look = Look(
        kind=chance.choice(KINDS),
        face=chance.choice(FACES),
        skin=_near(chance.choice(list(SKINS.values())), chance, 14),
        style=chance.choice(STYLES),
        hair=(hair, _any_colour(chance) if two_coloured else hair),
        beard=chance.random() < 0.15,
        glasses=chance.random() < 0.5,
        mark=Mark(_any_colour(chance), chance.choice((-1, 1))) if marked else None,
    )
    scene = Scene(
        background=_any_colour(chance),
        shirt=_any_colour(chance),
        hat=chance.choices(HATS, (4, 1, 1))[0],
        expression=chance.choice(EXPRESSIONS),
        pose=chance.choice(POSES),
        shift=(chance.uniform(-4, 4), chance.uniform(-3, 3)),
        zoom=chance.uniform(0.94, 1.06),
    )
    return look, scene, draw_portrait(look, scene)


def describe(person: Person) -> str:
    """All that is said of a person, always in the same order."""
    wearing = [_shirt(person)]
    if person.hat != "none":
        wearing.append(f"a {person.hat}")
    features = [hair_of(person)]
    features += ["a beard"] if person.beard else []
    features += ["glasses"] if person.glasses else []
    return (
        f"a {person.kind} with {_listed(features)}, {person.expression}, wearing {_listed(wearing)}, "
        f"on a {person.background} background"
    )


def random_caption(person: Person, chance: random.Random) -> str:
    """Some of what can be said of a person, in one of many ways."""

    def says(share: float) -> bool:
        return chance.random() < share

    features = [hair_of(person)] if says(0.85) else []
    features += ["a beard"] if person.beard and says(0.8) else []
    features += ["glasses"] if person.glasses and says(0.9) else []
    features += [f"{person.skin} skin"] if says(0.15) else []
    features += [f"{'an' if person.face == 'oval' else 'a'} {person.face} face"] if says(0.1) else []
    chance.shuffle(features)
    clauses = [person.expression] if says(0.5) else []
    if person.pose != "forward" and says(0.5):
        clauses.append(f"looking {person.pose}")
    wearing = [_shirt(person)] if says(0.6) else []
    wearing += [f"a {person.hat}"] if person.hat != "none" and says(0.9) else []
    if wearing:
        clauses.append(f"{chance.choice(('wearing', 'in'))} {_listed(wearing)}")
    chance.shuffle(clauses)
    subject = f"a {person.kind}" + (f" with {_listed(features)}" if features else "")
    text = ", ".join([subject, *clauses])
    if says(0.85):
        text += f"{chance.choice((',', ''))} on a {person.background} background"
    return _introduced(text, person.kind, chance)


def _introduced(text: str, kind: str, chance: random.Random) -> str:
    way = chance.random()
    name = chance.choice(NAMES)
    if way < 0.08:
        return f"{name} {kind}, {text}"
    if way < 0.16:
        return text.replace(f"a {kind}", f"{name} {kind}", 1)
    if way < 0.4:
        return f"a {chance.choice(('picture', 'portrait', 'drawing'))} of {text}"
    return text


def hair_of(person: Person) -> str:
    """Style and colour in words."""
    return f"{person.hair} hair in a bun" if person.style == "bun" else f"{person.style} {person.hair} hair"


def _shirt(person: Person) -> str:
    return f"{'an' if person.shirt == 'orange' else 'a'} {person.shirt} shirt"


def _listed(things: list[str]) -> str:
    return things[0] if len(things) == 1 else ", ".join(things[:-1]) + f" and {things[-1]}"


def _near(colour: Colour, chance: random.Random, by: int = 8) -> Colour:
    red, green, blue = (max(0, min(255, value + chance.randint(-by, by))) for value in colour)
    return red, green, blue


def _any_colour(chance: random.Random) -> Colour:
    return chance.randrange(256), chance.randrange(256), chance.randrange(256)


def read_caption(caption: str) -> dict[str, str | bool | None]:
    """Hair colour, glasses and background as a caption tells them; None where it says nothing of one."""
    hair = re.search(rf"({'|'.join(HAIR_COLOURS)}) hair", caption)
    background = re.search(rf"({'|'.join(BACKGROUNDS)}) background", caption)
    return {
        "hair": hair[1] if hair else None,
        "glasses": re.search(r"\bglasses\b", caption) is not None,
        "background": background[1] if background else None,
    }
