"""All that the UNet is shown, prepared before it is loaded: latents, text embeddings, sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from lora_bridge.latents import CachedLatents, cache_latents
from lora_bridge.plan_warnings import listed
from lora_bridge.protocol_types import PhaseEvent, Problem, WarningEvent
from lora_bridge.text import TextEmbedding, encode_texts, join_encoders

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.model import BaseModel
    from lora_bridge.sample_prompts import SamplePrompt
    from lora_bridge.sink import Sink

PARTS = 3
"""Of a base model, as its loading is reported."""


class Batch(NamedTuple):
    """B samples of one bucket, on the device."""

    latents: Tensor
    """[B, 4, h, w], fp32."""
    hidden: Tensor
    """[B, 77, 2048]."""
    pooled: Tensor
    """[B, 1280]."""
    time_ids: Tensor
    """[B, 6], fp32, as sizes in pixels have more digits than bf16: original height and width, top and left of
    the crop, height and width of the bucket."""
    weights: Tensor
    """[B], fp32: 1, or the prior loss weight of regularization pictures."""


class Materials:
    """The cached latents and embeddings, from which batches are made."""

    def __init__(
        self, latents: dict[Path, Tensor], texts: dict[str, TextEmbedding], prior_loss_weight: float
    ) -> None:
        self._latents = latents
        self._texts = texts
        self._prior_loss_weight = prior_loss_weight

    def batch(self, samples: Sequence[Sample], device: torch.device) -> Batch:
        """Put samples of one bucket together on `device`, without waiting for it."""
        texts = [self._texts[sample.picture.caption.text] for sample in samples]
        weights = [self._prior_loss_weight if sample.regularization else 1.0 for sample in samples]
        tensors = (
            torch.stack([self._latents[sample.picture.path] for sample in samples]),
            torch.stack([text.hidden for text in texts]),
            torch.stack([text.pooled for text in texts]),
            torch.tensor([time_ids(sample) for sample in samples], dtype=torch.float32),
            torch.tensor(weights),
        )
        if device.type == "cuda":
            return Batch(*(tensor.pin_memory().to(device, non_blocking=True) for tensor in tensors))
        return Batch(*tensors)


def time_ids(sample: Sample) -> tuple[int, int, int, int, int, int]:
    """SDXL's conditioning on sizes (Podell et al. 2023), with the true crop where Kohya gives another."""
    size, fit = sample.picture.size, sample.fit
    return size.height, size.width, fit.top, fit.left, fit.bucket.height, fit.bucket.width


def prepare_latents(
    base: BaseModel, dataset: Dataset, device: torch.device, seed: int, sink: Sink
) -> CachedLatents:
    """Encode the pictures. The VAE is gone afterwards."""
    sink.emit(PhaseEvent(phase="loading_model", done=0, total=PARTS))
    generator = torch.Generator().manual_seed(seed)
    return cache_latents(base.vae().to(device), dataset, generator, sink)


def texts_of(dataset: Dataset, prompts: Sequence[SamplePrompt]) -> list[str]:
    """All that is to be embedded: captions, prompts and negative prompts, the empty one too."""
    captions = {sample.picture.caption.text for sample in dataset.samples}
    return sorted(captions | {text for prompt in prompts for text in (prompt.text, prompt.negative)})


def prepare_texts(
    base: BaseModel, texts: Sequence[str], device: torch.device, dtype: torch.dtype, sink: Sink
) -> dict[str, TextEmbedding]:
    """Embeddings by text. Each text encoder is gone before the next is loaded."""
    sink.emit(PhaseEvent(phase="loading_model", done=1, total=PARTS))
    encoder = base.text_encoder(0, dtype).to(device)
    cut = [text for text in texts if encoder.is_cut(text)]
    if cut:
        sink.emit(WarningEvent(problem=_cut_texts(cut)))
    first = encode_texts(encoder, texts, sink, 0, 2 * len(texts))
    del encoder
    second = encode_texts(base.text_encoder(1, dtype).to(device), texts, sink, len(texts), 2 * len(texts))
    return join_encoders(texts, first, second)


def _cut_texts(texts: list[str]) -> Problem:
    return Problem(
        code="caption_cut",
        message="The model sees the first 75 tokens of a caption or prompt, not the end of "
        f"{listed([f'“{text[:40]}…”' for text in texts])}.",
        hint="Put what matters first, or shorten them.",
    )
