"""Prompts of samples are read with their weights and at their length, whatever is said of captions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from PIL import Image
from sampling_support import painted
from training_support import ListSink, make_config, run_training, warnings_of
from transformers import CLIPTextModel, CLIPTextModelWithProjection

from lora_bridge.model import DiffusersModel
from lora_bridge.protocol_types import SampleEvent
from lora_bridge.text import KnownTexts, prepare_texts

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.text import Texts

CPU = torch.device("cpu")
BEGIN, END, CAT, DOG = 49406, 49407, 2368, 1929
WEIGHTED = "cat (dog:1.5) [dog]"
LONG = "cat " * 80
WORDS = {
    "": [],
    WEIGHTED: [(CAT, 1.0), (DOG, 1.5), (DOG, 1 / 1.1)],
    LONG: [(CAT, 1.0)] * 80,
    "(dog:2) " * 160: [(DOG, 2.0)] * 160,
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@torch.no_grad()
def by_hand(folder: Path, text: str, chunks: int) -> tuple[Tensor, Tensor]:
    """[1, 75 * chunks + 2, width] and [1, width] from transformers' own encoders and written-out tokens."""
    words = WORDS[text]
    sides: list[Tensor] = []
    pooled = torch.empty(0)
    for kind, name, pad in ((CLIPTextModel, "", END), (CLIPTextModelWithProjection, "_2", 0)):
        model = cast("Any", kind).from_pretrained(folder / f"text_encoder{name}", dtype=torch.float32).eval()
        states: list[Tensor] = []
        for chunk in range(chunks):
            part = [token for token, _ in words[75 * chunk : 75 * (chunk + 1)]]
            row = torch.tensor([[BEGIN, *part, END, *[pad] * (75 - len(part))]])
            output = model(row, output_hidden_states=True)
            states.append(output.hidden_states[-2][0])
            if name and chunk == 0:
                pooled = output.text_embeds
        inner = torch.cat([state[1:76] for state in states])
        weights = torch.ones(75 * chunks)
        weights[: len(words)] = torch.tensor([weight for _, weight in words])
        sides.append(torch.cat([states[0][:1], inner * weights[:, None], states[-1][76:]]))
    return torch.cat(sides, dim=-1)[None], pooled


def prepare(model: Path, project: Path, *, cached: bool, **changes: Any) -> Texts:
    base = DiffusersModel(str(model), local=True)
    known = KnownTexts([WEIGHTED, LONG], list(WORDS)) if cached else None
    return prepare_texts(base, make_config(project, **changes), known, CPU, torch.float32, ListSink())


@pytest.mark.parametrize("changes", [{}, {"max_token_length": "225", "weighted_captions": True}])
@pytest.mark.parametrize("cached", [False, True])
@torch.no_grad()
def test_prompts_have_their_weights_and_their_length(
    tiny_sdxl: Path, tmp_path: Path, changes: dict[str, Any], *, cached: bool
) -> None:
    texts = prepare(tiny_sdxl, tmp_path, cached=cached, **changes)
    for shown, chunks in (
        (["", WEIGHTED], 1),
        ([WEIGHTED, LONG], 2),
        ([LONG], 2),
        (["", "(dog:2) " * 160, LONG], 3),
    ):
        hidden, pooled = texts.embed_prompts(shown)
        expected = [by_hand(tiny_sdxl, text, chunks) for text in shown]
        torch.testing.assert_close(hidden, torch.cat([each for each, _ in expected]), rtol=1e-4, atol=1e-5)
        torch.testing.assert_close(pooled, torch.cat([each for _, each in expected]), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("to_disk", [False, True])
def test_a_caption_and_a_prompt_of_the_same_words_are_read_each_in_its_way(
    tiny_sdxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, to_disk: bool
) -> None:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))
    for _ in range(2):  # read, then found on disk
        texts = prepare(tiny_sdxl, tmp_path, cached=True, cache_text_encoder_outputs_to_disk=to_disk)
        live = prepare(tiny_sdxl, tmp_path, cached=False)
        with torch.no_grad():
            torch.testing.assert_close(texts.embed([WEIGHTED]), live.embed([WEIGHTED]), rtol=1e-4, atol=1e-5)
        prompt, caption = texts.embed_prompts([WEIGHTED])[0], texts.embed([WEIGHTED])[0]
        torch.testing.assert_close(prompt, by_hand(tiny_sdxl, WEIGHTED, 1)[0], rtol=1e-4, atol=1e-5)
        assert (prompt - caption).abs().max() > 0.1
        assert texts.embed([LONG])[0].shape[1] == 77


def test_new_prompts_are_learnt_at_their_length(tiny_sdxl: Path, tmp_path: Path) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    config = make_config(tmp_path)
    texts = prepare_texts(base, config, KnownTexts(["cat"], ()), CPU, torch.float32, ListSink())
    texts.learn([WEIGHTED, LONG])
    hidden, _ = texts.embed_prompts([WEIGHTED, LONG])
    expected = torch.cat([by_hand(tiny_sdxl, text, 2)[0] for text in (WEIGHTED, LONG)])
    torch.testing.assert_close(hidden, expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(("text", "negative", "chunks"), [(WEIGHTED, "", 1), (LONG, WEIGHTED, 2)])
def test_the_picture_is_the_pipelines_with_these_embeddings(
    project: Path, tiny_sdxl: Path, text: str, negative: str, chunks: int
) -> None:
    said = f" --n {negative}" if negative else ""
    line = f"{text}{said} --w 64 --h 64 --s 3 --l 5 --ss euler"
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(tiny_sdxl, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = EulerDiscreteScheduler(
        beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear"
    )
    texts = {LONG.strip(): LONG}
    shown, pooled = by_hand(tiny_sdxl, texts.get(text, text), chunks)
    away, away_pooled = by_hand(tiny_sdxl, negative, chunks)
    theirs: Tensor = pipeline(
        prompt_embeds=shown,
        pooled_prompt_embeds=pooled,
        negative_prompt_embeds=away,
        negative_pooled_prompt_embeds=away_pooled,
        width=64,
        height=64,
        num_inference_steps=3,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(9),
        output_type="pt",
    ).images[0]
    torch.testing.assert_close(painted(project, tiny_sdxl, line, seed=9), theirs, rtol=0, atol=1e-3)


@pytest.mark.parametrize("learns", [False, True])
def test_a_run_draws_weights_and_long_prompts(project: Path, tiny_sdxl: Path, *, learns: bool) -> None:
    flags = "--w 64 --h 64 --s 2 --d 3 --ss euler"
    prompts = [WEIGHTED, "cat dog dog", LONG, f"{LONG} dog"]
    _, sink = run_training(
        project,
        tiny_sdxl,
        max_train_steps=1,
        sample_prompts="\n".join(f"{text} {flags}" for text in prompts),
        text_encoder_lr=1e-4 if learns else 0.0,
    )
    assert "caption_cut" not in warnings_of(sink)
    pictures: list[Any] = []
    for event in sink.of(SampleEvent):
        with Image.open(event.path) as picture:
            pictures.append(np.asarray(picture))
    assert len(pictures) == 4
    assert not np.array_equal(pictures[0], pictures[1])
    assert not np.array_equal(pictures[2], pictures[3])
