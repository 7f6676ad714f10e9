"""SDXL's text encoders as the training uses them: where transformers, largely untyped, is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

if TYPE_CHECKING:
    from torch import Tensor

TOKENS = 77
"""That a text encoder sees, with the beginning and the end of the text."""


class EncodedText(NamedTuple):
    """What one text encoder makes of a caption, on the CPU."""

    hidden: Tensor
    """[77, width]: the last but one layer, without a final norm."""
    pooled: Tensor | None
    """[width]: the projected state at the first end of text, from the second encoder only."""


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
