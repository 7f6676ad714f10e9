"""The measures of `quality.py`: each is one function that returns plain numbers."""

from __future__ import annotations

import random
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from drawing import Reading, draw, held_out_people, prompt_of, read_back, read_captions
from judge import likeness_to_nova, load_judge, read_pictures
from nova import CAPTIONED_AS, KIND, draw_nova
from portrait import BACKGROUNDS, SIZE
from safetensors.torch import load_file, save_file
from teaching import MODELS, caption_settings, painter_with
from training import pixels_of, scaled
from world import draw_person

from lora_bridge.captioner import open_captioner
from lora_bridge.noise import add_noise, alphas_cumprod
from lora_bridge.protocol_types import CaptionConfig

if TYPE_CHECKING:
    from collections.abc import Iterable

CAPTIONED, DRAWN, SEEDS = 200, 100, 32
CLEAR_RISE = 0.5
"""Of the likeness, which goes from -1, the average of the class, to 1, the person."""


class Taught(NamedTuple):
    """What a base model draws with a LoRA, or without one."""

    likeness: list[float]
    """Of the subject, seed by seed."""
    background: float
    """The share of pictures of the subject with the background that was asked for."""
    follows: float
    """The same for the background, for glasses and for a hat, none of which her photos have, on average."""
    class_likeness: float
    """Of pictures of the plain class to the subject, on average."""
    validation_loss: float
    """On pictures of the subject that were not trained on, with fixed noise."""

    @property
    def mean_likeness(self) -> float:
        """Over the seeds."""
        return sum(self.likeness) / len(self.likeness)


def captions_right(blip: Path = MODELS / "blip") -> Reading:
    """What the bridge's captioner gets right on held-out people."""
    people = held_out_people(CAPTIONED, seed=11)
    chance = random.Random(12)
    pictures = [draw_person(person, chance) for person in people]
    captioner = open_captioner(CaptionConfig(**caption_settings(blip, "")))
    said: list[str] = []
    for start in range(0, len(pictures), 25):
        prepared = [captioner.prepare(picture) for picture in pictures[start : start + 25]]
        said += [text for (text,) in captioner.describe(prepared, 0)]
    return read_captions(said, people)


def captions_by_chance() -> Reading:
    """The control: the same numbers in other places of the same model."""
    with tempfile.TemporaryDirectory() as temporary:
        blip = Path(temporary, "blip")
        shutil.copytree(MODELS / "blip", blip)
        generator = torch.Generator().manual_seed(0)
        weights = load_file(blip / "model.safetensors")
        shuffled = {
            name: weight.flatten()[torch.randperm(weight.numel(), generator=generator)].view_as(weight)
            for name, weight in weights.items()
        }
        save_file(shuffled, blip / "model.safetensors", {"format": "pt"})
        return captions_right(blip)


def drawings_right(*, prompted: bool) -> Reading:
    """What the judge reads back from drawings of held-out people, or of the empty prompt."""
    people = held_out_people(DRAWN, seed=21)
    prompts = [prompt_of(person) if prompted else "" for person in people]
    return read_back(load_judge(), draw(painter_with(None), prompts), people)


def taught(lora: Path | None) -> Taught:
    """Draw the subject, the subject before every background, and the class; and the validation loss."""
    painter = painter_with(lora)
    critic = load_judge()
    likeness = likeness_to_nova(critic)
    subject = draw(painter, [CAPTIONED_AS] * SEEDS, first_seed=100)
    backgrounds = [name for name in BACKGROUNDS for _ in range(SEEDS // len(BACKGROUNDS))]
    scenes = [
        f"{CAPTIONED_AS} and glasses, wearing a straw hat, on a {name} background" for name in backgrounds
    ]
    others = draw(painter, [f"a {KIND}"] * SEEDS, first_seed=300)
    seen = read_pictures(critic, draw(painter, scenes, first_seed=200))
    background = _share(one["background"] == name for one, name in zip(seen, backgrounds, strict=True))
    glasses = _share(one["glasses"] == "yes" for one in seen)
    hat = _share(one["hat"] == "straw hat" for one in seen)
    return Taught(
        likeness=likeness.measure(critic, subject).tolist(),
        background=background,
        follows=(background + glasses + hat) / 3,
        class_likeness=float(likeness.measure(critic, others).mean()),
        validation_loss=_validation_loss(painter),
    )


@torch.no_grad()
def _validation_loss(painter: Any) -> float:
    """The training's loss on unseen pictures of the subject before all backgrounds, with fixed noise."""
    chance = random.Random(31)
    backgrounds = [chance.choice(list(BACKGROUNDS)) for _ in range(32)]
    pixels = scaled(pixels_of([draw_nova(chance, background) for background in backgrounds]))
    latents = painter.vae.encode(pixels).latent_dist.mode() * painter.vae.config.scaling_factor
    hidden, _, pooled, _ = painter.encode_prompt(
        [f"{CAPTIONED_AS}, on a {background} background" for background in backgrounds],
        do_classifier_free_guidance=False,
    )
    conditions = {
        "text_embeds": pooled,
        "time_ids": torch.tensor([[SIZE, SIZE, 0, 0, SIZE, SIZE]] * 32).float(),
    }
    generator = torch.Generator().manual_seed(32)
    signal = alphas_cumprod()
    losses: list[float] = []
    for first in range(0, 1000, 125):
        timesteps = torch.full((32,), first + 62)
        noise = torch.randn(latents.shape, generator=generator)
        noisy = add_noise(latents, noise, signal[timesteps])
        said = painter.unet(noisy, timesteps, hidden, added_cond_kwargs=conditions).sample
        losses.append(float((said - noise).square().mean()))
    return sum(losses) / len(losses)


def _share(outcomes: Iterable[bool]) -> float:
    listed = list(outcomes)
    return sum(listed) / len(listed)
