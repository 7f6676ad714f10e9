"""What the UNet is told of captions: read once and kept, or as they come where they or the encoders vary."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from lora_bridge.chance import layers_draw
from lora_bridge.disk_cache import DiskCache, cache_key
from lora_bridge.model import PARTS
from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import PhaseEvent, Problem, WarningEvent
from lora_bridge.text_encoder import MOST_CHUNKS, EncodedText, reading_of
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from lora_bridge.model import BaseModel
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink
    from lora_bridge.text_encoder import Reading, TextEncoder

_AT_ONCE = {"cuda": 64, "cpu": 8}
"""Captions in a batch that is cached."""
_FORMAT = "1"
"""Of what is kept on disk: another one makes what is there unknown."""


class TextEmbedding(NamedTuple):
    """What the UNet is told of a caption, on the CPU."""

    hidden: Tensor
    """[T, 2048]: both encoders' states side by side. T is 77, 152 or 227, the same for all of a run."""
    pooled: Tensor
    """[1280]."""


class Texts(Protocol):
    """What captions and prompts are to the UNet."""

    def embed(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Hidden states [B, T, 2048] and pooled ones [B, 1280], in the compute dtype, on the device."""
        ...

    def learn(self, texts: Sequence[str]) -> None:
        """Be able to embed these too."""
        ...


class CachedTexts:
    """Texts that are all known: the text encoders are gone, and come back only for a text that is new."""

    def __init__(
        self,
        embeddings: dict[str, TextEmbedding],
        device: torch.device,
        read: Callable[[Sequence[str]], dict[str, TextEmbedding]],
    ) -> None:
        self._embeddings = embeddings
        self._device = device
        self._read = read

    @torch.no_grad()
    def learn(self, texts: Sequence[str]) -> None:
        """Raises StopRequested."""
        new = sorted({text for text in texts if text not in self._embeddings})
        if new:
            self._embeddings |= self._read(new)

    def embed(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        found = [self._embeddings[text] for text in texts]
        hidden = torch.stack([each.hidden for each in found])
        pooled = torch.stack([each.pooled for each in found])
        return self._move(hidden), self._move(pooled)

    def _move(self, tensor: Tensor) -> Tensor:
        if self._device.type == "cuda":
            return tensor.pin_memory().to(self._device, non_blocking=True)
        return tensor


class LiveTexts:
    """Both text encoders on the device, so that texts may be new and the encoders may learn."""

    def __init__(self, encoders: tuple[TextEncoder, TextEncoder], reading: Reading, sink: Sink) -> None:
        self._encoders = encoders
        self._reading = reading
        self._sink = sink
        self._has_warned = False

    def encoder(self, number: int) -> TextEncoder:
        """The first (0) or the second (1)."""
        return self._encoders[number]

    def learn(self, texts: Sequence[str]) -> None:
        """The encoders are here: there is nothing to do."""

    def embed(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """As `Texts`; gradients flow where they are on and something in the encoders wants them."""
        first, second = (encoder.tokens(texts, self._reading) for encoder in self._encoders)
        if any(first.cut) and not self._has_warned:
            self._has_warned = True
            cut = [text for text, is_cut in zip(texts, first.cut, strict=True) if is_cut]
            self._sink.emit(WarningEvent(problem=_cut_texts(cut, self._reading)))
        return join_encoders(self._encoders[0].encode(first), self._encoders[1].encode(second))


def join_encoders(one: EncodedText, two: EncodedText) -> tuple[Tensor, Tensor]:
    """Hidden states [B, T, 2048] and pooled ones [B, 1280] from both encoders' parts."""
    assert two.pooled is not None, "the second text encoder has a projection"
    return torch.cat([one.hidden, two.hidden], dim=-1), two.pooled


def prepare_texts(  # noqa: PLR0917 - each is of its own type
    base: BaseModel,
    config: TrainConfig,
    texts: Sequence[str] | None,
    device: torch.device,
    dtype: torch.dtype,
    sink: Sink,
) -> Texts:
    """Embed texts, each encoder gone before the next is loaded; without a list of them keep both encoders.

    On disk is kept what the config says. Raises StopRequested.
    """
    sink.emit(PhaseEvent(phase="loading_model", done=1, total=PARTS))
    reading = reading_of(config)
    if texts is None:
        encoders = (base.text_encoder(0, dtype).to(device), base.text_encoder(1, dtype).to(device))
        if config.gradient_checkpointing:
            for encoder in encoders:
                encoder.checkpoint_gradients(draws=layers_draw(config))
        return LiveTexts(encoders, reading, sink)
    reader = _Reader(base, reading, device, dtype, sink)

    def read(wanted: Sequence[str]) -> dict[str, TextEmbedding]:
        found = reader.recall(wanted) if config.cache_text_encoder_outputs_to_disk else reader.read(wanted)
        cut = [text for text in wanted if found[text].is_cut]
        if cut:
            sink.emit(WarningEvent(problem=_cut_texts(cut, reading)))
        return {text: each.embedding for text, each in found.items()}

    return CachedTexts(read(texts), device, read)


class _Read(NamedTuple):
    embedding: TextEmbedding
    is_cut: bool
    """Whether the text's end was not read."""


class _Reader:
    """Reads texts with one encoder after the other."""

    def __init__(
        self, base: BaseModel, reading: Reading, device: torch.device, dtype: torch.dtype, sink: Sink
    ) -> None:
        self._base = base
        self._reading = reading
        self._device = device
        self._dtype = dtype
        self._sink = sink

    def read(self, texts: Sequence[str]) -> dict[str, _Read]:
        """Read them now. Raises StopRequested between two batches."""
        if not texts:
            return {}
        total = 2 * len(texts)
        first, cut = self._encode(0, texts, total)
        second, _ = self._encode(1, texts, total)
        joined = (join_encoders(one, two) for one, two in zip(first, second, strict=True))
        rows = (row for hidden, pooled in joined for row in zip(hidden, pooled, strict=True))
        return {
            text: _Read(TextEmbedding(*row), is_cut)
            for text, row, is_cut in zip(texts, rows, cut, strict=True)
        }

    def recall(self, texts: Sequence[str]) -> dict[str, _Read]:
        """Those that are on disk from there, the others read now and put there."""
        keys = dict(zip(texts, self._keys(texts), strict=True))
        with DiskCache("texts", self._sink) as cache:
            kept = {text: cache.read(key) for text, key in keys.items()}
            known = {
                text: _Read(TextEmbedding(each["hidden"], each["pooled"]), bool(each["is_cut"]))
                for text, each in kept.items()
                if each is not None
            }
            new = self.read([text for text in texts if text not in known])
            for text, (embedding, is_cut) in new.items():
                cache.write(keys[text], {**embedding._asdict(), "is_cut": torch.tensor(is_cut)})
        return known | new

    def _encode(self, number: int, texts: Sequence[str], total: int) -> tuple[list[EncodedText], list[bool]]:
        """What an encoder makes of batches of texts, on the CPU, and which texts it has cut."""
        encoder = self._base.text_encoder(number, self._dtype).to(self._device)
        size = _AT_ONCE.get(self._device.type, _AT_ONCE["cpu"])
        encoded: list[EncodedText] = []
        cut: list[bool] = []
        for start in range(0, len(texts), size):
            check_stop(self._sink)
            tokens = encoder.tokens(texts[start : start + size], self._reading)
            hidden, pooled = encoder.encode(tokens)
            encoded.append(EncodedText(hidden.cpu(), None if pooled is None else pooled.cpu()))
            cut += tokens.cut
            done = number * len(texts) + len(cut)
            self._sink.emit(PhaseEvent(phase="caching_captions", done=done, total=total))
        return encoded, cut

    def _keys(self, texts: Sequence[str]) -> list[str]:
        """Names for all that the embeddings depend on."""
        encoders = (self._base.identity("text_encoder_1"), self._base.identity("text_encoder_2"))
        return [cache_key(_FORMAT, *encoders, str(self._dtype), str(self._reading), text) for text in texts]


def _cut_texts(texts: Sequence[str], reading: Reading) -> Problem:
    shorten = "Put what matters first, or shorten them."
    longer = "Raise Max Token Length, put what matters first, or shorten them."
    return Problem(
        code="caption_cut",
        message=f"The model sees the first {reading.most_tokens} tokens of a caption or prompt, not the end "
        f"of {listed([f'“{text[:40]}…”' for text in texts])}.",
        hint=shorten if reading.chunks == MOST_CHUNKS else longer,
    )
