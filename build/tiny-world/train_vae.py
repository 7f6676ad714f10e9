"""The autoencoder of the tiny SDXL: portraits of 128 x 128 to latents of 4 x 16 x 16 and back."""

from __future__ import annotations

import math
import random
from typing import TYPE_CHECKING, Any

import torch
from diffusers import AutoencoderKL
from torch.nn import functional
from training import Descent, pixels_of, scaled
from world import draw_person, draw_stranger, random_person

if TYPE_CHECKING:
    from pathlib import Path

    from PIL import Image
    from torch import Tensor
    from training import Log

SCALING_FACTOR = 0.13025
"""SDXL's: latents times this have a standard deviation of one."""
LATENT_CHANNELS = 4
PICTURES = 6000
CROP, BATCH = 64, 16
STEPS, WHOLE_PICTURES_FROM, DECODER_STEPS = 1700, 1500, 500
RATE, DECODER_RATE, ADAM_RATE = 0.02, 0.01, 1.5e-3
KL_WEIGHT = 1e-6


def train_vae(seed: int, log: Log) -> AutoencoderKL:
    """Train it from nothing on people and on strangers, whose colours and marks a LoRA may have to teach."""
    torch.manual_seed(seed)
    pictures, held_out = _pictures(seed)
    vae = _new_vae()
    log.say(f"VAE: {_millions(vae)} million weights, {PICTURES} pictures")
    _train_all(vae, pictures, log)
    _normalize_latents(vae, pictures[:512])
    _show(vae, held_out, "encoder and decoder", log)
    return vae.eval()


def train_decoder(folder: Path, seed: int, log: Log) -> None:
    """Let the decoder of the VAE in `folder` make the most of the encoder, which stays as it is."""
    torch.manual_seed(seed)
    pictures, held_out = _pictures(seed)
    vae: Any = AutoencoderKL.from_pretrained(folder)
    descent = Descent(
        [vae.decoder, vae.post_quant_conv], DECODER_STEPS, rate=DECODER_RATE, adam_rate=ADAM_RATE
    )
    for step in range(DECODER_STEPS):
        batch = _batch(pictures, BATCH // 2, whole=True)
        with torch.no_grad():
            latents = vae.encode(batch).latent_dist.sample()
        loss = _difference(vae.decode(latents).sample, batch)
        descent.step(loss)
        if step % 100 == 0:
            log.say(f"VAE decoder step {step}: loss {loss.item():.4f}")
    _show(vae, held_out, "decoder alone", log)
    vae.save_pretrained(folder)


def _pictures(seed: int) -> tuple[Tensor, Tensor]:
    """To learn from, and unseen ones."""
    chance = random.Random(seed)
    pictures = [_picture(chance, number) for number in range(PICTURES + 64)]
    return pixels_of(pictures[:PICTURES]), pixels_of(pictures[PICTURES:])


def _picture(chance: random.Random, number: int) -> Image.Image:
    if number % 2:
        return draw_stranger(chance)[2]
    return draw_person(random_person(chance), chance)


def _new_vae() -> AutoencoderKL:
    vae: Any = AutoencoderKL(
        block_out_channels=(16, 32, 64, 96),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=128,
        scaling_factor=SCALING_FACTOR,
    )
    with torch.no_grad():
        # Latents that are nearly certain from the start: otherwise their noise drowns what they say.
        vae.quant_conv.weight[LATENT_CHANNELS:] *= 0.1
        vae.quant_conv.bias[LATENT_CHANNELS:] = -6
    return vae


def _train_all(vae: Any, pictures: Tensor, log: Log) -> None:
    """Crops first, as they are cheap; whole pictures at the end, so that the attention knows their size."""
    descent = Descent([vae], STEPS, rate=RATE, adam_rate=ADAM_RATE)
    for step in range(STEPS):
        whole = step >= WHOLE_PICTURES_FROM
        batch = _batch(pictures, BATCH // 2 if whole else BATCH, whole=whole)
        with torch.autocast("cpu", torch.bfloat16):
            posterior = vae.encode(batch).latent_dist
            drawn = vae.decode(posterior.sample()).sample
        loss = _difference(drawn.float(), batch) + KL_WEIGHT * posterior.kl().float().mean()
        descent.step(loss)
        if step % 100 == 0:
            log.say(f"VAE step {step}: loss {loss.item():.4f}")


def _batch(pictures: Tensor, size: int, *, whole: bool) -> Tensor:
    chosen = pictures[torch.randint(len(pictures), (size,))]
    if not whole:
        top, left = (int(torch.randint(pictures.shape[-1] - CROP + 1, ())) for _ in range(2))
        chosen = chosen[:, :, top : top + CROP, left : left + CROP]
    return scaled(chosen)


def _difference(drawn: Tensor, wanted: Tensor) -> Tensor:
    """Of the pixels, and of their differences to their neighbours: edges stay sharp."""
    loss = functional.l1_loss(drawn, wanted) + functional.mse_loss(drawn, wanted)
    for dim in (2, 3):
        loss = loss + functional.l1_loss(drawn.diff(dim=dim), wanted.diff(dim=dim))
    return loss


@torch.no_grad()
def _show(vae: Any, held_out: Tensor, what: str, log: Log) -> None:
    wanted = scaled(held_out)
    drawn = vae.decode(vae.encode(wanted).latent_dist.mode()).sample.clamp(-1, 1)
    error = functional.mse_loss(drawn, wanted).item() / 4
    log.say(f"VAE, {what}: PSNR {-10 * math.log10(error):.1f} dB on {len(held_out)} unseen pictures")


@torch.no_grad()
def _normalize_latents(vae: Any, pictures: Tensor) -> None:
    """Move the latents' scale into the weights around them, so that SDXL's own scaling factor is right."""
    latents = torch.cat([vae.encode(scaled(part)).latent_dist.mode() for part in pictures.split(32)])
    centre = latents.mean(dim=(0, 2, 3))
    factor = 1 / (SCALING_FACTOR * float((latents - centre[:, None, None]).std()))
    outside, inside = vae.quant_conv, vae.post_quant_conv
    channels = len(centre)
    inside.bias += inside.weight[:, :, 0, 0] @ centre
    inside.weight /= factor
    outside.bias[:channels] -= centre
    outside.weight[:channels] *= factor
    outside.bias[:channels] *= factor
    outside.bias[channels:] += 2 * math.log(factor)


def _millions(model: torch.nn.Module) -> str:
    return f"{sum(weight.numel() for weight in model.parameters()) / 1e6:.2f}"
