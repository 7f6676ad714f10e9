"""Text embeddings of all captions, computed once (SDXL's two text encoders, 75 tokens)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor

from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import PhaseEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lora_bridge.model import TextEncoder
    from lora_bridge.sink import Sink

TOKENS = 77
"""With the beginning and the end."""


class TextEmbedding(NamedTuple):
    """What the UNet is told of a caption, on the CPU."""

    hidden: Tensor
    """[77, 2048]: the last but one layer of both encoders, side by side, without a final norm."""
    pooled: Tensor
    """[1280]: the second encoder's summary at the first end of text."""


class EncodedTexts(NamedTuple):
    """One encoder's part of the embeddings, in the order of the captions."""

    hidden: list[Tensor]
    pooled: list[Tensor]
    """Empty for the first encoder, which has no projection."""


@torch.no_grad()
def encode_texts(
    encoder: TextEncoder, captions: Sequence[str], sink: Sink, done: int, total: int
) -> EncodedTexts:
    """Run one text encoder over captions; reports progress from `done` on. Raises StopRequested between two."""
    encoded = EncodedTexts([], [])
    for count, caption in enumerate(captions, start=1):
        check_stop(sink)
        tokens = encoder.tokenizer(
            caption, padding="max_length", max_length=TOKENS, truncation=True, return_tensors="pt"
        )
        output = cast("Any", encoder.model)(
            tokens.input_ids.to(encoder.model.device), output_hidden_states=True
        )
        encoded.hidden.append(output.hidden_states[-2][0].cpu())
        if "text_embeds" in output:
            encoded.pooled.append(output.text_embeds[0].cpu())
        sink.emit(PhaseEvent(phase="caching_captions", done=done + count, total=total))
    return encoded


def join_embeddings(
    captions: Sequence[str], first: EncodedTexts, second: EncodedTexts
) -> dict[str, TextEmbedding]:
    """The embeddings by caption from both encoders' parts."""
    hidden = (torch.cat(pair, dim=-1) for pair in zip(first.hidden, second.hidden, strict=True))
    return {
        caption: TextEmbedding(states, pooled)
        for caption, states, pooled in zip(captions, hidden, second.pooled, strict=True)
    }


def too_long(encoder: TextEncoder, captions: Sequence[str]) -> list[str]:
    """The captions of which the model does not see the end."""
    return [caption for caption in captions if len(encoder.tokenizer(caption).input_ids) > TOKENS]
