"""What the tests of the latents share: a base model that counts, and the way to a project's latents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from training_support import ListSink, make_config

from lora_bridge.dataset import read_dataset
from lora_bridge.latents import LatentStore, prepare_latents
from lora_bridge.model import BaseModel, open_base_model
from lora_bridge.protocol_types import PhaseEvent
from lora_bridge.views import cached_views, centred_view

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lora_bridge.vae import Vae

CPU = torch.device("cpu")


class Counting(BaseModel):
    """A base model that counts what its VAE is asked to do."""

    def __init__(self, model: Path, spoil: str = "") -> None:
        self._base = open_base_model(str(model))
        self._spoil = spoil
        self.loaded = 0
        self.batches: list[int] = []
        self.seeds: list[int] = []

    def vae(self) -> Vae:
        self.loaded += 1
        vae = self._base.vae()
        encode = vae.encode

        def counted(pixels: torch.Tensor, generators: Sequence[torch.Generator]) -> torch.Tensor:
            self.batches.append(len(pixels))
            self.seeds += [generator.initial_seed() for generator in generators]
            latents = encode(pixels, generators)
            if self._spoil:
                latents[-1, 0, 0, 0] = float(self._spoil)
            return latents

        cast("Any", vae).encode = counted
        return vae

    def identity(self, part: Any) -> str:
        return self._base.identity(part)

    def text_encoder(self, number: int, dtype: torch.dtype) -> Any:
        raise NotImplementedError

    def unet(self, dtype: torch.dtype) -> Any:
        raise NotImplementedError


def prepare(
    project: Path, base: BaseModel, sink: ListSink | None = None, **changes: Any
) -> tuple[LatentStore, list[torch.Tensor]]:
    """The store, and the latents of all views in the order of the samples."""
    config = make_config(project, **changes)
    dataset = read_dataset(config)
    store = prepare_latents(base, config, dataset, CPU, sink or ListSink())
    dataset = dataset.without(store.unreadable) if store.unreadable else dataset
    latents = [
        store.get(sample, view).latent
        for sample in dataset.everything()
        for view in cached_views(sample) or (centred_view(sample),)
    ]
    return store, latents


def same(one: list[torch.Tensor], other: list[torch.Tensor]) -> bool:
    return len(one) == len(other) and all(map(torch.equal, one, other))


def pictures_of(project: Path) -> list[Path]:
    return sorted((project / "img" / "2_ohwx person").glob("*.png"))


def phases_of(sink: ListSink) -> list[tuple[str, int, int]]:
    return [(phase.phase, phase.done, phase.total) for phase in sink.of(PhaseEvent)]
