"""How much memory a training step needs, without training. Without torch: it is asked while one types.

The coefficients were counted on SDXL's own UNet with this project's LoRA layers: the most bytes that a step's
tensors have at once, by running a step on tensors without contents (torch's FakeTensorMode), at 256 to 1024
pixels, ranks 16 and 128, batches of 1 and 2, and every way of checkpointing.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lora_bridge.adapter_numbers import adapter_numbers
from lora_bridge.model_size import UNET_NUMBERS, ModelSize
from lora_bridge.optimizer_choice import part_rates

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

DeviceKind: TypeAlias = Literal["cuda", "cpu"]

ENCODER_NUMBERS = (123_060_480, 694_659_840)
VAE_BYTES = 4 * 83_653_863
DECODER_BYTES = 4 * 49_490_199
"""Of the half of the VAE that samples are drawn with."""
_QUANTIZED_NUMBERS = 2_558_566_400
_QUANTIZED_BYTES = {"fp8": 1.0, "int8": 1.0, "nf4": 0.5 + 4 / 64}
"""For a number, with its share of the scales."""
_LARGEST_LAYER = 30_000_000
"""Numbers of a quantised weight while it is open."""
_STATE_BYTES = {
    "adamw8bit": 2,
    "pagedadamw8bit": 2,
    "ademamix8bit": 3,
    "pagedademamix8bit": 3,
    "lion": 4,
    "lion8bit": 1,
    "pagedlion8bit": 1,
    "sgdnesterov": 4,
    "sgdnesterov8bit": 1,
    "adafactor": 1,
    "prodigy": 16,
    "dadaptation": 12,
    "dadaptadam": 12,
}
"""Of an optimizer for each LoRA weight; AdamW and most others keep two numbers in fp32."""
_USUAL_STATE_BYTES = 8


class _Activations(NamedTuple):
    """Numbers at the peak of a step, for each picture."""

    by_pixel: float
    """Of the latent, which has a 64th of the picture's."""
    by_pixel_and_rank: float
    by_token: float


_ACTIVATIONS: dict[Literal["none", "full", "selective"], _Activations] = {
    "none": _Activations(207_000, 54, 156_000),
    "full": _Activations(19_300, 3.2, 0),
    "selective": _Activations(83_300, 54, 156_000),
}


class Run(NamedTuple):
    """What decides how much memory a run needs."""

    config: TrainConfig
    latent_pixels: int
    """Of the largest latent."""
    batch: int
    """Pictures that one device is shown at once."""
    drawn_pixels: int = 0
    """Of the latent of the largest sample; 0 where none is drawn."""
    model: ModelSize = ModelSize()
    """Of the base model."""


class MemoryEstimate(NamedTuple):
    """Bytes that a training step needs."""

    weights: int
    """Of the frozen models that stay on the device."""
    adapter: int
    """The LoRA's weights and gradients, with the layers' copy where they compute in another format."""
    optimizer: int
    """What it remembers, and the moving average of the weights."""
    activations: int

    @property
    def total(self) -> int:
        """Without what the libraries themselves need."""
        return sum(self)


def estimate_memory(run: Run, kind: DeviceKind) -> MemoryEstimate:
    """Of one device. Raises ProblemError `nothing_learned`."""
    config, share = run.config, run.model.share
    # What is learnt and computed grows with a model's width, what it weighs with the square of it.
    width = math.sqrt(share)
    number_bytes = bytes_of_number(config, kind)
    adapter = width * adapter_numbers(config)
    weight_bytes = 2 if config.full_bf16 else 4
    copy_bytes = 0 if weight_bytes == number_bytes else number_bytes
    state_bytes = _STATE_BYTES.get(config.optimizer.strip().lower(), _USUAL_STATE_BYTES)
    average_bytes = 4 if config.use_ema else 0
    waiting = DECODER_BYTES if kind == "cpu" and run.drawn_pixels else 0
    activations = number_bytes * run.batch * _activations(config, run.latent_pixels)
    return MemoryEstimate(
        weights=round(share * (_weights(config, number_bytes) + waiting)),
        adapter=round(2 * adapter * (weight_bytes + copy_bytes)),
        optimizer=round(adapter * (state_bytes + average_bytes)),
        activations=round(width * activations),
    )


def bytes_of_number(config: TrainConfig, kind: DeviceKind) -> int:
    """Of the format that the frozen model computes in. On a CPU fp16 is not used."""
    mixed = config.mixed_precision
    return 4 if mixed == "no" or (mixed == "fp16" and kind == "cpu") else 2


def vae_stays(config: TrainConfig) -> bool:
    """Whether pictures are encoded while it trains."""
    return not (config.cache_latents or config.cache_latents_to_disk) or pictures_vary(config)


def encoders_stay(config: TrainConfig) -> bool:
    """Whether captions are encoded while it trains."""
    learn = part_rates(config).keys() - {"unet"}
    return bool(learn) or not config.cache_text_encoder_outputs or captions_vary(config)


def pictures_vary(config: TrainConfig) -> bool:
    """Whether pictures are seen anew each time, so that the VAE has to stay."""
    return config.random_crop or config.color_aug or bool(config.face_crop_aug_range.strip())


def captions_vary(config: TrainConfig) -> bool:
    """Whether captions are made anew each time, so that the text encoders have to stay."""
    return (
        config.shuffle_caption
        or config.enable_wildcard
        or config.caption_tag_dropout_rate > 0
        or config.token_warmup_step > 0
    )


def _weights(config: TrainConfig, number_bytes: int) -> int:
    size = UNET_NUMBERS * number_bytes
    if config.quantize_base_model != "none":
        size = round(_QUANTIZED_NUMBERS * _QUANTIZED_BYTES[config.quantize_base_model])
        size += (UNET_NUMBERS - _QUANTIZED_NUMBERS + _LARGEST_LAYER) * number_bytes
    if encoders_stay(config):
        size += sum(ENCODER_NUMBERS) * number_bytes
    if vae_stays(config):
        size += VAE_BYTES
    return size


def _activations(config: TrainConfig, latent_pixels: int) -> int:
    """Numbers for one picture."""
    method = config.checkpointing_method if config.gradient_checkpointing else "none"
    by_pixel, by_pixel_and_rank, by_token = _ACTIVATIONS[method]
    tokens = 2 + int(config.max_token_length)
    return round(latent_pixels * (by_pixel + by_pixel_and_rank * config.network_dim) + tokens * by_token)
