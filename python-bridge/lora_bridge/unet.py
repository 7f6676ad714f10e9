"""SDXL's UNet as the training uses it: where diffusers, largely untyped, is called."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Literal

from lora_bridge.checkpointing import checkpoint_selectively, checkpoint_whole

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn


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

    def checkpoint_gradients(self, method: Literal["full", "selective"], *, draws: bool = False) -> None:
        """Compute activations twice instead of keeping them: all within a block, or the cheap ones.

        `draws`: layers built into it leave something out by chance.
        """
        checkpoint = checkpoint_whole if method == "full" else checkpoint_selectively
        self._model.enable_gradient_checkpointing(partial(checkpoint, draws=draws))

    def predict(
        self, noisy: Tensor, timesteps: Tensor, hidden: Tensor, pooled: Tensor, time_ids: Tensor
    ) -> Tensor:
        """The noise in [B, 4, h, w] by timesteps [B], text [B, 77, 2048] and [B, 1280], sizes [B, 6]."""
        conditions = {"text_embeds": pooled, "time_ids": time_ids}
        return self._model(noisy.to(self.dtype), timesteps, hidden, added_cond_kwargs=conditions).sample
