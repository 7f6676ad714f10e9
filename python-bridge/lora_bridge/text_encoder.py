"""SDXL's text encoders as the training uses them: where transformers, largely untyped, is called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from transformers.modeling_layers import GradientCheckpointingLayer

from lora_bridge.weighted_text import WeightedPiece, weigh

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from lora_bridge.protocol_types import TrainConfig

CHUNK = 75
"""Tokens of a caption that a text encoder sees at once, between the beginning and the end of a text."""

MOST_CHUNKS = 3
"""That a caption or prompt may be read in."""


class Reading(NamedTuple):
    """How texts are read: all captions of a run in one way, all prompts in another."""

    chunks: int
    """How many times 75 tokens."""
    weighted: bool
    """Whether brackets give weights. Else they are text."""
    as_needed: bool = False
    """Whether no more chunks are made than the longest of the texts at hand needs."""

    @property
    def most_tokens(self) -> int:
        """Of a caption; what comes after them is not seen."""
        return self.chunks * CHUNK


def reading_of(config: TrainConfig) -> Reading:
    """How a config has captions read."""
    return Reading(int(config.max_token_length) // CHUNK, config.weighted_captions)


PROMPTS = Reading(MOST_CHUNKS, weighted=True, as_needed=True)
"""How prompts of samples are read, whatever is said of captions: weighted and long, as when sd-scripts draws.

It keeps the marks between chunks and the mean of the states then; here both are as in the training.
"""


class Tokens(NamedTuple):
    """B captions as a text encoder's words, on the CPU."""

    input_ids: Tensor
    """[B * chunks, 77]."""
    weights: Tensor | None
    """[B, 75 * chunks + 2], fp32. None where all are 1."""
    cut: list[bool]
    """For each caption, whether its end is not there."""


class _Token(NamedTuple):
    id: int
    weight: float


class EncodedText(NamedTuple):
    """What one text encoder makes of B captions."""

    hidden: Tensor
    """[B, 75 * chunks + 2, width]: the last but one layer, without a final norm."""
    pooled: Tensor | None
    """[B, width]: the projected state at the first end of text, from the second encoder only."""


class TextEncoder:
    """A text encoder with its tokenizer, frozen but for what is built into its `module`."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer = tokenizer
        self._model = model

    @property
    def module(self) -> nn.Module:
        """The network, for LoRA layers to be built into."""
        return self._model

    def to(self, device: torch.device) -> TextEncoder:
        """Move it."""
        self._model.to(device)
        return self

    def checkpoint_gradients(self, *, draws: bool = False) -> None:
        """Compute activations twice instead of keeping them.

        `draws`: layers built into it leave something out by chance.
        """
        self._model.activation_checkpointing_enable({"use_reentrant": False, "preserve_rng_state": draws})
        # It asks for gradients of the words too, for the older way of checkpointing: a long way for nothing.
        self._model.disable_input_require_grads()
        for module in self._model.modules():
            if isinstance(module, GradientCheckpointingLayer):
                # It alone is asked whether it trains: its parts stay as they are, without dropout.
                module.training = True

    def tokens(self, captions: Sequence[str], reading: Reading) -> Tokens:
        """Cut captions into chunks of 75 tokens, each with a beginning and an end, padded as the encoder was
        trained."""
        weighed = [self._weighed_ids(caption, reading) for caption in captions]
        seen_tokens = reading.most_tokens
        if reading.as_needed:
            longest = max(1, *map(len, weighed))
            seen_tokens = min(seen_tokens, -(-longest // CHUNK) * CHUNK)
        rows = [
            self._row(caption[first : first + CHUNK])
            for caption in weighed
            for first in range(0, seen_tokens, CHUNK)
        ]
        weights = torch.ones(len(captions), seen_tokens + 2) if reading.weighted else None
        if weights is not None:
            for row, caption in zip(weights, weighed, strict=True):
                seen = [each.weight for each in caption[:seen_tokens]]
                row[1 : 1 + len(seen)] = torch.tensor(seen)
        cut = [len(caption) > reading.most_tokens for caption in weighed]
        return Tokens(torch.tensor(rows), weights, cut)

    def encode(self, tokens: Tokens) -> EncodedText:
        """Encode captions on the encoder's device; gradients flow where they are on.

        The chunks' states are put side by side behind the first beginning and before the last end, as
        sd-scripts does; weights multiply them and nothing else.
        """
        output = self._model(tokens.input_ids.to(self._model.device), output_hidden_states=True)
        states = output.hidden_states[-2].unflatten(0, (len(tokens.cut), -1))
        hidden = torch.cat([states[:, 0, :1], states[:, :, 1:-1].flatten(1, 2), states[:, -1, -1:]], dim=1)
        if tokens.weights is not None:
            weights = tokens.weights.to(hidden.device)
            hidden = (hidden * weights.unsqueeze(-1)).to(hidden.dtype)
        chunks = states.shape[1]
        pooled = output.text_embeds[::chunks] if "text_embeds" in output else None
        return EncodedText(hidden, pooled)

    def _weighed_ids(self, caption: str, reading: Reading) -> list[_Token]:
        pieces = weigh(caption) if reading.weighted else [WeightedPiece(caption, 1.0)]
        if not pieces:
            return []
        # Else "!", with which the second tokenizer pads, would be read as padding: SDXL learnt it as a word.
        literally = {"add_special_tokens": False, "split_special_tokens": True, "verbose": False}
        ids: list[list[int]] = self._tokenizer([piece.text for piece in pieces], **literally).input_ids
        return [
            _Token(token, piece.weight) for piece, found in zip(pieces, ids, strict=True) for token in found
        ]

    def _row(self, chunk: Sequence[_Token]) -> list[int]:
        padding = [self._tokenizer.pad_token_id] * (CHUNK - len(chunk))
        ids = [token.id for token in chunk]
        return [self._tokenizer.bos_token_id, *ids, self._tokenizer.eos_token_id, *padding]
