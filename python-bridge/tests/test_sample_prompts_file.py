"""Files of sample prompts, as sd-scripts reads them, and read again while the training runs."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from training_support import ListSink, losses_of, make_config, run_training, warnings_of

from lora_bridge.plan import require_config
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import SampleEvent, StepEvent
from lora_bridge.sample_prompts import SamplePrompt, parse_prompts

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import JobEvent

_TOML = """
[prompt]
width = 64
height = 128
scale = 5
[[prompt.subset]]
prompt = "a cat"
negative_prompt = "ugly, bad"
seed = 3
[[prompt.subset]]
prompt = "a dog"
width = 72
sample_steps = 4
sample_sampler = "ddim"
"""
_JSON = [
    {"prompt": "a cat", "negative_prompt": "ugly, bad", "seed": 3, "width": 64, "height": 128, "scale": 5},
    "a dog --w 72 --h 128 --l 5 --s 4 --ss ddim",
]
_TXT = """# a comment

a cat --n ugly, bad --d 3 --w 64 --h 128 --l 5
a dog --w 72 --h 128 --l 5 --s 4 --ss ddim
"""


def prompts_of(folder: Path, name: str, content: str, **changes: Any) -> list[SamplePrompt]:
    (folder / name).write_text(content, encoding="utf-8")
    return parse_prompts(make_config(folder, sample_prompts_file=str(folder / name), **changes))


@pytest.mark.parametrize(
    ("name", "content"), [("a.toml", _TOML), ("b.json", json.dumps(_JSON)), ("c.TXT", _TXT)]
)
def test_each_format_says_the_same(tmp_path: Path, name: str, content: str) -> None:
    first, second = prompts_of(tmp_path, name, content)
    assert first == SamplePrompt(0, "a cat", "ugly, bad", 64, 128, 3, 30, 5.0, "euler_a")
    assert second == SamplePrompt(1, "a dog", "", 72, 128, None, 4, 5.0, "ddim")


@pytest.mark.parametrize("name", ["a.toml", "a.json"])
def test_what_looks_like_a_flag_in_a_table_is_text(tmp_path: Path, name: str) -> None:
    """sd-scripts takes lines apart, in a JSON list too, and tables as they are."""
    text, negative = "a cat --w 64 --q and -- a dog", "ugly --h 72"
    if name == "a.toml":
        content = f'[prompt]\n[[prompt.subset]]\nprompt = "{text}"\nnegative_prompt = "{negative}"'
    else:
        content = json.dumps([{"prompt": text, "negative_prompt": negative}, "a dog --w 64"])
    first, *others = prompts_of(tmp_path, name, content, max_resolution="128,128")
    assert (first.text, first.negative, first.width, first.height) == (text, negative, 128, 128)
    assert [(prompt.text, prompt.width) for prompt in others] == [("a dog", 64)][: len(others)]


def test_a_negative_prompt_of_nothing_is_none(tmp_path: Path) -> None:
    (prompt,) = prompts_of(tmp_path, "a.json", '[{"prompt": "a", "negative_prompt": ""}]')
    assert prompt.negative == ""


def test_they_come_behind_those_of_the_config(tmp_path: Path) -> None:
    found = prompts_of(tmp_path, "a.txt", "second\nthird", sample_prompts="first")
    assert [(prompt.index, prompt.text) for prompt in found] == [(0, "first"), (1, "second"), (2, "third")]


@pytest.mark.parametrize(
    ("name", "content", "flaw"),
    [
        ("a.txt", "a cat\na dog --q 1", "Line 2 of a.txt has --q"),
        ("a.toml", "[prompt]\nwidth = 64", "has no [[prompt.subset]]"),
        ("a.toml", "width = 64", "has no [prompt]"),
        ("a.toml", "[prompt", "is not TOML"),
        ("a.toml", "[prompt]\n[[prompt.subset]]\nprompt = 'a'\nheigth = 3", "has heigth in prompt 1"),
        ("a.toml", "[prompt]\n[[prompt.subset]]\nprompt = 'a'\nheight = 3", "Prompt 1 of a.toml has --h"),
        ("a.json", "{", "is not JSON"),
        ("a.json", "{}", "is not a list"),
        ("a.json", "[1]", "prompt 1 that is neither"),
        ("a.json", '[{"seed": 1}]', "Prompt 1 of a.json has flags but no prompt"),
        ("a.json", '["a", ""]', "Prompt 2 of a.json is empty"),
        ("a.json", '["  "]', "Prompt 1 of a.json is empty"),
        ("a.json", '[{"prompt": " "}]', "Prompt 1 of a.json is empty"),
        ("a.json", '["a --g 3"]', "Prompt 1 of a.json has --g, the guidance scale of FLUX"),
        ("a.json", '[{"prompt": "a", "controlnet_image": "b.png"}]', "a.json has --cn, the picture for a"),
        ("a.yaml", "", "is not one of .txt, .toml, .json"),
    ],
)
def test_what_is_wrong_is_named_with_its_place(tmp_path: Path, name: str, content: str, flaw: str) -> None:
    with pytest.raises(ProblemError) as caught:
        prompts_of(tmp_path, name, content)
    assert flaw in caught.value.problem.message
    assert name in caught.value.problem.message


def test_a_file_that_is_not_there_is_told_before_the_run(tmp_path: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        require_config(make_config(tmp_path, sample_prompts_file=str(tmp_path / "gone.txt")))
    assert caught.value.problem.code == "sample_prompts_file_missing"
    (tmp_path / "bytes.txt").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ProblemError, match="not UTF-8"):
        require_config(make_config(tmp_path, sample_prompts_file=str(tmp_path / "bytes.txt")))


@pytest.mark.parametrize("learns", [False, True])
def test_it_is_read_again_while_the_training_runs(project: Path, tiny_sdxl: Path, learns: bool) -> None:
    file = project / "prompts.txt"
    flags = "--w 64 --h 64 --s 2"
    file.write_text(f"first {flags}", encoding="utf-8")
    edits = {1: f"first {flags}\nnew words {flags}", 2: f"broken --q 1 {flags}", 3: f"last {flags}"}

    class EditingSink(ListSink):
        def emit(self, event: JobEvent) -> None:
            super().emit(event)
            if isinstance(event, StepEvent) and event.step in edits:
                file.write_text(edits[event.step], encoding="utf-8")

    changes: dict[str, Any] = {
        "sample_prompts_file": str(file),
        "sample_every_n_steps": 1,
        "sample_at_first": True,
        "text_encoder_lr": 1e-4 if learns else 0.0,
    }
    _, sink = run_training(project, tiny_sdxl, EditingSink(), **changes)
    drawn: list[SampleEvent] = sink.of(SampleEvent)
    assert [(event.step, event.prompt) for event in drawn] == [
        (0, "first"),
        (1, "first"), (1, "new words"),
        (2, "first"), (2, "new words"),
        (3, "last"),
        (4, "last"),
    ]  # fmt: skip
    assert warnings_of(sink).count("sample_prompt_invalid") == 1
    file.write_text("", encoding="utf-8")
    silent: dict[str, Any] = {**changes, "output_name": "silent"}
    _, other = run_training(project, tiny_sdxl, **silent)
    assert losses_of(other) == losses_of(sink)
