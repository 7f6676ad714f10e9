"""Latents of all pictures: encoded once and kept, or anew each time where a view is drawn each time.

The VAE works in fp32, as SDXL's overflows in fp16 for some pictures; that replaces Kohya's `no_half_vae`.
"""

from __future__ import annotations

from contextlib import closing
from functools import cached_property
from typing import TYPE_CHECKING, TypeAlias

from lora_bridge.disk_cache import DiskCache, cache_key
from lora_bridge.images import UNREADABLE, load_picture, why_unreadable
from lora_bridge.kohya_latents import KohyaLatents
from lora_bridge.latent_encoder import (
    Latent,
    Ready,
    Shown,
    content_key,
    encode,
    in_batches,
    render_ahead,
    require_finite,
)
from lora_bridge.model import PARTS
from lora_bridge.problems import ProblemError
from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import PhaseEvent
from lora_bridge.render import render
from lora_bridge.views import cached_views, centred_view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    import torch
    from torch import Tensor

    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.model import BaseModel
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink
    from lora_bridge.vae import Vae
    from lora_bridge.views import View

_PRECISION = "fp32"
"""Of latents on disk."""

_Place: TypeAlias = "tuple[Path, Path | None, str, bool, View]"
"""A picture, its mask, what is done to it by choice, and its view: known without touching the files."""


class LatentStore:
    """What the VAE makes of the pictures."""

    def __init__(self, known: dict[_Place, Latent], unreadable: frozenset[Path], vae: Vae | None) -> None:
        self._known = known
        self._vae = vae
        self.unreadable = unreadable
        """Pictures whose header is whole and whose pixels are not."""

    def get(self, sample: Sample, view: View) -> Latent:
        """A sample's latent, from memory or encoded now.

        Raises ProblemError `latent_not_finite`, and `unreadable_image` for a picture that was whole before.
        """
        shown = Shown(sample, view)
        known = self._known.get(_place(shown))
        if known is not None:
            return known
        assert self._vae is not None, "only what is shown differently each time was not encoded before"
        try:
            ready = Ready(shown, content_key(shown), render(sample, view))
        except UNREADABLE as error:
            raise ProblemError(
                "unreadable_image",
                f"{sample.picture.path} cannot be read any more. {why_unreadable(error)}",
                "Leave the pictures alone while they are trained, or turn Cache latents on.",
            ) from error
        return encode(self._vae, [ready])[0]


def prepare_latents(
    base: BaseModel, config: TrainConfig, dataset: Dataset, device: torch.device, sink: Sink
) -> LatentStore:
    """Encode the views that can be listed; the VAE is gone afterwards unless others are to come.

    With `cache_latents_to_disk` they are kept for the next run, and the VAE is not loaded when all are there.
    Raises ProblemError `latent_not_finite`, `mask_unreadable`, and `broken_images` where the config refuses
    pictures that are not readable to the end; StopRequested between pictures.
    """
    sink.emit(PhaseEvent(phase="loading_model", done=0, total=PARTS))
    listed, drawn_anew = _sort(dataset, config)
    preparation = _Preparation(base, config, device, sink, len(listed) + len(drawn_anew))
    if config.cache_latents_to_disk:
        preparation.encode_and_keep(listed)
    else:
        preparation.encode(listed)
    preparation.try_reading(drawn_anew)
    if preparation.unreadable and config.broken_images == "refuse":
        raise _refusal(preparation.unreadable)
    vae = preparation.vae if drawn_anew else None
    return LatentStore(preparation.known, frozenset(preparation.unreadable), vae)


