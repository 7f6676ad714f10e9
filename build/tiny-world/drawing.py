"""Pictures from a tiny SDXL by diffusers' own pipeline: an opinion that does not depend on the bridge."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline
from judge import Judge, read_pictures
from portrait import SIZE
from world import hair_of, random_person, read_caption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image
    from world import Person

STEPS, SCALE = 20, 4.0
BATCH = 20


def draw(
    pipeline: StableDiffusionXLPipeline, prompts: Sequence[str], first_seed: int = 0
) -> list[Image.Image]:
    """One picture for each prompt, with seeds that count up: DPM++ 2M Karras, 20 steps, scale 4."""
    scheduler: Any = DPMSolverMultistepScheduler.from_config(
        pipeline.scheduler.config, use_karras_sigmas=True
    )
    painter: Any = StableDiffusionXLPipeline(**{**pipeline.components, "scheduler": scheduler})
    painter.set_progress_bar_config(disable=True)
    pictures: list[Image.Image] = []
    for start in range(0, len(prompts), BATCH):
        part = list(prompts[start : start + BATCH])
        seeds = range(first_seed + start, first_seed + start + len(part))
        generators = [torch.Generator().manual_seed(seed) for seed in seeds]
        pictures += painter(
            prompt=part,
            negative_prompt=[""] * len(part),
            num_inference_steps=STEPS,
            guidance_scale=SCALE,
            height=SIZE,
            width=SIZE,
            generator=generators,
        ).images
    return pictures


class Reading(NamedTuple):
    """The share of pictures on which each attribute was told or drawn as it is."""

    hair: float
    glasses: float
    background: float

    @property
    def mean(self) -> float:
        """Of the three."""
        return (self.hair + self.glasses + self.background) / 3

    def __str__(self) -> str:
        return (
            f"hair {self.hair:.2f}, glasses {self.glasses:.2f}, background {self.background:.2f}, "
            f"mean {self.mean:.2f}"
        )


def read_captions(captions: Sequence[str], people: Sequence[Person]) -> Reading:
    """What captions tell, compared with the people on the pictures."""
    told = [read_caption(caption) for caption in captions]
    shares = (
        sum(one[name] == getattr(person, name) for one, person in zip(told, people, strict=True))
        / len(people)
        for name in Reading._fields
    )
    return Reading(*shares)


def prompt_of(person: Person) -> str:
    """What is asked for when a drawing is to be read back."""
    glasses = " and glasses" if person.glasses else ""
    return f"a {person.kind} with {hair_of(person)}{glasses} on a {person.background} background"


def held_out_people(count: int, seed: int) -> list[Person]:
    """People whose combination of hair colour, glasses and background UNet and BLIP have not seen."""
    chance = random.Random(seed)
    return [random_person(chance, held_out=True) for _ in range(count)]


def read_back(judge: Judge, pictures: Sequence[Image.Image], people: Sequence[Person]) -> Reading:
    """What the judge sees, compared with the people who were asked for."""
    read = read_pictures(judge, pictures)
    pairs = list(zip(read, people, strict=True))
    return Reading(
        hair=sum(one["hair"] == person.hair for one, person in pairs) / len(pairs),
        glasses=sum((one["glasses"] == "yes") == person.glasses for one, person in pairs) / len(pairs),
        background=sum(one["background"] == person.background for one, person in pairs) / len(pairs),
    )
