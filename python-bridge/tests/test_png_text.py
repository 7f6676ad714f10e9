"""What a sample's file says of how it was drawn, read as A1111 reads it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec
import pytest
from PIL import Image
from training_support import make_config, run_training

from lora_bridge.png_text import parameters_text
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.sampler_names import a1111_name, sampler_named

if TYPE_CHECKING:
    from pathlib import Path

_SETTING = re.compile(r'\s*(\w[\w \-/]+):\s*("(?:\\.|[^\\"])+"|[^,]*)(?:,|$)')
"""A1111's own pattern for a setting (`infotext_utils.re_param_code`)."""


def read(text: str) -> tuple[str, str, dict[str, str]]:
    """Prompt, negative prompt and settings, by A1111's rules: the last line has the settings."""
    *lines, last = text.strip().split("\n")
    prompt: list[str] = []
    negative: list[str] = []
    kept = prompt
    for line in lines:
        if line.startswith("Negative prompt:"):
            kept = negative
            kept.append(line.removeprefix("Negative prompt:").strip())
        else:
            kept.append(line)
    return "\n".join(prompt), "\n".join(negative), dict(_SETTING.findall(last))


@pytest.mark.parametrize("words", ["ohwx person", "ein größerer Hund, 日本語 \U0001f600"])
def test_a_sample_says_how_it_was_drawn(project: Path, tiny_sdxl: Path, words: str) -> None:
    line = f"{words} --n ugly --w 64 --h 128 --s 3 --l 4.5 --d 99 --ss Euler a"
    run_training(project, tiny_sdxl, max_train_steps=1, sample_prompts=line)
    (file,) = (project / "job" / "samples").glob("*.png")
    with Image.open(file) as picture:
        text = picture.info["parameters"]
    prompt, negative, settings = read(text)
    assert (prompt, negative) == (words, "ugly")
    assert settings == {
        "Steps": "3",
        "Sampler": "Euler a",
        "CFG scale": "4.5",
        "Seed": "99",
        "Size": "64x128",
        "Model": "tiny-sdxl",
        "LoRA": "ohwx",
    }


def test_names_with_marks_are_quoted(tmp_path: Path) -> None:
    (prompt,) = parse_prompts(make_config(tmp_path, sample_prompts="a cat"))
    text = parameters_text(prompt, 1, 'a, "model": b', "lora")
    settings: dict[str, Any] = read(text)[2]
    assert msgspec.json.decode(settings["Model"]) == 'a, "model": b'
    assert settings["LoRA"] == "lora"
    assert "Negative" not in text


@pytest.mark.parametrize(
    ("name", "sampler"),
    [
        ("DPM++ 2M Karras", "dpm++_2m_karras"),
        ("dpm++ 2m sde karras", "dpm++_2m_sde_karras"),
        ("Euler", "euler"),
        ("EULER_A", "euler_a"),
        ("UniPC", "unipc"),
        ("k_lms", "k_lms"),
    ],
)
def test_samplers_go_by_both_names(tmp_path: Path, name: str, sampler: str) -> None:
    (prompt,) = parse_prompts(make_config(tmp_path, sample_prompts=f"a cat --ss {name} --s 2"))
    assert prompt.sampler == sampler
    assert sampler_named(a1111_name(prompt.sampler)) in {sampler, sampler.removeprefix("k_")}
