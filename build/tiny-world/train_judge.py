"""The training of the judge: on the whole world, and on strangers with two-coloured hair and marks."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

import torch
from judge import COLOURS, WORDS, Judge, read_pictures
from torch import Tensor
from torch.nn import functional
from training import pixels_of, scaled, warmed_cosine
from world import draw_person, draw_stranger, random_person

if TYPE_CHECKING:
    from PIL import Image
    from portrait import Colour, Look, Scene
    from training import Log
    from world import Person

PICTURES = 12000
STEPS, BATCH = 2200, 64
LEARNING_RATE = 2e-3
NOT_ASKED = -1


class Answers(NamedTuple):
    """What is true of a picture."""

    words: dict[str, str]
    colours: dict[str, Colour]


def train_judge(seed: int, log: Log) -> Judge:
    """Train it from nothing."""
    torch.manual_seed(seed)
    chance = random.Random(seed + 1)
    pictures, answers = _pictures(chance, PICTURES)
    words, colours = _as_tensors(answers)
    judge = Judge()
    optimizer = torch.optim.AdamW(judge.parameters(), lr=LEARNING_RATE, weight_decay=0.01)
    for step in range(STEPS):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * warmed_cosine(step, STEPS, 50)
        chosen = torch.randint(PICTURES, (BATCH,))
        said = judge(_worn(scaled(pictures[chosen])))
        loss = torch.zeros(())
        for question in WORDS:
            loss = loss + functional.cross_entropy(
                said[question], words[question][chosen], ignore_index=NOT_ASKED
            )
        for colour in COLOURS:
            wanted = colours[colour][chosen]
            asked = ~wanted.isnan()
            loss = loss + 10 * functional.mse_loss(said[colour][asked], wanted[asked])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        if step % 200 == 0:
            log.say(f"judge step {step}: loss {loss.item():.3f}")
    judge.eval()
    _show(judge, chance, log)
    return judge


def _pictures(chance: random.Random, count: int) -> tuple[Tensor, list[Answers]]:
    pictures: list[Image.Image] = []
    answers: list[Answers] = []
    for number in range(count):
        if number % 2:
            look, scene, picture = draw_stranger(chance)
            answers.append(_of_stranger(look, scene))
        else:
            person = random_person(chance, held_out=chance.random() < 0.125)
            picture = draw_person(person, chance)
            answers.append(_of_person(person))
        pictures.append(picture)
    return pixels_of(pictures), answers


def _of_person(person: Person) -> Answers:
    said = person._asdict()
    yes_or_no = {name: "yes" if said[name] else "no" for name in ("beard", "glasses")}
    return Answers({**said, **yes_or_no, "mark": "none"}, {})


def _of_stranger(look: Look, scene: Scene) -> Answers:
    side = "none" if look.mark is None else {-1: "left", 1: "right"}[look.mark.side]
    words = {
        "kind": look.kind,
        "face": look.face,
        "style": look.style,
        "beard": "yes" if look.beard else "no",
        "glasses": "yes" if look.glasses else "no",
        "hat": scene.hat,
        "expression": scene.expression,
        "pose": scene.pose,
        "mark": side,
    }
    colours = {
        "skin": look.skin,
        "hair_left": look.hair[0],
        "hair_right": look.hair[1],
        "background_colour": scene.background,
        "shirt_colour": scene.shirt,
    }
    if look.mark is not None:
        colours["mark_colour"] = look.mark.colour
    return Answers(words, colours)


def _as_tensors(answers: list[Answers]) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
    words = {
        question: torch.tensor(
            [known.index(one.words[question]) if question in one.words else NOT_ASKED for one in answers]
        )
        for question, known in WORDS.items()
    }
    unknown = (float("nan"),) * 3
    colours = {
        colour: torch.tensor(
            [[v / 255 for v in one.colours[colour]] if colour in one.colours else unknown for one in answers]
        )
        for colour in COLOURS
    }
    return words, colours


def _worn(pixels: Tensor) -> Tensor:
    """With what a model that draws may add: blur, grain, a tint."""
    blurred = functional.avg_pool2d(functional.pad(pixels, (1, 1, 1, 1), mode="replicate"), 3, stride=1)
    share = torch.rand(len(pixels), 1, 1, 1)
    tint = 0.06 * torch.randn(len(pixels), 3, 1, 1)
    grain = 0.1 * torch.rand(len(pixels), 1, 1, 1) * torch.randn_like(pixels)
    return torch.lerp(pixels, blurred, share) + tint + grain


def _show(judge: Judge, chance: random.Random, log: Log) -> None:
    people = [random_person(chance, held_out=True) for _ in range(400)]
    read = read_pictures(judge, [draw_person(person, chance) for person in people])
    truths = [_of_person(person).words for person in people]
    shares = {
        question: sum(one[question] == truth[question] for one, truth in zip(read, truths, strict=True)) / 400
        for question in WORDS
    }
    log.say("judge, right on 400 unseen pictures: " + ", ".join(f"{k} {v:.2f}" for k, v in shares.items()))
