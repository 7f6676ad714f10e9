"""Texts of a run: read once, kept on disk, or read as they come."""

from __future__ import annotations

import weakref
from typing import TYPE_CHECKING, Any

import pytest
import torch
from training_support import ListSink, make_config, warnings_of

from lora_bridge.model import PARTS, BaseModel, DiffusersModel
from lora_bridge.progress import StopRequested
from lora_bridge.protocol_types import PhaseEvent, WarningEvent
from lora_bridge.text import CachedTexts, KnownTexts, LiveTexts, TextEmbedding, prepare_texts

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.text import Texts
    from lora_bridge.text_encoder import TextEncoder
    from lora_bridge.unet import Unet
    from lora_bridge.vae import Vae

CPU = torch.device("cpu")
CAPTIONS = ["", "a (cat:1.5) 😀\n and a dog", "ohwx person", "word " * 100, "x," * 5000]
MANY = [f"picture {number}" for number in range(20)]


class Watched(BaseModel):
    """Counts what is loaded, and sees whether what was loaded before is gone."""

    def __init__(self, folder: Path, name: str = "") -> None:
        self._base = DiffusersModel(str(folder), local=True)
        self._name = name
        self.loaded: list[int] = []
        self.at_once = 0
        self._alive: weakref.WeakSet[TextEncoder] = weakref.WeakSet()

    def text_encoder(self, number: int, dtype: torch.dtype) -> TextEncoder:
        encoder = self._base.text_encoder(number, dtype)
        self.loaded.append(number)
        self._alive.add(encoder)
        self.at_once = max(self.at_once, len(self._alive))
        return encoder

    def identity(self, part: str) -> str:
        return self._name + part

    def vae(self) -> Vae:
        raise AssertionError

    def unet(self, dtype: torch.dtype) -> Unet:
        raise AssertionError(dtype)


@pytest.fixture
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


def prepare(
    base: BaseModel,
    folder: Path,
    texts: Sequence[str] | None,
    sink: ListSink | None = None,
    dtype: torch.dtype = torch.float32,
    **changes: Any,
) -> Texts:
    known = None if texts is None else KnownTexts(texts, ())
    return prepare_texts(base, make_config(folder, **changes), known, CPU, dtype, sink or ListSink())


def on_disk(base: BaseModel, folder: Path, texts: Sequence[str], **changes: Any) -> Texts:
    return prepare(base, folder, texts, cache_text_encoder_outputs_to_disk=True, **changes)


def assert_alike(one: tuple[Tensor, Tensor], two: tuple[Tensor, Tensor]) -> None:
    torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("length", "tokens"), [("75", 77), ("150", 152), ("225", 227)])
@pytest.mark.parametrize("weighted", [False, True])
def test_texts_are_the_same_cached_and_live(
    tiny_sdxl: Path, tmp_path: Path, length: str, tokens: int, *, weighted: bool
) -> None:
    changes: dict[str, Any] = {"max_token_length": length, "weighted_captions": weighted}
    base = DiffusersModel(str(tiny_sdxl), local=True)
    cached = prepare(base, tmp_path, CAPTIONS, **changes)
    live = prepare(base, tmp_path, None, **changes)
    assert isinstance(cached, CachedTexts)
    assert isinstance(live, LiveTexts)
    hidden, pooled = cached.embed(CAPTIONS)
    assert (hidden.shape, pooled.shape) == ((len(CAPTIONS), tokens, 72), (len(CAPTIONS), 40))
    with torch.no_grad():
        assert_alike(live.embed(CAPTIONS), (hidden, pooled))
        assert_alike(live.embed(CAPTIONS[1:2]), (hidden[1:2], pooled[1:2]))
    assert_alike(cached.embed([CAPTIONS[2], CAPTIONS[0]]), (hidden[[2, 0]], pooled[[2, 0]]))


def test_weights_and_length_come_from_the_config(tiny_sdxl: Path, tmp_path: Path) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    plain, _ = prepare(base, tmp_path, CAPTIONS).embed(CAPTIONS[1:2])
    weighted, _ = prepare(base, tmp_path, CAPTIONS, weighted_captions=True).embed(CAPTIONS[1:2])
    assert (plain - weighted).abs().max() > 0.1


@pytest.mark.parametrize("texts", [MANY, None])
def test_texts_are_in_the_compute_dtype(tiny_sdxl: Path, tmp_path: Path, texts: list[str] | None) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    embedded = prepare(base, tmp_path, texts, dtype=torch.bfloat16, weighted_captions=True).embed(MANY[:2])
    assert {each.dtype for each in embedded} == {torch.bfloat16}


def test_no_two_encoders_are_there_at_once(tiny_sdxl: Path, tmp_path: Path) -> None:
    base = Watched(tiny_sdxl)
    prepare(base, tmp_path, MANY)
    assert base.loaded == [0, 1]
    assert base.at_once == 1


def test_each_of_many_texts_has_its_own_embedding(tiny_sdxl: Path, tmp_path: Path) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    together = prepare(base, tmp_path, MANY).embed(MANY)
    for index, text in enumerate(MANY):
        alone = prepare(base, tmp_path, [text]).embed([text]) if index in {0, 7, 8, 19} else None
        if alone is not None:
            assert_alike((together[0][index : index + 1], together[1][index : index + 1]), alone)
    assert len({row.sum().item() for row in together[1]}) == len(MANY)