class _Preparation:
    """What has been found and encoded so far."""

    def __init__(
        self, base: BaseModel, config: TrainConfig, device: torch.device, sink: Sink, total: int
    ) -> None:
        self._base = base
        self._device = device
        self._sink = sink
        self._batch_size = max(1, config.vae_batch_size)
        self._total = total
        self._done = 0
        self.known: dict[_Place, Latent] = {}
        self.unreadable: dict[Path, None] = {}
        """In order."""

    @cached_property
    def vae(self) -> Vae:
        """Loaded when it is first asked for."""
        return self._base.vae().to(self._device)

    def encode(self, listed: Sequence[Shown], disk: DiskCache | None = None) -> None:
        """Encode all of these, and write them to the disk."""
        if not listed:
            return
        vae = self.vae
        self._advance(0)
        with closing(render_ahead(listed)) as rendered:
            for batch in in_batches(self._readable(rendered), self._batch_size):
                for ready, latent in zip(batch, encode(vae, batch), strict=True):
                    self._take(ready.shown, latent)
                    if disk is not None and _is_unchanged(ready):
                        disk.write(self._disk_key(ready.key), _tensors(latent))

    def encode_and_keep(self, listed: Sequence[Shown]) -> None:
        """Take what is on disk, from an earlier run or from Kohya; encode and write what is not."""
        self._advance(0)
        kohya = KohyaLatents(listed, lambda: self.vae, self._sink)
        with DiskCache("latents", self._sink) as disk:
            missing: list[Shown] = []
            for shown in listed:
                check_stop(self._sink)
                latent = self._on_disk(shown, disk)
                if latent is None:
                    latent = kohya.find(shown)
                if latent is None:
                    missing.append(shown)
                else:
                    self._take(shown, latent)
            kohya.tell()
            self.encode(missing, disk)

    def try_reading(self, samples: Iterable[Sample]) -> None:
        """Find the pictures that are broken before the training meets them."""
        for sample in samples:
            check_stop(self._sink)
            try:
                load_picture(sample.picture.path)
            except UNREADABLE:
                self.unreadable[sample.picture.path] = None
            self._advance()

    def _readable(self, rendered: Iterable[tuple[Shown, Ready | None]]) -> Iterator[Ready]:
        for shown, ready in rendered:
            check_stop(self._sink)
            if ready is not None:
                yield ready
                continue
            self.unreadable[shown.sample.picture.path] = None
            self._advance()

    def _on_disk(self, shown: Shown, disk: DiskCache) -> Latent | None:
        try:
            found = disk.read(self._disk_key(content_key(shown)))
        except OSError:
            return None  # gone since its header was read; rendering it says so
        if found is None:
            return None
        require_finite(shown, found["latent"])
        return Latent(found["latent"], found.get("mask"))

    @cached_property
    def _vae_identity(self) -> str:
        return self._base.identity("vae")

    def _disk_key(self, content: str) -> str:
        return cache_key(content, self._vae_identity, _PRECISION)

    def _take(self, shown: Shown, latent: Latent) -> None:
        self.known[_place(shown)] = latent
        self._advance()

    def _advance(self, count: int = 1) -> None:
        self._done += count
        self._sink.emit(PhaseEvent(phase="caching_latents", done=self._done, total=self._total))


def _sort(dataset: Dataset, config: TrainConfig) -> tuple[list[Shown], list[Sample]]:
    """What to encode before the training, and what is encoded each time it is shown."""
    if not config.cache_latents and not config.cache_latents_to_disk:
        return [], list(dataset.everything())
    # The validation shows every picture in the same way each time, whatever is done to others of its folder.
    listed = [Shown(sample, centred_view(sample)) for sample in dataset.validation]
    drawn_anew: list[Sample] = []
    for sample in dataset.samples:
        views = cached_views(sample)
        listed += [Shown(sample, view) for view in views]
        if not views:
            drawn_anew.append(sample)
    return listed, drawn_anew


def _place(shown: Shown) -> _Place:
    picture, rules = shown.sample.picture, shown.sample.subset.pictures
    return picture.path, picture.mask, rules.interpolation, rules.alpha_mask, shown.view


def _is_unchanged(ready: Ready) -> bool:
    """Whether the picture was left alone between the reading of its content and of its pixels."""
    try:
        return content_key(ready.shown) == ready.key
    except OSError:
        return False


def _tensors(latent: Latent) -> dict[str, Tensor]:
    return (
        {"latent": latent.latent} if latent.mask is None else {"latent": latent.latent, "mask": latent.mask}
    )


def _refusal(broken: Iterable[Path]) -> ProblemError:
    names = ", ".join(str(path) for path in broken)
    return ProblemError(
        "broken_images",
        f"These pictures are not readable to the end: {names}.",
        "Repair or remove them, or set Broken pictures to skip.",
    )
