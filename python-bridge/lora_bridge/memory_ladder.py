"""The ways to train with less memory, the least costly first. Without torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

from msgspec.structs import replace

from lora_bridge.class_source import is_installed
from lora_bridge.memory_estimate import Run, captions_vary, pictures_vary, vae_stays
from lora_bridge.optimizer_choice import part_rates

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lora_bridge.protocol_types import TrainConfig

_LEAST_RANK = 4
_LEAST_SIDE, _SIDE_STEP, _ROUNDED_TO = 512, 128, 64
_MOST_ACCUMULATED = 120
_CHECKPOINTING_COSTS = {
    "selective": "A little time: what is quickly computed is computed twice. What is learnt stays the same.",
    "full": "Steps take about 40 % longer than without it. What is learnt stays the same.",
}
_QUANTIZED_COSTS = {
    "int8": "Steps take 1.4 to 3 times as long. The base model is rounded, hardly to be seen.",
    "nf4": "Steps take 1.2 to 3 times as long. The base model is rounded coarsely, which can cost likeness.",
}


class Change(NamedTuple):
    """One step down."""

    kind: str
    """A later change of a kind takes the place of an earlier one."""
    advice: str
    """As it goes on after `if you`."""
    cost: str
    """What it costs in time or quality, as a sentence."""
    values: dict[str, Any]
    """For the config."""
    latent_pixels: float = 1.0
    """How many of them are left."""
    batch: int | None = None
    by_hand: bool = False
    """The dataset file decides it, which only a person changes."""


def after(run: Run, changes: Iterable[Change]) -> Run:
    """The run with all the changes, of each kind the last."""
    for change in {change.kind: change for change in changes}.values():
        config = replace(run.config, **change.values)
        pixels = round(run.latent_pixels * change.latent_pixels)
        batch = run.batch if change.batch is None else change.batch
        run = run._replace(config=config, latent_pixels=pixels, batch=batch)
    return run


def steps_down(run: Run) -> Iterator[Change]:
    """Every change there is, those of a kind one after the other, each further down than the one before."""
    config = run.config
    if vae_stays(config) and not pictures_vary(config):
        once = "Nothing: each picture is encoded once, before the training."
        yield Change("latents", "turn Cache latents on", once, {"cache_latents": True})
    only_unet = part_rates(config).keys() == {"unet"}
    if not config.cache_text_encoder_outputs and not captions_vary(config) and only_unet:
        once = "Nothing: each caption is read once, before the training."
        advice = "turn Cache text encoder outputs on"
        yield Change("texts", advice, once, {"cache_text_encoder_outputs": True})
    yield from _checkpointing(config)
    yield from _smaller_batches(run)
    if config.optimizer.strip().lower() == "adamw" and is_installed("bitsandbytes"):
        rounded = "Hardly anything: what the optimizer remembers is rounded to 8 bits."
        yield Change("optimizer", "set Optimizer to AdamW8bit", rounded, {"optimizer": "AdamW8bit"})
    # fp8 needs as much as int8 and is less exact.
    for how in {"none": ("int8", "nf4"), "nf4": ()}.get(config.quantize_base_model, ("nf4",)):
        advice = f"set Quantize base model to {how}"
        yield Change("quantize", advice, _QUANTIZED_COSTS[how], {"quantize_base_model": how})
    yield from _lower_ranks(config)
    yield from _smaller_pictures(config)


def _checkpointing(config: TrainConfig) -> Iterator[Change]:
    method = config.checkpointing_method if config.gradient_checkpointing else "none"
    for less in {"none": ("selective", "full"), "selective": ("full",)}.get(method, ()):
        turned = "set" if config.gradient_checkpointing else "turn Gradient checkpointing on and set"
        yield Change(
            "checkpointing",
            f"{turned} Checkpointing method to {less}",
            _CHECKPOINTING_COSTS[less],
            {"gradient_checkpointing": True, "checkpointing_method": less},
        )


def _smaller_batches(run: Run) -> Iterator[Change]:
    """Each batch divides the old one, so that what is accumulated is as much as before."""
    in_file = bool(run.config.dataset_config.strip())
    where = "batch_size in the dataset file" if in_file else "Train batch size"
    for batch in range(run.batch - 1, 0, -1):
        accumulated = run.config.gradient_accumulation_steps * run.batch // batch
        if run.batch % batch == 0 and accumulated <= _MOST_ACCUMULATED:
            yield Change(
                "batch",
                f"set {where} to {batch} and Gradient accumulate steps to {accumulated}",
                "Time, where the device had room for more at once. Each step learns from as many pictures as "
                "before.",
                {"train_batch_size": batch, "gradient_accumulation_steps": accumulated},
                batch=batch,
                by_hand=in_file,
            )


def _lower_ranks(config: TrainConfig) -> Iterator[Change]:
    """With alpha in the same proportion, so that the LoRA learns as fast as before."""
    rank, alpha = config.network_dim // 2, config.network_alpha / 2
    while rank >= _LEAST_RANK:
        yield Change(
            "rank",
            f"set Network Rank to {rank} and Network Alpha to {alpha:g}",
            f"The LoRA can hold less: rank {rank} instead of {config.network_dim}.",
            {"network_dim": rank, "network_alpha": alpha},
        )
        rank, alpha = rank // 2, alpha / 2


def _smaller_pictures(config: TrainConfig) -> Iterator[Change]:
    sides = [int(side) for side in config.max_resolution.split(",")]
    width, height = sides[0], sides[-1]
    shorter = min(width, height)
    for side in range(shorter - _SIDE_STEP, _LEAST_SIDE - 1, -_SIDE_STEP):
        new = [round(old * side / shorter / _ROUNDED_TO) * _ROUNDED_TO for old in (width, height)]
        resolution = ",".join(map(str, new))
        yield Change(
            "resolution",
            f"set Max resolution to {resolution}",
            "Fine detail: it learns from smaller pictures. Steps become faster.",
            {"max_resolution": resolution},
            latent_pixels=math.prod(new) / (width * height),
        )
