"""SDXL's parts as the training uses them: where diffusers and transformers, largely untyped, are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor, nn

TOKENS = 77
"""That a text encoder sees, with the beginning and the end of the text."""
LATENT_CHANNELS = 4


class EncodedText(NamedTuple):
    """What one text encoder makes of a caption, on the CPU."""

    hidden: Tensor
    """[77, width]: the last but one layer, without a final norm."""
    pooled: Tensor | None
    """[width]: the projected state at the first end of text, from the second encoder only."""


class Vae:
    """The autoencoder, frozen."""

    def __init__(self, model: Any) -> None:
        self._model = model

    def to(self, device: torch.device) -> Vae:
        """Move it."""
        self._model.to(device)
        return self

    @torch.no_grad()
    def encode(self, pixels: Tensor, generator: torch.Generator) -> Tensor:
        """Pixels [3, H, W] from -1 to 1 to a scaled latent [4, H / 8, W / 8] on the CPU, drawn at random."""
        distribution = self._model.encode(pixels.to(self._model.device)[None]).latent_dist
        latent: Tensor = distribution.sample(generator)[0]
        return (latent * self._model.config.scaling_factor).cpu()

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


class TextEncoder:
    """A text encoder with its tokenizer, frozen."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model

    def to(self, device: torch.device) -> TextEncoder:
        """Move it."""
        self._model.to(device)
        return self

    def is_cut(self, caption: str) -> bool:
        """Whether the encoder does not see the end of the caption."""
        return len(self._tokenizer(caption, verbose=False).input_ids) > TOKENS

    @torch.no_grad()
    def encode(self, caption: str) -> EncodedText:
        """Encode the first 75 tokens."""
        tokens = self._tokenizer(
            caption, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
        )
        output = self._model(tokens.input_ids.to(self._model.device), output_hidden_states=True)
        pooled = output.text_embeds[0].cpu() if "text_embeds" in output else None
        return EncodedText(output.hidden_states[-2][0].cpu(), pooled)


class Unet:
    """The UNet, frozen but for what is built into its `module`."""

    def __init__(self, model: Any) -> None:
        self._model = model

    @property
    def module(self) -> nn.Module:
        """The network, for LoRA layers to be built into."""
        return self._model

    @property
    def dtype(self) -> torch.dtype:
        """The format that it computes in."""
        return self._model.dtype

    def to(self, device: torch.device) -> Unet:
        """Move it."""
        self._model.to(device)
        return self

    def checkpoint_gradients(self) -> None:
        """Compute activations twice instead of keeping them."""
        self._model.enable_gradient_checkpointing()

    def predict(
        self, noisy: Tensor, timesteps: Tensor, hidden: Tensor, pooled: Tensor, time_ids: Tensor
    ) -> Tensor:
        """The noise in [B, 4, h, w] by timesteps [B], text [B, 77, 2048] and [B, 1280], sizes [B, 6]."""
        conditions = {"text_embeds": pooled, "time_ids": time_ids}
        return self._model(noisy.to(self.dtype), timesteps, hidden, added_cond_kwargs=conditions).sample
