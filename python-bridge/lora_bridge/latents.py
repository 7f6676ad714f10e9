"""Latents of all pictures, computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from torch import as_tensor

from lora_bridge.images import UNREADABLE, fit_picture, load_picture
from lora_bridge.problems import ProblemError
from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import PhaseEvent

if TYPE_CHECKING:
    from pathlib import Path

    import torch
    from PIL import Image
    from torch import Tensor

    from lora_bridge.dataset import Dataset
    from lora_bridge.sink import Sink
    from lora_bridge.vae import Vae


class CachedLatents(NamedTuple):
    """What the VAE made of the pictures."""

    by_picture: dict[Path, Tensor]
    """[4, height / 8, width / 8] on the CPU, scaled, fp32."""
    unreadable: set[Path]
    """Pictures whose header is whole and whose pixels are not."""


def cache_latents(
    vae: Vae,
    dataset: Dataset,
    generator: torch.Generator,
    sink: Sink,
) -> CachedLatents:
    """Encode every picture in its bucket; the latent is drawn from the VAE's distribution, as Kohya does.

    `generator` is on the CPU. Raises ProblemError `latent_not_finite`; StopRequested between pictures.
    """
    latents: dict[Path, Tensor] = {}
    unreadable: set[Path] = set()
    samples = dataset.samples
    sink.emit(PhaseEvent(phase="caching_latents", done=0, total=len(samples)))
    for done, sample in enumerate(samples, start=1):
        check_stop(sink)
        path = sample.picture.path
        try:
            pixels = _pixels(fit_picture(load_picture(path), sample.fit))
        except UNREADABLE:
            unreadable.add(path)
        else:
            latent = vae.encode(pixels, generator)
            if not latent.isfinite().all():
                raise ProblemError(
                    "latent_not_finite",
                    f"The VAE made no sense of {path}: its latent is not finite.",
                    "Use a base model with a sound VAE, or leave this picture out.",
                )
            latents[path] = latent
        sink.emit(PhaseEvent(phase="caching_latents", done=done, total=len(samples)))
    return CachedLatents(latents, unreadable)


def _pixels(picture: Image.Image) -> Tensor:
    """[3, H, W] from -1 to 1."""
    array = np.asarray(picture, dtype=np.float32) / 127.5 - 1.0
    return as_tensor(array).permute(2, 0, 1).contiguous()
