"""What the UNet is told of captions: read once and kept, or as they come where they or the encoders vary."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple, Protocol

import torch

from lora_bridge.chance import layers_draw
from lora_bridge.disk_cache import DiskCache, cache_key
from lora_bridge.model import PARTS
from lora_bridge.progress import check_stop
from lora_bridge.protocol_types import PhaseEvent, Problem, WarningEvent
from lora_bridge.text_encoder import CHUNK, MOST_CHUNKS, PROMPTS, EncodedText, Reading, reading_of
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from torch import Tensor

    from lora_bridge.model import BaseModel
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink
    from lora_bridge.text_encoder import TextEncoder

_AT_ONCE = {"cuda": 64, "cpu": 8}
"""Captions in a batch that is cached."""
_NOTHING = ""
"""What prompts are made longer with."""
_FORMAT = "1"
"""Of what is kept on disk: another one makes what is there unknown."""


class TextEmbedding(NamedTuple):
    """What the UNet is told of a caption, on the CPU."""

    hidden: Tensor
    """[T, 2048]: both encoders' states side by side. T is 77, 152 or 227, the same for all captions of a run;
    a prompt has its own."""
    pooled: Tensor
    """[1280]."""


class KnownTexts(NamedTuple):
    """All texts of a run. The same words are not the same to the UNet as a caption and as a prompt."""

    captions: Sequence[str]
    prompts: Sequence[str]


class Texts(Protocol):
    """What captions and prompts are to the UNet."""

    def embed(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Hidden states [B, T, 2048] and pooled ones [B, 1280], in the compute dtype, on the device."""
        ...

    def embed_prompts(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """The same of prompts of samples. T is what the longest of them needs: 77, 152 or 227."""
        ...

    def learn(self, prompts: Sequence[str]) -> None:
        """Be able to embed these prompts too."""
        ...


class CachedTexts:
    """Texts that are all known: the text encoders are gone, and come back only for a prompt that is new."""

    def __init__(
        self,
        captions: dict[str, TextEmbedding],
        prompts: dict[str, TextEmbedding],
        device: torch.device,
        read: Callable[[Sequence[str]], dict[str, TextEmbedding]],
    ) -> None:
        """`read` embeds prompts that are not among `prompts`."""
        self._captions = captions
        self._prompts = prompts
        self._device = device
        self._read = read

    @torch.no_grad()
    def learn(self, prompts: Sequence[str]) -> None:
        """Raises StopRequested."""
        new = sorted({_NOTHING, *prompts} - self._prompts.keys())
        if new:
            self._prompts |= self._read(new)

    def embed(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        return self._stack([self._captions[caption] for caption in captions])

    def embed_prompts(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        found = [self._prompts[prompt] for prompt in prompts]
        length = max(len(each.hidden) for each in found)
        return self._stack([self._lengthened(each, length) for each in found])

    def _lengthened(self, short: TextEmbedding, length: int) -> TextEmbedding:
        """As it would have been read in more chunks: none of them knows of the others."""
        missing = (length - len(short.hidden)) // CHUNK
        if missing == 0:
            return short
        nothing = self._prompts[_NOTHING].hidden
        hidden = torch.cat([short.hidden[:-1], nothing[1:-1].repeat(missing, 1), nothing[-1:]])
        return TextEmbedding(hidden, short.pooled)

    def _stack(self, found: Sequence[TextEmbedding]) -> tuple[Tensor, Tensor]:
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
        self._warned_of: set[Reading] = set()

    def encoder(self, number: int) -> TextEncoder:
        """The first (0) or the second (1)."""
        return self._encoders[number]

    def learn(self, prompts: Sequence[str]) -> None:
        """The encoders are here: there is nothing to do."""

    def embed(self, captions: Sequence[str]) -> tuple[Tensor, Tensor]:
        """As `Texts`; gradients flow where they are on and something in the encoders wants them."""
        return self._embed(captions, self._reading)

    def embed_prompts(self, prompts: Sequence[str]) -> tuple[Tensor, Tensor]:
        return self._embed(prompts, PROMPTS)

    def _embed(self, texts: Sequence[str], reading: Reading) -> tuple[Tensor, Tensor]:
        first, second = (encoder.tokens(texts, reading) for encoder in self._encoders)
        if any(first.cut) and reading not in self._warned_of:
            self._warned_of.add(reading)
            cut = [text for text, is_cut in zip(texts, first.cut, strict=True) if is_cut]
            self._sink.emit(WarningEvent(problem=_cut_texts(cut, reading)))
        return join_encoders(self._encoders[0].encode(first), self._encoders[1].encode(second))


def join_encoders(one: EncodedText, two: EncodedText) -> tuple[Tensor, Tensor]:
    """Hidden states [B, T, 2048] and pooled ones [B, 1280] from both encoders' parts."""
    assert two.pooled is not None, "the second text encoder has a projection"
    return torch.cat([one.hidden, two.hidden], dim=-1), two.pooled


def prepare_texts(  # noqa: PLR0917 - each is of its own type
    base: BaseModel,
    config: TrainConfig,
    texts: KnownTexts | None,
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
    reader = _Reader(base, device, dtype, sink)

    def read(wanted: Sequence[_Wanted]) -> dict[_Wanted, TextEmbedding]:
        found = reader.recall(wanted) if config.cache_text_encoder_outputs_to_disk else reader.read(wanted)
        for each, alike in groupby(wanted, lambda one: one.reading):
            cut = [one.text for one in alike if found[one].is_cut]
            if cut:
                sink.emit(WarningEvent(problem=_cut_texts(cut, each)))
        return {one: known.embedding for one, known in found.items()}

    def read_prompts(prompts: Sequence[str]) -> dict[str, TextEmbedding]:
        return {one.text: known for one, known in read([_Wanted(text, PROMPTS) for text in prompts]).items()}

    captions = [_Wanted(text, reading) for text in texts.captions]
    # Without prompts nothing needs to be made longer.
    prompts = sorted({_NOTHING, *texts.prompts}) if texts.prompts else []
    found = read([*captions, *(_Wanted(text, PROMPTS) for text in prompts)])
    return CachedTexts(
        {one.text: found[one] for one in captions},
        {text: found[_Wanted(text, PROMPTS)] for text in prompts},
        device,
        read_prompts,
    )


class _Wanted(NamedTuple):
    """A text to be read, and how."""

    text: str
    reading: Reading


class _Read(NamedTuple):
    embedding: TextEmbedding
    is_cut: bool
    """Whether the text's end was not read."""


class _Reader:
    """Reads texts with one encoder after the other."""

    def __init__(self, base: BaseModel, device: torch.device, dtype: torch.dtype, sink: Sink) -> None:
        self._base = base
        self._device = device
        self._dtype = dtype
        self._sink = sink

    def read(self, wanted: Sequence[_Wanted]) -> dict[_Wanted, _Read]:
        """Read them now. Raises StopRequested between two batches."""
        if not wanted:
            return {}
        total = 2 * len(wanted)
        first, cut = self._encode(0, wanted, total)
        second, _ = self._encode(1, wanted, total)
        joined = (join_encoders(one, two) for one, two in zip(first, second, strict=True))
        rows = (row for hidden, pooled in joined for row in zip(hidden, pooled, strict=True))
        return {
            one: _Read(TextEmbedding(*row), is_cut)
            for one, row, is_cut in zip(wanted, rows, cut, strict=True)
        }

    def recall(self, wanted: Sequence[_Wanted]) -> dict[_Wanted, _Read]:
        """Those that are on disk from there, the others read now and put there."""
        keys = dict(zip(wanted, self._keys(wanted), strict=True))
        with DiskCache("texts", self._sink) as cache:
            kept = {one: cache.read(key) for one, key in keys.items()}
            known = {
                one: _Read(TextEmbedding(each["hidden"], each["pooled"]), bool(each["is_cut"]))
                for one, each in kept.items()
                if each is not None
            }
            new = self.read([one for one in wanted if one not in known])
            for one, (embedding, is_cut) in new.items():
                cache.write(keys[one], {**embedding._asdict(), "is_cut": torch.tensor(is_cut)})
        return known | new

    def _encode(
        self, number: int, wanted: Sequence[_Wanted], total: int
    ) -> tuple[list[EncodedText], list[bool]]:
        """What an encoder makes of batches of texts, on the CPU, and which texts it has cut."""
        encoder = self._base.text_encoder(number, self._dtype).to(self._device)
        encoded: list[EncodedText] = []
        cut: list[bool] = []
        for reading, texts in self._batches(wanted):
            check_stop(self._sink)
            tokens = encoder.tokens(texts, reading)
            hidden, pooled = encoder.encode(tokens)
            encoded.append(EncodedText(hidden.cpu(), None if pooled is None else pooled.cpu()))
            cut += tokens.cut
            done = number * len(wanted) + len(cut)
            self._sink.emit(PhaseEvent(phase="caching_captions", done=done, total=total))
        return encoded, cut

    def _batches(self, wanted: Iterable[_Wanted]) -> Iterator[tuple[Reading, list[str]]]:
        """Texts that are read alike; each alone where it is to be as long as it needs."""
        size = _AT_ONCE.get(self._device.type, _AT_ONCE["cpu"])
        for reading, group in groupby(wanted, lambda one: one.reading):
            texts = [one.text for one in group]
            step = 1 if reading.as_needed else size
            for start in range(0, len(texts), step):
                yield reading, texts[start : start + step]

    def _keys(self, wanted: Iterable[_Wanted]) -> list[str]:
        """Names for all that the embeddings depend on."""
        encoders = (self._base.identity("text_encoder_1"), self._base.identity("text_encoder_2"))
        dtype = str(self._dtype)
        return [cache_key(_FORMAT, *encoders, dtype, str(one.reading), one.text) for one in wanted]


def _cut_texts(texts: Sequence[str], reading: Reading) -> Problem:
    shorten = "Put what matters first, or shorten them."
    longer = "Raise Max Token Length, put what matters first, or shorten them."
    return Problem(
        code="caption_cut",
        message=f"The model sees the first {reading.most_tokens} tokens of a caption or prompt, not the end "
        f"of {listed([f'“{text[:40]}…”' for text in texts])}.",
        hint=shorten if reading.chunks == MOST_CHUNKS else longer,
    )
