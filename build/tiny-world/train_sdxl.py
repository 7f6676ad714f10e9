"""The text encoders and the UNet of the tiny SDXL: SDXL's own structure, learnt from nothing on the world."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import torch
from diffusers import EulerDiscreteScheduler, StableDiffusionXLPipeline, UNet2DConditionModel
from PIL import Image
from portrait import SIZE
from torch.nn import functional
from training import Average, Descent, pixels_of, scaled
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
from vocabularies import load_clip_tokenizers
from world import draw_person, random_caption, random_person

from lora_bridge.noise import TIMESTEPS, add_noise, alphas_cumprod

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from diffusers import AutoencoderKL
    from torch import Tensor
    from training import Log
    from transformers import CLIPTokenizer

TEXT_WIDTHS = (64, 96)
TIME_WIDTH = 32
PICTURES, CAPTIONS = 8000, 4
STEPS, BATCH = 2400, 32
RATE, ADAM_RATE, AVERAGE = 0.01, 1e-3, 0.998
DROPPED_CAPTIONS = 0.1
ENLARGED, ENLARGED_SIZE = 0.12, 160
"""This share is a part of an enlarged picture, so that SDXL's conditioning on crops has a meaning."""
SHRUNK, LARGEST = 0.5, 1024
"""This share of the others is said to have been larger once, as photos are; a shrunk one looks the same."""
NOISY_SHARE, NOISY_FROM = 0.3, 600
"""This share of the timesteps comes from the noisy end, where the colour of the background is decided."""


TimeIds: TypeAlias = tuple[int, int, int, int, int, int]
"""Original height and width, top and left of the crop, height and width of the picture; pixels."""


class Lessons(NamedTuple):
    """All that is learnt from, N pictures."""

    latents: Tensor
    """[N, 4, 16, 16], scaled."""
    tokens: tuple[Tensor, Tensor]
    """[N, captions + 1, 77] of each tokenizer; the last is the empty caption."""
    time_ids: Tensor
    """[N, 6]."""


def train_sdxl(
    vae: AutoencoderKL,
    tokenizers: Path,
    seed: int,
    log: Log,
    look_at: Callable[[StableDiffusionXLPipeline], str],
) -> StableDiffusionXLPipeline:
    """Train text encoders and UNet together; `look_at` says how well the model draws so far."""
    torch.manual_seed(seed)
    first, second = load_clip_tokenizers(tokenizers)
    lessons = _lessons(vae, (first, second), random.Random(seed + 2))
    pipeline = StableDiffusionXLPipeline(
        vae=vae,
        text_encoder=CLIPTextModel(_text_config(TEXT_WIDTHS[0], "quick_gelu", first)),
        text_encoder_2=CLIPTextModelWithProjection(_text_config(TEXT_WIDTHS[1], "gelu", second)),
        tokenizer=first,
        tokenizer_2=second,
        unet=_new_unet(),
        scheduler=_scheduler(),
        force_zeros_for_empty_prompt=False,
        add_watermarker=False,
    )
    log.say(f"SDXL: {len(lessons.latents)} pictures with {CAPTIONS} captions each")
    _train(pipeline, lessons, log, look_at)
    return pipeline


def _train(
    pipeline: Any, lessons: Lessons, log: Log, look_at: Callable[[StableDiffusionXLPipeline], str]
) -> None:
    parts = [pipeline.unet, pipeline.text_encoder, pipeline.text_encoder_2]
    model = torch.nn.ModuleList(parts).train()
    average = Average(model, AVERAGE)
    descent = Descent(parts, STEPS, rate=RATE, adam_rate=ADAM_RATE, warmup=100)
    signal = alphas_cumprod()
    mean_loss = 1.0
    for step in range(STEPS):
        loss = _loss(pipeline, lessons, signal)
        descent.step(loss)
        average.update()
        mean_loss += (loss.item() - mean_loss) / min(step + 1, 100)
        if step % 100 == 0:
            log.say(f"SDXL step {step}: loss {mean_loss:.4f}")
        if step % 600 == 0 and step > 0:
            with average.in_place():
                log.say(f"SDXL step {step} draws: {look_at(pipeline)}")
    average.apply()
    model.eval()


