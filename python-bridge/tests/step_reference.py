"""One step of SDXL's LoRA training written anew, for the trainer's to be compared with.

Plain torch in float64 around diffusers' and transformers' models; nothing of the trainer is imported. Written
from what sd-scripts does and from the papers that are named; `options` are a config's own names and values.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import numpy as np
import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from PIL import Image
from step_formulas import alphas_cumprod, draw_noise, pointwise, timestep_weights, zero_terminal
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrize
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

BEGIN, END = 49406, 49407
LATENT_SCALE = 0.13025

Piece = tuple[str, float]
"""Words of a caption and what they weigh."""
Matrices = dict[str, tuple[Tensor, Tensor]]
"""By adapted layer: down [rank, in] and up [out, rank], or their gradients."""


class Shown(NamedTuple):
    """A picture as the step shows it."""

    file: Path
    size: tuple[int, int]
    """Width and height when it is fitted. A larger file has each of its pixels several times."""
    box: tuple[int, int, int, int]
    """Left, top, right and bottom of what is cut."""
    flipped: bool
    time_ids: tuple[int, ...]
    """Height and width of the original, top and left of the crop, height and width of the bucket."""
    caption: tuple[Piece, ...]
    mask: Path | None
    weight: float


class Batch(NamedTuple):
    """Pictures of one size, and what chance gave for them."""

    shown: list[Shown]
    timesteps: Tensor
    """[B]."""
    draws: Iterator[Tensor]
    """Standard normal numbers in the order in which the noise is made of them."""


class Answer(NamedTuple):
    """What a step should come to."""

    loss: float
    gradients: dict[str, Matrices]
    """By part of the model; zeros where nothing flows."""


class Product(nn.Module):
    """A weight with `scale * up @ down` added."""

    def __init__(self, like: nn.Linear, rank: int, scale: float) -> None:
        super().__init__()
        self.down = nn.Parameter(torch.zeros(rank, like.in_features, dtype=torch.float64))
        self.up = nn.Parameter(torch.zeros(like.out_features, rank, dtype=torch.float64))
        self._scale = scale

    def forward(self, weight: Tensor) -> Tensor:
        return weight + self._scale * self.up @ self.down


class Reference:
    """The models of a diffusers folder with LoRA in them."""

    def __init__(self, folder: Path, rank: int, alpha: float) -> None:
        self._tokenizers = [
            cast("Any", CLIPTokenizer).from_pretrained(folder / name, local_files_only=True)
            for name in ("tokenizer", "tokenizer_2")
        ]
        self._vae = _load(AutoencoderKL, folder / "vae")
        kinds = {
            "unet": (UNet2DConditionModel, "unet"),
            "text_encoder_1": (CLIPTextModel, "text_encoder"),
            "text_encoder_2": (CLIPTextModelWithProjection, "text_encoder_2"),
        }
        self._models = {part: _load(kind, folder / name) for part, (kind, name) in kinds.items()}
        self._products = {
            part: {name: _adapt(layer, rank, alpha) for name, layer in _layers(part, model)}
            for part, model in self._models.items()
        }

    def step(self, weights: Mapping[str, Matrices], batches: list[Batch], options: dict[str, Any]) -> Answer:
        """Loss and gradients of a step with these LoRA weights; parts without any are the base model's.

        The loss is the weighted mean over the samples of all batches: an accumulated step is a large batch.
        """
        for part, products in self._products.items():
            given = weights.get(part, {})
            assert not given or given.keys() == products.keys(), set(given) ^ set(products)
            for name, product in products.items():
                product.requires_grad_(bool(given))
                product.down.grad = product.up.grad = None
                product.up.data.zero_()
                if given:
                    product.down.data.copy_(given[name][0])
                    product.up.data.copy_(given[name][1])
        count = sum(len(batch.shown) for batch in batches)
        loss = torch.stack([self._losses(batch, options).sum() for batch in batches]).sum() / count
        torch.autograd.backward(loss)
        gradients = {
            part: {name: (_grad(each.down), _grad(each.up)) for name, each in self._products[part].items()}
            for part in weights
        }
        return Answer(loss.item(), gradients)

    def _losses(self, batch: Batch, options: dict[str, Any]) -> Tensor:
        """[B], each times the weight of its sample."""
        latents = torch.cat([self._latent(shown) for shown in batch.shown])
        plain = alphas_cumprod()
        signal = zero_terminal(plain) if options["zero_terminal_snr"] else plain
        noise = draw_noise(latents, batch.draws, options)
        strength = options["ip_noise_gamma"]
        shown_noise = noise + strength * next(batch.draws).double() if strength else noise
        share = signal[batch.timesteps].view(-1, 1, 1, 1)
        noisy = share.sqrt() * latents + (1 - share).sqrt() * shown_noise
        velocity = share.sqrt() * noise - (1 - share).sqrt() * latents

        hidden, pooled = self._text([shown.caption for shown in batch.shown], options)
        sizes = torch.tensor([shown.time_ids for shown in batch.shown], dtype=torch.float64)
        conditions = {"text_embeds": pooled, "time_ids": sizes}
        unet = self._models["unet"]
        predicted = unet(noisy, batch.timesteps, hidden, added_cond_kwargs=conditions).sample

        target = velocity if options["v_parameterization"] else noise
        losses = pointwise(predicted - target, signal[batch.timesteps], batch.timesteps, options)
        if options["masked_loss"]:
            losses = losses * torch.stack([_mask(shown) for shown in batch.shown])
        # Kohya weighs by the schedule before it is stretched; the trainer does so where it is to be exact.
        weighed_by = plain if options["kohya_exact"] else signal
        by_time = timestep_weights(weighed_by[batch.timesteps], options)
        by_sample = torch.tensor([shown.weight for shown in batch.shown], dtype=torch.float64)
        return losses.mean(dim=(1, 2, 3)) * by_sample * by_time

    @torch.no_grad()
    def _latent(self, shown: Shown) -> Tensor:
        pixels = _cut(shown.file, shown).permute(2, 0, 1)[None] * 2 - 1
        distribution = self._vae.encode(pixels).latent_dist
        drawn = distribution.mean + distribution.std * latent_noise(distribution.mean.shape).double()
        return drawn * LATENT_SCALE

    def _text(self, captions: list[tuple[Piece, ...]], options: dict[str, Any]) -> tuple[Tensor, Tensor]:
        most = int(options["max_token_length"])
        hidden: list[Tensor] = []
        pooled = torch.empty(0)
        for number, tokenizer in enumerate(self._tokenizers):
            read = [_tokens(tokenizer, caption, most) for caption in captions]
            ids = torch.stack([_chunks(ids, tokenizer.pad_token_id) for ids, _ in read])
            model = self._models[f"text_encoder_{number + 1}"]
            by_chunk = [
                _states(model.text_model if number else model, ids[:, chunk]) for chunk in range(ids.shape[1])
            ]
            middle = [states[:, 1:-1] for states, _ in by_chunk]
            whole = torch.cat([by_chunk[0][0][:, :1], *middle, by_chunk[-1][0][:, -1:]], dim=1)
            hidden.append(whole * torch.stack([weights for _, weights in read])[..., None])
            if number:
                ends = (ids[:, 0] == END).int().argmax(dim=1)
                pooled = model.text_projection(by_chunk[0][1][torch.arange(len(ends)), ends])
        return torch.cat(hidden, dim=-1), pooled


def latent_noise(size: tuple[int, ...]) -> Tensor:
    """What stands in for the chance of the autoencoder, the same for every picture."""
    return torch.sin(torch.arange(math.prod(size), dtype=torch.float32)).view(size)


def _load(kind: Any, folder: Path) -> Any:
    model = kind.from_pretrained(folder, local_files_only=True, dtype=torch.float64)
    return model.eval().requires_grad_(False)


def _layers(part: str, model: Any) -> Iterator[tuple[str, nn.Linear]]:
    """The linear layers of the UNet's transformers, or of a text encoder's attention and MLP."""
    inside = "attentions." if part == "unet" else "encoder.layers."
    for name, layer in model.named_modules():
        if isinstance(layer, nn.Linear) and inside in name:
            yield name, layer


def _adapt(layer: nn.Linear, rank: int, alpha: float) -> Product:
    product = Product(layer, rank, alpha / rank)
    parametrize.register_parametrization(layer, "weight", product)
    return product


def _grad(weights: nn.Parameter) -> Tensor:
    return torch.zeros_like(weights) if weights.grad is None else weights.grad.clone()


def _cut(file: Path, shown: Shown) -> Tensor:
    """[height, width, channels] from 0 to 1, mirrored after it is cut."""
    picture = Image.open(file).resize(shown.size, Image.Resampling.NEAREST)
    cut = torch.as_tensor(np.array(picture.crop(shown.box))).double() / 255
    return cut.flip(1) if shown.flipped else cut


def _mask(shown: Shown) -> Tensor:
    """[1, height / 8, width / 8]: the red of the mask picture; all counts where there is none."""
    left, top, right, bottom = shown.box
    if shown.mask is None:
        return torch.ones(1, (bottom - top) // 8, (right - left) // 8, dtype=torch.float64)
    red = _cut(shown.mask, shown)[..., 0]
    return functional.interpolate(red[None, None], scale_factor=1 / 8, mode="area")[0]


def _tokens(tokenizer: Any, caption: tuple[Piece, ...], most: int) -> tuple[Tensor, Tensor]:
    """Tokens and their weights, [most + 2]: begin, words, end, padding."""
    ids: list[int] = []
    weights: list[float] = []
    for text, weight in caption:
        found = tokenizer(text, add_special_tokens=False, verbose=False).input_ids
        ids += found
        weights += [weight] * len(found)
    ids = [BEGIN, *ids[:most], END]
    weights = [1.0, *weights[:most], 1.0]
    rest = most + 2 - len(ids)
    row = torch.tensor(ids + [tokenizer.pad_token_id] * rest)
    return row, torch.tensor(weights + [1.0] * rest, dtype=torch.float64)


def _chunks(row: Tensor, padding: int) -> Tensor:
    """[chunks, 77] as sd-scripts cuts a row of 75 tokens a chunk: begin and end are put around each."""
    chunks: list[Tensor] = []
    for start in range(1, len(row) - 1, 75):
        chunk = torch.cat([row[:1], row[start : start + 75], row[-1:]])
        if chunk[-2].item() not in {END, padding}:
            chunk[-1] = END
        if chunk[1].item() == padding:
            chunk[1] = END
        chunks.append(chunk)
    return torch.stack(chunks)


def _states(model: Any, ids: Tensor) -> tuple[Tensor, Tensor]:
    """What the last but one layer gives, and the last one after the final norm."""
    kept: list[Any] = []

    def keep(_module: nn.Module, _inputs: Any, given: Any) -> None:
        kept.append(given if isinstance(given, Tensor) else given[0])

    hook = model.encoder.layers[-2].register_forward_hook(keep)
    last = model(ids).last_hidden_state
    hook.remove()
    (before_last,) = kept
    return before_last, last
