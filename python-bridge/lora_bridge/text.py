"""Text embeddings of all captions, computed once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch

from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import PhaseEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lora_bridge.sink import Sink
    from lora_bridge.text_encoder import EncodedText, TextEncoder


class TextEmbedding(NamedTuple):
    """What the UNet is told of a caption, on the CPU."""

    hidden: Tensor
    """[77, 2048]: both encoders' states side by side."""
    pooled: Tensor
    """[1280]."""


def encode_texts(
    encoder: TextEncoder, captions: Sequence[str], sink: Sink, done: int, total: int
) -> list[EncodedText]:
    """Run a text encoder over captions, reporting progress from `done` on. Raises StopRequested."""
    encoded: list[EncodedText] = []
    for count, caption in enumerate(captions, start=1):
        check_stop(sink)
        encoded.append(encoder.encode(caption))
        sink.emit(PhaseEvent(phase="caching_captions", done=done + count, total=total))
    return encoded


def join_encoders(
    captions: Sequence[str], first: Sequence[EncodedText], second: Sequence[EncodedText]
) -> dict[str, TextEmbedding]:
    """The embeddings by caption from both encoders' parts."""
    joined: dict[str, TextEmbedding] = {}
    for caption, one, two in zip(captions, first, second, strict=True):
        assert two.pooled is not None, "the second text encoder has a projection"
        joined[caption] = TextEmbedding(torch.cat([one.hidden, two.hidden], dim=-1), two.pooled)
    return joined
