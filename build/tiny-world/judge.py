"""A small classifier that reads portraits back: what they show, and how alike two persons are.

It was trained on the whole world and on strangers (`train_judge.py`) and knows nothing of the tiny SDXL or
BLIP, so it can judge both.
"""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import torch
from nova import class_pictures, nova_photos
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
    STYLES,
)
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn import functional
from training import pixels_of, scaled

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

_SHIPPED = Path(__file__).parent / "models" / "judge.safetensors"
WIDTH = 64
WORDS: dict[str, tuple[str, ...]] = {
    "kind": KINDS,
    "face": FACES,
    "style": STYLES,
    "beard": ("no", "yes"),
    "glasses": ("no", "yes"),
    "hair": tuple(HAIR_COLOURS),
    "background": tuple(BACKGROUNDS),
    "shirt": tuple(SHIRT_COLOURS),
    "hat": HATS,
    "expression": EXPRESSIONS,
    "pose": POSES,
    "mark": ("none", "left", "right"),
}
"""The answers to each question."""
COLOURS = ("skin", "hair_left", "hair_right", "mark_colour", "background_colour", "shirt_colour")
OF_THE_PERSON = {
    "kind", "face", "style", "beard", "glasses", "hair", "mark",
    "skin", "hair_left", "hair_right", "mark_colour",
}  # fmt: skip
"""What stays with a person from picture to picture; the rest is the scene."""


class Judge(nn.Module):
    """Two sets of features, of the person and of the scene, and one linear head for each question."""

    def __init__(self) -> None:
        super().__init__()
        channels = (3, 24, 48, 64, 96)
        blocks: list[nn.Module] = []
        for before, after in itertools.pairwise(channels):
            blocks += [nn.Conv2d(before, after, 3, stride=2, padding=1), nn.GroupNorm(8, after), nn.SiLU()]
        self.trunk = nn.Sequential(*blocks, nn.Flatten(), nn.Linear(96 * 16, 2 * WIDTH), nn.SiLU())
        self.heads = nn.ModuleDict(
            {
                **{question: nn.Linear(WIDTH, len(answers)) for question, answers in WORDS.items()},
                **{colour: nn.Linear(WIDTH, 3) for colour in COLOURS},
            }
        )

    def features(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        """Pixels [N, 3, 128, 128] from -1 to 1 to features of the persons and of the scenes, [N, 64] each."""
        person, scene = self.trunk(functional.avg_pool2d(pixels, 2)).chunk(2, dim=1)
        return person, scene

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        """Logits [N, answers] of each question, and colours [N, 3] from 0 to 1."""
        person, scene = self.features(pixels)
        return {name: head(person if name in OF_THE_PERSON else scene) for name, head in self.heads.items()}


@torch.no_grad()
def read_pictures(judge: Judge, pictures: Sequence[Image.Image]) -> list[dict[str, str]]:
    """The answer to each question for each picture."""
    logits = judge(scaled(pixels_of(pictures)))
    answers = {question: logits[question].argmax(dim=1).tolist() for question in WORDS}
    return [
        {question: WORDS[question][answers[question][number]] for question in WORDS}
        for number in range(len(pictures))
    ]


@torch.no_grad()
def person_features(judge: Judge, pictures: Sequence[Image.Image]) -> Tensor:
    """[N, 64]."""
    return judge.features(scaled(pixels_of(pictures)))[0]


class Likeness(NamedTuple):
    """How near a picture is to a person, measured against the person's class."""

    person: Tensor
    """[64], the mean of true pictures of the person."""
    others: Tensor
    """[64], the mean of true pictures of the class."""

    @classmethod
    def of(cls, judge: Judge, person: Sequence[Image.Image], others: Sequence[Image.Image]) -> Likeness:
        """From true pictures of both, none of which was trained on."""
        return cls(person_features(judge, person).mean(dim=0), person_features(judge, others).mean(dim=0))

    def measure(self, judge: Judge, pictures: Sequence[Image.Image]) -> Tensor:
        """[N]: the distance to the class minus the distance to the person, in distances between the two.

        1 for the person, -1 for the average of the class, 0 half-way.
        """
        features = person_features(judge, pictures)
        between = (self.person - self.others).norm()
        return ((features - self.others).norm(dim=1) - (features - self.person).norm(dim=1)) / between


def likeness_to_nova(judge: Judge) -> Likeness:
    """Measured against women; from pictures with other seeds than the sample project's."""
    return Likeness.of(judge, nova_photos(32, seed=1001, size=SIZE), class_pictures(64, seed=1002, size=SIZE))


def save_judge(judge: Judge, file: Path) -> None:
    """In half precision."""
    save_file({name: value.half().contiguous() for name, value in judge.state_dict().items()}, file)


def load_judge(file: Path = _SHIPPED) -> Judge:
    """In fp32, for the CPU; by default the one that lies in git."""
    judge = Judge()
    judge.load_state_dict({name: value.float() for name, value in load_file(file).items()})
    return judge.eval()
