"""The batches that the UNet is shown, put together from latents, texts and sizes."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from lora_bridge.appearances import Appearance
from lora_bridge.caption_rules import plain_caption, possible_captions
from lora_bridge.text import KnownTexts
from lora_bridge.views import centred_view, time_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.latents import LatentStore
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sample_prompts import SamplePrompt
    from lora_bridge.text import Texts


class Batch(NamedTuple):
    """B samples of one bucket, on the device."""

    latents: Tensor
    """[B, 4, h, w], fp32."""
    hidden: Tensor
    """[B, T, 2048]: what both text encoders make of the captions; gradients reach them where they learn."""
    pooled: Tensor
    """[B, 1280]."""
    time_ids: Tensor
    """[B, 6], fp32, as sizes in pixels have more digits than bf16: original height and width, top and left of
    the crop, height and width of the bucket."""
    weights: Tensor
    """[B], fp32: 1, or the prior loss weight of regularization pictures."""
    masks: Tensor | None
    """[B, 1, h, w], fp32 from 0 to 1: how much each place counts. None where all of it does."""
    preserves: Tensor | None
    """[B], bool: for which samples the base model's own answer is the target. None where for none."""
    captions: list[str]
    pictures: list[Path]


class Materials:
    """Latents and texts, from which batches are made."""

    def __init__(self, config: TrainConfig, latents: LatentStore, texts: Texts, device: torch.device) -> None:
        self._config = config
        self._latents = latents
        self._device = device
        self.texts = texts

    def batch(self, appearances: Sequence[Appearance]) -> Batch:
        """Put appearances of one bucket together on the device, without waiting for it."""
        samples = [appearance.sample for appearance in appearances]
        latents = [self._latents.get(appearance.sample, appearance.view) for appearance in appearances]
        sizes = [
            time_ids(appearance.sample, appearance.view, kohya_exact=self._config.kohya_exact)
            for appearance in appearances
        ]
        preserves = [sample.subset.preserves_output for sample in samples]
        captions = [appearance.text for appearance in appearances]
        hidden, pooled = self.texts.embed(captions)
        return Batch(
            latents=self._move(torch.stack([each.latent for each in latents])),
            hidden=hidden,
            pooled=pooled,
            time_ids=self._move(torch.tensor(sizes, dtype=torch.float32)),
            weights=self._move(torch.tensor([self._weight(sample) for sample in samples])),
            masks=self._masks([each.mask for each in latents], latents[0].latent),
            preserves=self._move(torch.tensor(preserves)) if any(preserves) else None,
            captions=captions,
            pictures=[sample.picture.path for sample in samples],
        )

    def validation_batches(self, dataset: Dataset) -> Iterator[Batch]:
        """The pictures that were kept back, one at a time, whole and under their plain captions."""
        for sample in dataset.validation:
            yield self.batch([Appearance(sample, centred_view(sample), _plain_caption(sample))])

    def _weight(self, sample: Sample) -> float:
        return self._config.prior_loss_weight if sample.regularization else 1.0

    def _masks(self, masks: Sequence[Tensor | None], like: Tensor) -> Tensor | None:
        if all(mask is None for mask in masks):
            return None
        whole = torch.ones(1, *like.shape[1:])
        return self._move(torch.stack([whole if mask is None else mask for mask in masks]))

    def _move(self, tensor: Tensor) -> Tensor:
        if self._device.type == "cuda":
            return tensor.pin_memory().to(self._device, non_blocking=True)
        return tensor


def texts_of(dataset: Dataset, prompts: Sequence[SamplePrompt]) -> KnownTexts | None:
    """All that is to be embedded: captions, prompts and negative prompts; None where it cannot be listed."""
    texts: set[str] = set()
    for sample in dataset.everything():
        possible = possible_captions(sample.subset.captions, sample.picture.caption)
        if possible is None:
            return None
        texts |= possible | {_plain_caption(sample)}
    shown = {text for prompt in prompts for text in (prompt.text, prompt.negative)}
    return KnownTexts(sorted(texts), sorted(shown))


def _plain_caption(sample: Sample) -> str:
    return plain_caption(sample.subset.captions, sample.picture.caption)
