"""A VAE that is used instead of the base model's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL

from lora_bridge.file_stamp import file_stamps
from lora_bridge.ldm_names import VAE_PREFIX, vae_name
from lora_bridge.vae import Vae
from lora_bridge.vae_rules import find_vae, vae_damaged
from lora_bridge.weights import UNLOADABLE, empty_model, fill, first_line, frozen, variant_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OLD_ATTENTION = {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}
"""As diffusers wrote it before its version 0.16."""


class OwnVae:
    """A `.safetensors` file with the original's names or diffusers', or a diffusers folder."""

    def __init__(self, path: str, config: Path) -> None:
        """`config` is the folder with the configuration for a single file, which has none.

        Raises ProblemError `vae_missing` or `vae_damaged`.
        """
        self._place = find_vae(path)
        self._config = config

    def load(self) -> Vae:
        """Onto the CPU, in fp32. Raises ProblemError `vae_damaged`."""
        try:
            return Vae(self._from_folder() if self._place.is_dir() else self._from_file())
        except UNLOADABLE as error:
            raise vae_damaged(self._place, first_line(error)) from error

    def identity(self) -> str:
        """What tells it apart from every other VAE."""
        if self._place.is_dir():
            return file_stamps(self._place.iterdir())
        return file_stamps([self._place, self._config / "config.json"])

    def _from_folder(self) -> Any:
        load = cast("Any", AutoencoderKL).from_pretrained
        options = {"dtype": torch.float32, "use_safetensors": True, "variant": variant_of(self._place)}
        return frozen(load(str(self._place), local_files_only=True, **options))

    def _from_file(self) -> Any:
        return fill(empty_model(AutoencoderKL, self._config), self._place, torch.float32, _read)


def _read(tensors: Any, name: str) -> torch.Tensor:
    known = set(tensors.keys())
    for candidate in _names(name):
        if candidate in known:
            return tensors.get_tensor(candidate)
    raise ValueError(f"it lacks the tensor {name}.")


def _names(name: str) -> Iterator[str]:
    """What a tensor of a VAE is called, in diffusers' layout, its old one and the original."""
    old = name
    for new, before in _OLD_ATTENTION.items():
        old = old.replace(f".attentions.0.{new}.", f".attentions.0.{before}.")
    for each in (name, old, vae_name(name)):
        yield each
        yield VAE_PREFIX + each
