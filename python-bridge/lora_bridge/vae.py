"""SDXL's autoencoder as the training uses it: where diffusers, largely untyped, is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

LATENT_CHANNELS = 4


class Vae:
    """The autoencoder, frozen."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def to(self, device: torch.device) -> Vae:
        """Move it."""
        self._model.to(device)
        return self

    @torch.no_grad()
    def encode(self, pixels: Tensor, generators: Sequence[torch.Generator]) -> Tensor:
        """Pixels [B, 3, H, W] from -1 to 1 to scaled latents [B, 4, H / 8, W / 8] on the CPU.

        Each is drawn from the distribution that the autoencoder gives, as Kohya does, with its own generator.
        Generators on the CPU draw the same whatever the device.
        """
        return self.scaled(self._distribution(pixels).sample(list(generators)))

    @torch.no_grad()
    def mean(self, pixels: Tensor) -> Tensor:
        """The middle of the distribution: pixels [B, 3, H, W] to scaled latents as `encode` gives them."""
        return self.scaled(self._distribution(pixels).mode())

    def scaled(self, latents: Tensor) -> Tensor:
        """What the autoencoder gives, of any shape, as the UNet knows it: with a variance of about 1."""
        return (latents * self._model.config.scaling_factor).cpu()

    def without_encoder(self) -> Vae:
        """Give the encoder's memory back; only `decode` is left."""
        del self._model.encoder, self._model.quant_conv
        return self

    @torch.no_grad()
    def decode(self, latent: Tensor) -> Tensor:
        """A scaled latent [4, h, w] to pixels [3, 8 h, 8 w] on the CPU, from about -1 to 1.

        The autoencoder visits the latent's device, and is on the CPU again afterwards.
        """
        self._model.to(latent.device)
        try:
            decoded = self._model.decode(latent[None].float() / self._model.config.scaling_factor)
            return decoded.sample[0].cpu()
        finally:
            self._model.to("cpu")

    def _distribution(self, pixels: Tensor) -> Any:
        return self._model.encode(pixels.to(self._model.device)).latent_dist
