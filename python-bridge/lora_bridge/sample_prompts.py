"""The prompts of samples, one a line, with Kohya's flags behind them. Read while typing: no torch."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple, get_args

from msgspec import Struct

from lora_bridge.buckets import LATENT_STEP, Size, parse_resolution
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Sampler
from lora_bridge.sample_prompts_file import read_prompt_file, split_line
from lora_bridge.sampler_names import sampler_named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sample_prompts_file import WrittenPrompt

_SMALLEST, _LARGEST = 64, 4096
_MOST_STEPS = 1000
_HIGHEST_SCALE = 100.0
_SEEDS = 2**32
_DEFAULT_STEPS = 30
_DEFAULT_SCALE = 7.5


class SamplePrompt(Struct, frozen=True):
    """A picture to draw."""

    index: int
    """Which of the prompts, counted from 0."""
    text: str
    negative: str
    width: int
    """In pixels, as `height`: multiples of 8."""
    height: int
    seed: int | None
    steps: int
    cfg_scale: float
    sampler: Sampler

    def seed_in(self, run_seed: int) -> int:
        """Its own seed, or one that stays the same through a run and differs between its prompts."""
        return (run_seed + self.index) % _SEEDS if self.seed is None else self.seed


def parse_prompts(config: TrainConfig) -> list[SamplePrompt]:
    """The prompts of a config, then those of its file as it is now.

    Raises ProblemError `sample_prompt_invalid`, which names line and flag, or as `read_prompt_file`.
    """
    written = list(_written(config.sample_prompts))
    if config.sample_prompts_file.strip():
        written += read_prompt_file(config.sample_prompts_file.strip())
    return [_parse(config, prompt, index) for index, prompt in enumerate(written)]


def _written(text: str) -> Iterator[WrittenPrompt]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.strip().startswith("#"):
            yield split_line(f"Line {number} of Sample prompts", line)


class _Flag(NamedTuple):
    field: str
    wanted: str
    read: Callable[[str], object]
    """Raises ValueError for what is not wanted."""


def _parse(config: TrainConfig, prompt: WrittenPrompt, index: int) -> SamplePrompt:
    where, text, flags = prompt
    if not text:
        raise _invalid(where, "has flags but no prompt" if flags else "is empty")
    size = _default_size(config)
    fields: dict[str, Any] = {
        "negative": "",
        "width": size.width,
        "height": size.height,
        "seed": None,
        "steps": _DEFAULT_STEPS,
        "cfg_scale": _DEFAULT_SCALE,
        "sampler": config.sample_sampler,
    }
    seen: set[str] = set()
    for name, value in flags:
        flag = _FLAGS.get(name.lower())
        if flag is None and (purpose := _FOREIGN_FLAGS.get(name.lower())) is not None:
            raise _invalid(where, f"has --{name}, {purpose}, which samples of SDXL have no use for")
        if flag is None:
            raise _invalid(where, f"has --{name}, which is none of {_KNOWN}")
        if flag.field in seen:
            raise _invalid(where, f"has --{name} twice")
        seen.add(flag.field)
        try:
            fields[flag.field] = flag.read(value)
        except ValueError:
            raise _invalid(where, f"has --{name} “{value}”, which is not {flag.wanted}") from None
    return SamplePrompt(index=index, text=text, **fields)


def _invalid(where: str, flaw: str) -> ProblemError:
    return ProblemError(
        "sample_prompt_invalid",
        f"{where} {flaw}.",
        "Correct it, or take it out.",
    )


def _default_size(config: TrainConfig) -> Size:
    sides = (min(_LARGEST, max(_SMALLEST, side)) for side in parse_resolution(config.max_resolution))
    return Size(*(side - side % LATENT_STEP for side in sides))


def _some_text(value: str) -> str:
    if not value:
        raise ValueError
    return value


def _whole(lowest: int, highest: int, value: str) -> int:
    if not re.fullmatch("[0-9]{1,20}", value) or not lowest <= int(value) <= highest:
        raise ValueError
    return int(value)


def _side(value: str) -> int:
    pixels = _whole(_SMALLEST, _LARGEST, value)
    return pixels - pixels % LATENT_STEP


def _scale(value: str) -> float:
    scale = float(value)
    if not 0 <= scale <= _HIGHEST_SCALE:
        raise ValueError
    return scale


def _sampler(value: str) -> Sampler:
    sampler = sampler_named(value)
    if sampler is None:
        raise ValueError
    return sampler


_PIXELS = f"a whole number from {_SMALLEST} to {_LARGEST}"
_FLAGS = {
    "n": _Flag("negative", "a text", _some_text),
    "w": _Flag("width", _PIXELS, _side),
    "h": _Flag("height", _PIXELS, _side),
    "d": _Flag("seed", f"a whole number from 0 to {_SEEDS - 1}", partial(_whole, 0, _SEEDS - 1)),
    "s": _Flag("steps", f"a whole number from 1 to {_MOST_STEPS}", partial(_whole, 1, _MOST_STEPS)),
    "l": _Flag("cfg_scale", f"a number from 0 to {_HIGHEST_SCALE:g}", _scale),
    "ss": _Flag("sampler", f"one of {', '.join(get_args(Sampler))}", _sampler),
}
_FOREIGN_FLAGS = {
    "g": "the guidance scale of FLUX",
    "cn": "the picture for a ControlNet",
    "ctr": "the guidance truncation of Lumina",
    "rcfg": "the guidance renormalisation of Lumina",
    "fs": "the flow shift of models that are trained by flow matching, such as HunyuanImage",
    "am": "the strength of additional networks in gen_img",
    "f": "the name of the output file in gen_img",
}
"""By flags of sd-scripts that are known there but not for SDXL's samples, what they are."""
_KNOWN = ", ".join(f"--{name}" for name in _FLAGS)
