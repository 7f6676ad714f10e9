"""Sample prompts: Kohya's flags, our defaults, and what is said of a line that cannot be understood."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any, get_args

import pytest
from training_support import make_config

from lora_bridge.plan import make_plan
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Sampler
from lora_bridge.sample_prompts import SamplePrompt, parse_prompts


def parse(prompts: str, **changes: Any) -> list[SamplePrompt]:
    return parse_prompts(make_config(Path("project"), sample_prompts=prompts, **changes))


def flaw_of(prompts: str) -> str:
    with pytest.raises(ProblemError) as caught:
        parse(prompts)
    assert caught.value.problem.code == "sample_prompt_invalid"
    return caught.value.problem.message


def test_every_flag_is_read() -> None:
    (prompt,) = parse("a cat, 写真 --n blurry, bad --w 768 --h 512 --d 7 --s 12 --l 4.5 --ss ddim")
    assert prompt == SamplePrompt(
        index=0,
        text="a cat, 写真",
        negative="blurry, bad",
        width=768,
        height=512,
        seed=7,
        steps=12,
        cfg_scale=4.5,
        sampler="ddim",
    )


def test_a_prompt_alone_takes_the_defaults() -> None:
    (prompt,) = parse("a cat", max_resolution=" 1020 , 768", sample_sampler="heun")
    assert (prompt.width, prompt.height) == (1016, 768)
    assert (prompt.negative, prompt.steps, prompt.cfg_scale) == ("", 30, 7.5)
    assert (prompt.seed, prompt.sampler) == (None, "heun")


@pytest.mark.parametrize(
    ("resolution", "size"), [("512", (512, 512)), ("10,10", (64, 64)), ("99999,100", (4096, 96))]
)
def test_the_size_of_the_training_is_kept_to_what_can_be_drawn(
    resolution: str, size: tuple[int, int]
) -> None:
    (prompt,) = parse("a cat", max_resolution=resolution)
    assert (prompt.width, prompt.height) == size


def test_blank_lines_and_comments_are_no_prompts() -> None:
    prompts = parse("# first\r\n\r\n  a cat  \r\n  # --w what\na dog, #1\n")
    assert [(prompt.index, prompt.text) for prompt in prompts] == [(0, "a cat"), (1, "a dog, #1")]
    assert parse("  \n#") == []


def test_sizes_are_rounded_down_as_kohya_does() -> None:
    (prompt,) = parse("a cat --w 71 --h 4096")
    assert (prompt.width, prompt.height) == (64, 4096)


def test_case_and_blanks_do_not_matter() -> None:
    (prompt,) = parse("a cat\t--W  64   --SS  Euler_A --n  one --h 64")
    assert (prompt.width, prompt.height, prompt.sampler, prompt.negative) == (64, 64, "euler_a", "one")


def test_dashes_within_words_are_text() -> None:
    (prompt,) = parse("a well-known cat--dog -w 5 --n a--b")
    assert (prompt.text, prompt.negative) == ("a well-known cat--dog -w 5", "a--b")


def test_a_seed_of_its_own_or_one_that_stays() -> None:
    first, second, third = parse("# comment\na\nb\nc --d 5")
    assert [prompt.seed_in(100) for prompt in (first, second, third)] == [100, 101, 5]
    assert second.seed_in(2**32 - 1) == 0


@pytest.mark.parametrize("sampler", get_args(Sampler))
def test_every_sampler_can_be_named(sampler: Sampler) -> None:
    assert parse(f"a cat --ss {sampler}")[0].sampler == sampler


@pytest.mark.parametrize(
    ("line", "flaw"),
    [
        ("a cat --w 63", "has --w “63”, which is not a whole number from 64 to 4096."),
        ("a cat --w 4097", "has --w “4097”"),
        ("a cat --h wide", "has --h “wide”"),
        ("a cat --h 64.5", "has --h “64.5”"),
        ("a cat --h -64", "has --h “-64”"),
        ("a cat --d 4294967296", "has --d “4294967296”, which is not a whole number from 0 to 4294967295."),
        ("a cat --d", "has --d “”"),
        ("a cat --s 0", "has --s “0”, which is not a whole number from 1 to 1000."),
        ("a cat --s 1001", "has --s “1001”"),
        ("a cat --l nan", "has --l “nan”, which is not a number from 0 to 100."),
        ("a cat --l -1", "has --l “-1”"),
        ("a cat --l much", "has --l “much”"),
        ("a cat --n", "has --n “”, which is not a text."),
        ("a cat --ss magic", "has --ss “magic”, which is not one of dpm++_2m_karras, dpm++_2m, "),
        ("a cat --q 3.5", "has --q, which is none of --n, --w, --h, --d, --s, --l, --ss."),
        ("a cat --g 3.5", "has --g, the guidance scale of FLUX, which samples of SDXL have no use for."),
        ("a cat --CN a.png", "has --CN, the picture for a ControlNet, which samples of SDXL"),
        ("a cat --ctr 0.5", "has --ctr, the guidance truncation of Lumina,"),
        ("a cat --rcfg 1", "has --rcfg, the guidance renormalisation of Lumina,"),
        ("a cat --fs 5", "has --fs, the flow shift of models that"),
        ("a cat --am 0.5", "has --am, the strength of additional networks in gen_img,"),
        ("a cat --f a.png", "has --f, the name of the output file in gen_img,"),
        ("a cat --w=64", "has --w=64, which is none of"),
        ("a cat -- 64", "has --, which is none of"),
        ("a cat --w 64 --W 64", "has --W twice."),
        ("--n a cat", "has flags but no prompt."),
    ],
)
def test_what_is_wrong_is_named_with_its_line(line: str, flaw: str) -> None:
    assert flaw_of(f"# a comment\na dog\n{line}").startswith(f"Line 3 of Sample prompts {flaw}")


def test_a_plan_is_refused_for_a_bad_prompt(project: Path) -> None:
    assert make_plan(make_config(project, sample_prompts="a cat --w 64")).total_steps == 4
    with pytest.raises(ProblemError, match="Line 1 of Sample prompts has --w"):
        make_plan(make_config(project, sample_prompts="a cat --w 1"))


def test_reading_prompts_needs_no_torch() -> None:
    code = "import sys, lora_bridge.sample_prompts; sys.exit('torch' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[1], check=True)
