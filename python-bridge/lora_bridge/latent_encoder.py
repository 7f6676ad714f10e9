"""From pictures to latents: rendered by one thread ahead of the VAE, encoded in batches of one size."""

from __future__ import annotations

from collections import deque
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, NamedTuple

import msgspec
import torch

from lora_bridge.disk_cache import cache_key, content_hash
from lora_bridge.images import UNREADABLE
from lora_bridge.picture_edits import edit_stamp
from lora_bridge.problems import ProblemError
from lora_bridge.render import Rendered, render

if TYPE_CHECKING:
    from collections.abc import Generator, Iterable, Iterator, Sequence
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.dataset import Sample
    from lora_bridge.vae import Vae
    from lora_bridge.views import View

_FORMAT = "1"
"""To be counted up when the same picture and view come to give other latents."""
_AHEAD = 4
"""Pictures that wait for the VAE, each 12 MiB at 1024x1024."""


class Latent(NamedTuple):
    """What the UNet sees of a picture."""

    latent: Tensor
    """[4, height / 8, width / 8] on the CPU, scaled, fp32."""
    mask: Tensor | None
    """[1, height / 8, width / 8] fp32 from 0 to 1: how much the loss counts there. None: everywhere."""


class Shown(NamedTuple):
    """A sample as it is shown."""

    sample: Sample
    view: View


class Ready(NamedTuple):
    """What waits for the VAE."""

    shown: Shown
    key: str
    """Of what is in the picture's file."""
    rendered: Rendered


def content_key(shown: Shown) -> str:
    """What is in the picture and its mask, and how they are shown: all but the VAE that decides a latent.

    Raises OSError for a picture that cannot be read.
    """
    picture, rules = shown.sample.picture, shown.sample.subset.pictures
    return cache_key(
        _FORMAT,
        content_hash(picture.path),
        edit_stamp(picture.path),
        _mask_hash(picture.mask),
        rules.interpolation,
        str(rules.alpha_mask),
        msgspec.json.encode(shown.view).decode(),
    )


def encode(vae: Vae, batch: Sequence[Ready]) -> list[Latent]:
    """Encode pictures of one size. Raises ProblemError `latent_not_finite`.

    Each latent is drawn by what is shown alone, not by the run or by what else is in the batch: it is the
    same whether it is kept or encoded anew. What a batch of another size gives differs by rounding.
    """
    generators = [torch.Generator().manual_seed(int(ready.key[:16], 16)) for ready in batch]
    encoded = vae.encode(torch.stack([ready.rendered.pixels for ready in batch]), generators)
    latents: list[Latent] = []
    for ready, latent in zip(batch, encoded, strict=True):
        require_finite(ready.shown, latent)
        latents.append(Latent(latent.clone(), ready.rendered.mask))
    return latents


def require_finite(shown: Shown, latent: Tensor) -> None:
    """Raise ProblemError `latent_not_finite`, which names the picture."""
    if not latent.isfinite().all():
        raise ProblemError(
            "latent_not_finite",
            f"The VAE made no sense of {shown.sample.picture.path}: its latent is not finite.",
            "Use a base model with a sound VAE, or leave this picture out.",
        )


def render_ahead(shown: Iterable[Shown]) -> Generator[tuple[Shown, Ready | None], None, None]:
    """Render pictures in order; None for one that is not readable to the end.

    Raises ProblemError `mask_unreadable`.
    """
    waiting: deque[tuple[Shown, Future[Ready | None]]] = deque()
    reader = ThreadPoolExecutor(1)
    try:
        for each in shown:
            waiting.append((each, reader.submit(_make_ready, each)))
            if len(waiting) > _AHEAD:
                first, ready = waiting.popleft()
                yield first, ready.result()
        for each, ready in waiting:
            yield each, ready.result()
    finally:
        reader.shutdown(cancel_futures=True)


def in_batches(ready: Iterable[Ready], size: int) -> Iterator[list[Ready]]:
    """Up to `size` pictures of one bucket at a time, in order where `size` is 1."""
    waiting: dict[tuple[int, ...], list[Ready]] = {}
    for each in ready:
        batch = waiting.setdefault(tuple(each.rendered.pixels.shape), [])
        batch.append(each)
        if len(batch) == size:
            yield waiting.pop(tuple(each.rendered.pixels.shape))
    yield from waiting.values()


def _mask_hash(mask: Path | None) -> str:
    try:
        return "" if mask is None else content_hash(mask)
    except OSError:
        return "unreadable"  # which rendering says, naming the mask


def _make_ready(shown: Shown) -> Ready | None:
    try:
        return Ready(shown, content_key(shown), render(*shown))
    except UNREADABLE:
        return None