def _loss(pipeline: Any, lessons: Lessons, signal: Tensor) -> Tensor:
    count = len(lessons.latents)
    chosen = torch.randint(count, (BATCH,))
    caption = torch.randint(CAPTIONS, (BATCH,))
    caption = torch.where(torch.rand(BATCH) < DROPPED_CAPTIONS, CAPTIONS, caption)
    one, two = (tokens[chosen, caption] for tokens in lessons.tokens)
    first = pipeline.text_encoder(one, output_hidden_states=True)
    second = pipeline.text_encoder_2(two, output_hidden_states=True)
    hidden = torch.cat([first.hidden_states[-2], second.hidden_states[-2]], dim=-1)
    latents = lessons.latents[chosen]
    noise = torch.randn_like(latents)
    lowest = torch.where(torch.rand(BATCH) < NOISY_SHARE, NOISY_FROM, 0)
    timesteps = (lowest + torch.rand(BATCH) * (TIMESTEPS - lowest)).long()
    noisy = add_noise(latents, noise, signal[timesteps])
    conditions = {"text_embeds": second.text_embeds, "time_ids": lessons.time_ids[chosen]}
    said = pipeline.unet(noisy, timesteps, hidden, added_cond_kwargs=conditions).sample
    return functional.mse_loss(said, noise)


@torch.no_grad()
def _lessons(vae: Any, tokenizers: tuple[CLIPTokenizer, CLIPTokenizer], chance: random.Random) -> Lessons:
    latents: list[Tensor] = []
    sizes: list[TimeIds] = []
    captions: list[str] = []
    pictures: list[Image.Image] = []
    for _ in range(PICTURES):
        person = random_person(chance)
        picture, size = _perhaps_enlarged(draw_person(person, chance), chance)
        pictures.append(picture)
        sizes.append(size)
        captions += [random_caption(person, chance) for _ in range(CAPTIONS)] + [""]
    for part in pixels_of(pictures).split(64):
        latents.append(vae.encode(scaled(part)).latent_dist.mode() * vae.config.scaling_factor)
    tokens = [
        torch.tensor(
            tokenizer(captions, padding="max_length", max_length=77, truncation=True).input_ids
        ).view(PICTURES, CAPTIONS + 1, 77)
        for tokenizer in tokenizers
    ]
    return Lessons(torch.cat(latents), (tokens[0], tokens[1]), torch.tensor(sizes, dtype=torch.float32))


def _perhaps_enlarged(picture: Image.Image, chance: random.Random) -> tuple[Image.Image, TimeIds]:
    if chance.random() < ENLARGED:
        top, left = (chance.randint(0, ENLARGED_SIZE - SIZE) for _ in range(2))
        whole = picture.resize((ENLARGED_SIZE, ENLARGED_SIZE), Image.Resampling.LANCZOS)
        part = whole.crop((left, top, left + SIZE, top + SIZE))
        return part, (ENLARGED_SIZE, ENLARGED_SIZE, top, left, SIZE, SIZE)
    size = chance.randint(SIZE, LARGEST) if chance.random() < SHRUNK else SIZE
    return picture, (size, size, 0, 0, SIZE, SIZE)


def _text_config(width: int, activation: str, tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=TEXT_WIDTHS[1],
        num_hidden_layers=3,
        num_attention_heads=4,
        hidden_act=activation,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _new_unet() -> UNet2DConditionModel:
    return UNet2DConditionModel(
        sample_size=16,
        block_out_channels=(32, 64, 128),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 1),
        attention_head_dim=(2, 4, 8),
        layers_per_block=2,
        norm_num_groups=8,
        use_linear_projection=True,
        cross_attention_dim=sum(TEXT_WIDTHS),
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_WIDTH,
        projection_class_embeddings_input_dim=6 * TIME_WIDTH + TEXT_WIDTHS[1],
    )


def _scheduler() -> EulerDiscreteScheduler:
    """As SDXL ships it."""
    return EulerDiscreteScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        timestep_spacing="leading",
        steps_offset=1,
    )
