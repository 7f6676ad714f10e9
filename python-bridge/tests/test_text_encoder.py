"""What a text encoder makes of captions, against transformers called by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.models.clip.modeling_clip import CLIPAttention

from lora_bridge.model import DiffusersModel
from lora_bridge.text_encoder import EncodedText, Reading, TextEncoder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

BEGIN, END = 49406, 49407
PADS = (END, 0)
LENGTHS = (0, 1, 74, 75, 76, 149, 150, 151, 224, 225, 226, 400)


@pytest.fixture(scope="module", params=[0, 1], ids=["first", "second"])
def number(request: pytest.FixtureRequest) -> int:
    return request.param


@pytest.fixture(scope="module")
def encoder(tiny_sdxl: Path, number: int) -> TextEncoder:
    return DiffusersModel(str(tiny_sdxl), local=True).text_encoder(number, torch.float32)


@pytest.fixture(scope="module")
def plain_model(tiny_sdxl: Path, number: int) -> Any:
    """The same network, with nothing of ours around it."""
    kind: Any = CLIPTextModelWithProjection if number else CLIPTextModel
    folder = tiny_sdxl / ("text_encoder_2" if number else "text_encoder")
    return kind.from_pretrained(folder, dtype=torch.float32).eval()


@torch.no_grad()
def by_hand(model: Any, number: int, words: Sequence[int], chunks: int) -> tuple[Tensor, Tensor | None]:
    """sd-scripts' way: chunks of 75, each encoded by itself, put together without the marks between them."""
    states: list[Tensor] = []
    pooled: Tensor | None = None
    for chunk in range(chunks):
        part = list(words[75 * chunk : 75 * (chunk + 1)])
        row = [BEGIN, *part, END, *[PADS[number]] * (75 - len(part))]
        output = model(torch.tensor([row]), output_hidden_states=True)
        states.append(output.hidden_states[-2][0])
        if number and chunk == 0:
            last = output.last_hidden_state[0, row.index(END)]
            pooled = last @ model.text_projection.weight.T
    inner = [state[1:76] for state in states]
    return torch.cat([states[0][:1], *inner, states[-1][76:]]), pooled


def encode(
    encoder: TextEncoder, captions: Sequence[str], chunks: int, *, weighted: bool = False
) -> EncodedText:
    with torch.no_grad():
        return encoder.encode(encoder.tokens(captions, Reading(chunks, weighted)))


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_captions_of_any_length_are_encoded_in_chunks(
    encoder: TextEncoder, plain_model: Any, number: int, chunks: int
) -> None:
    # "cat " is one token; "dog " another, so that no place looks like its neighbours.
    captions = [("cat dog dog " * length)[: 4 * length] for length in LENGTHS]
    ours = encode(encoder, captions, chunks)
    assert ours.hidden.shape[:2] == (len(captions), 75 * chunks + 2)
    for index, length in enumerate(LENGTHS):
        words = ([2368, 1929, 1929] * length)[:length]
        hidden, pooled = by_hand(plain_model, number, words, chunks)
        torch.testing.assert_close(ours.hidden[index], hidden)
        assert (ours.pooled is None) == (pooled is None)
        if ours.pooled is not None:
            torch.testing.assert_close(ours.pooled[index], pooled)


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("", []),
        (" \n\t ", []),
        ("Cat\nDOG", [2368, 1929]),
        ("cat 😀 dog", [2368, 7334, 1929]),
        # SDXL's second encoder pads with "!", and has learnt it as a word (256) as well.
        ("cat! !", [2368, 256, 256]),
        ("!# cat", [9670, 2368]),
        ("(cat:1.5) dog", [263, 2368, 281, 272, 269, 276, 264, 1929]),
    ],
)
def test_captions_are_taken_literally(
    encoder: TextEncoder, plain_model: Any, number: int, caption: str, words: list[int]
) -> None:
    hidden, _ = by_hand(plain_model, number, words, 1)
    torch.testing.assert_close(encode(encoder, [caption], 1).hidden[0], hidden)