def test_how_far_the_reading_is(tiny_sdxl: Path, tmp_path: Path) -> None:
    sink = ListSink()
    prepare(DiffusersModel(str(tiny_sdxl), local=True), tmp_path, MANY, sink)
    phases = [(event.phase, event.done, event.total) for event in sink.of(PhaseEvent)]
    assert phases[0] == ("loading_model", 1, PARTS)
    assert phases[1:] == [("caching_captions", done, 40) for done in (8, 16, 20, 28, 36, 40)]


def test_a_stop_between_two_batches(tiny_sdxl: Path, tmp_path: Path) -> None:
    base = Watched(tiny_sdxl)
    sink = ListSink(stop_when=lambda event: isinstance(event, PhaseEvent) and event.done == 8)
    with pytest.raises(StopRequested):
        prepare(base, tmp_path, MANY, sink)
    assert base.loaded == [0]


@pytest.mark.parametrize(("length", "advice"), [("75", "Raise"), ("150", "Raise"), ("225", "Put")])
@pytest.mark.parametrize("live", [False, True])
def test_texts_that_are_too_long_are_told_once(
    tiny_sdxl: Path, tmp_path: Path, length: str, advice: str, *, live: bool
) -> None:
    sink = ListSink()
    base = DiffusersModel(str(tiny_sdxl), local=True)
    texts = ["cat " * int(length), "dog " * (int(length) + 1), "short"]
    prepared = prepare(base, tmp_path, None if live else texts, sink, max_token_length=length)
    prepared.embed(texts[:1])
    assert warnings_of(sink) == ([] if live else ["caption_cut"])
    prepared.embed(texts)
    prepared.embed(texts)
    (warning,) = sink.of(WarningEvent)
    assert f"the first {length} tokens" in warning.problem.message
    assert "dog" in warning.problem.message
    assert "cat" not in warning.problem.message
    assert warning.problem.hint.startswith(advice)


def test_what_is_on_disk_needs_no_encoder(tiny_sdxl: Path, tmp_path: Path, data_dir: Path) -> None:
    base = Watched(tiny_sdxl)
    first = on_disk(base, tmp_path, CAPTIONS).embed(CAPTIONS)
    assert base.loaded == [0, 1]
    assert len(list(data_dir.rglob("*.safetensors"))) == len(CAPTIONS)
    sink = ListSink()
    again = on_disk(base, tmp_path, CAPTIONS, sink=sink).embed(CAPTIONS)
    assert base.loaded == [0, 1]
    torch.testing.assert_close(again, first, rtol=0, atol=0)
    # What was cut then is cut now.
    assert warnings_of(sink) == ["caption_cut"]


def test_only_new_texts_are_read(tiny_sdxl: Path, tmp_path: Path, data_dir: Path) -> None:
    on_disk(Watched(tiny_sdxl), tmp_path, MANY[:10])
    sink = ListSink()
    base = Watched(tiny_sdxl)
    texts = on_disk(base, tmp_path, MANY, sink=sink)
    assert [event.total for event in sink.of(PhaseEvent) if event.phase == "caching_captions"][-1] == 20
    assert_alike(texts.embed(MANY), prepare(base, tmp_path, MANY).embed(MANY))
    assert len(list(data_dir.rglob("*.safetensors"))) == len(MANY)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_token_length": "150"},
        {"weighted_captions": True},
        {"dtype": torch.bfloat16},
        {"texts": ["another text"]},
        {"name": "another model"},
    ],
)
@pytest.mark.usefixtures("data_dir")
def test_what_was_read_in_another_way_is_read_again(
    tiny_sdxl: Path, tmp_path: Path, changes: dict[str, Any]
) -> None:
    on_disk(Watched(tiny_sdxl), tmp_path, ["a (text:2)"])
    base = Watched(tiny_sdxl, changes.pop("name", ""))
    on_disk(base, tmp_path, changes.pop("texts", ["a (text:2)"]), **changes)
    assert base.loaded == [0, 1]


def test_nothing_is_kept_on_disk_unless_asked_for(tiny_sdxl: Path, tmp_path: Path, data_dir: Path) -> None:
    prepare(Watched(tiny_sdxl), tmp_path, MANY)
    assert not data_dir.exists()


@pytest.mark.parametrize("checkpointing", [False, True])
def test_gradients_flow_through_live_texts(tiny_sdxl: Path, tmp_path: Path, *, checkpointing: bool) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    texts = prepare(base, tmp_path, None, gradient_checkpointing=checkpointing)
    assert isinstance(texts, LiveTexts)
    assert not texts.embed(["cat"])[0].requires_grad
    layers = [
        next(
            each for name, each in texts.encoder(number).module.named_parameters() if "q_proj.weight" in name
        )
        for number in (0, 1)
    ]
    for layer in layers:
        layer.requires_grad_()
    with torch.no_grad():
        assert not texts.embed(["cat"])[0].requires_grad
    hidden, pooled = texts.embed(["cat", "dog"])
    torch.autograd.backward(hidden.square().sum() + pooled.square().sum())
    for layer in layers:
        assert layer.grad is not None
        assert layer.grad.abs().max() > 0


def test_cached_texts_are_stacked_in_the_order_asked_for() -> None:
    known = {
        name: TextEmbedding(torch.full((77, 2), value), torch.full((3,), value))
        for name, value in (("a", 1.0), ("b", 2.0))
    }
    hidden, pooled = CachedTexts(known, {}, CPU, lambda _new: {}).embed(["b", "a", "b"])
    torch.testing.assert_close(hidden, torch.tensor([2.0, 1.0, 2.0]).view(3, 1, 1).expand(3, 77, 2))
    torch.testing.assert_close(pooled, torch.tensor([2.0, 1.0, 2.0]).view(3, 1).expand(3, 3))