def test_marks_of_clip_in_a_caption_are_text(encoder: TextEncoder) -> None:
    tokens = encoder.tokens(["<|endoftext|> cat"], Reading(1, weighted=False))
    assert not (tokens.input_ids[0, :5] == END).any()


def test_the_chunks_are_those_of_clips_own_tokenizer(
    tiny_sdxl: Path, encoder: TextEncoder, number: int
) -> None:
    folder = tiny_sdxl / ("tokenizer_2" if number else "tokenizer")
    tokenizer = cast("Any", CLIPTokenizer).from_pretrained(folder, local_files_only=True)
    text = "a photo of ohwx person, 日本 café " * 6
    for caption in (text, text[:40]):
        padded = tokenizer(caption, padding="max_length", max_length=77, truncation=True).input_ids
        tokens = encoder.tokens([caption], Reading(1, weighted=False))
        assert torch.equal(tokens.input_ids, torch.tensor([padded]))


@pytest.mark.parametrize("chunks", [1, 2, 3])
def test_weights_multiply_the_states_of_their_words(encoder: TextEncoder, chunks: int) -> None:
    words = "cat " * 80
    plain = encode(encoder, [words + "dog cat", "cat", ""], chunks)
    weighed = encode(encoder, [words + "(dog:1.5) cat", "[cat]", ""], chunks, weighted=True)
    expected = plain.hidden.clone()
    if chunks > 1:
        expected[0, 81] *= 1.5
    expected[1, 1] /= 1.1
    torch.testing.assert_close(weighed.hidden, expected)
    torch.testing.assert_close(weighed.pooled, plain.pooled, rtol=0, atol=0)


def test_without_weights_a_caption_reads_the_same(encoder: TextEncoder) -> None:
    captions = ["cat, dog", r"cat \(dog\) 12:30", "cat " * 200]
    literal = ["cat, dog", "cat (dog) 12:30", "cat " * 200]
    weighed = encode(encoder, captions, 2, weighted=True)
    torch.testing.assert_close(weighed.hidden, encode(encoder, literal, 2).hidden, rtol=0, atol=0)


def test_what_is_cut_is_known(encoder: TextEncoder) -> None:
    for chunks in (1, 2, 3):
        captions = ["cat " * 75 * chunks, "cat " * (75 * chunks + 1), "x," * 5000, ""]
        for weighted in (False, True):
            tokens = encoder.tokens(captions, Reading(chunks, weighted))
            assert tokens.cut == [False, True, True, False]


def test_half_precision_stays_half(tiny_sdxl: Path, number: int) -> None:
    encoder = DiffusersModel(str(tiny_sdxl), local=True).text_encoder(number, torch.bfloat16)
    encoded = encode(encoder, ["(cat:1.3)"], 2, weighted=True)
    assert encoded.hidden.dtype == torch.bfloat16
    assert encoded.pooled is None or encoded.pooled.dtype == torch.bfloat16


def gradients(encoder: TextEncoder, caption: str) -> tuple[dict[str, Tensor], int]:
    """Of a made-up loss, by parameter, and how many numbers were kept for the way back."""
    module = encoder.module.requires_grad_()
    module.zero_grad()
    kept: list[int] = []

    def note(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(note, lambda tensor: tensor):
        hidden, pooled = encoder.encode(encoder.tokens([caption, "dog"], Reading(2, weighted=False)))
        loss = hidden.square().sum() + (0 if pooled is None else pooled.square().sum())
    torch.autograd.backward(loss)
    found = {name: each.grad for name, each in module.named_parameters() if each.grad is not None}
    return found, sum(kept)


def test_gradient_checkpointing_changes_nothing_but_memory(
    tiny_sdxl: Path, number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    plain, most = gradients(base.text_encoder(number, torch.float32), "cat " * 90)
    encoder = base.text_encoder(number, torch.float32)
    attentions = [each for each in encoder.module.modules() if isinstance(each, CLIPAttention)]
    assert attentions
    for attention in attentions:
        monkeypatch.setattr(attention, "dropout", 0.5)
    encoder.checkpoint_gradients()
    checkpointed, least = gradients(encoder, "cat " * 90)
    assert len(plain) > 30
    torch.testing.assert_close(checkpointed, plain)
    assert least < most / 2
