"""A file of sample prompts, as sd-scripts reads them: .txt, .toml or .json. Read while typing: no torch."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

_OTHER_MODELS = {
    "guidance_scale": "g",
    "controlnet_image": "cn",
    "cfg_trunc_ratio": "ctr",
    "renorm_cfg": "rcfg",
    "flow_shift": "fs",
}
"""What sd-scripts has of prompts for other models than SDXL."""
_FLAGS = {
    "negative_prompt": "n",
    "width": "w",
    "height": "h",
    "seed": "d",
    "sample_steps": "s",
    "scale": "l",
    "sample_sampler": "ss",
}
"""By sd-scripts' key of a prompt, the flag that says the same in a line."""
_FORMATS = (".txt", ".toml", ".json")


class WrittenPrompt(NamedTuple):
    """A prompt as it is written."""

    where: str
    """The place, for a person."""
    text: str
    flags: list[tuple[str, str]]
    """Names, without dashes, and values."""


def split_line(where: str, line: str) -> WrittenPrompt:
    """Take a line apart: what comes behind ` --` is a flag, as in sd-scripts' `line_to_prompt_dict`."""
    text, *parts = re.split(r"(?:^|\s+)--", line.strip())
    flags = [re.split(r"\s+", part, maxsplit=1) for part in parts]
    return WrittenPrompt(where, text, [(name, "".join(rest)) for name, *rest in flags])


def read_prompt_file(name: str) -> list[WrittenPrompt]:
    """The prompts of a file. As in sd-scripts those that are tables have no flags in their texts.

    Raises ProblemError `sample_prompts_file_missing` or `sample_prompts_file_invalid`, which names the place.
    """
    file = Path(name).expanduser()
    if file.suffix.lower() not in _FORMATS:
        raise _invalid(file, f"is not one of {', '.join(_FORMATS)}")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise _invalid(file, "is not UTF-8 text") from None
    except OSError as error:
        raise ProblemError(
            "sample_prompts_file_missing",
            f"Sample prompts file {file} cannot be read: {error.strerror}.",
            "Choose the file again, or empty the field.",
        ) from error
    match file.suffix.lower():
        case ".txt":
            return list(_lines(file, text))
        case ".toml":
            return list(_toml(file, text))
        case _:
            return list(_json(file, text))


def _lines(file: Path, text: str) -> Iterator[WrittenPrompt]:
    for number, line in enumerate(text.splitlines(), start=1):
        if line.strip() and not line.startswith("#"):
            yield split_line(f"Line {number} of {file.name}", line)


def _toml(file: Path, text: str) -> Iterator[WrittenPrompt]:
    """`[prompt]` has what all have in common, each `[[prompt.subset]]` is a prompt."""
    try:
        common = tomllib.loads(text).get("prompt")
    except tomllib.TOMLDecodeError as error:
        raise _invalid(file, f"is not TOML: {error}") from None
    if not isinstance(common, dict):
        raise _invalid(file, "has no [prompt]")
    common = cast("dict[str, Any]", common)
    subsets = common.pop("subset", None)
    if not isinstance(subsets, list) or not all(isinstance(each, dict) for each in cast("Any", subsets)):
        raise _invalid(file, "has no [[prompt.subset]]")
    for number, subset in enumerate(cast("list[dict[str, Any]]", subsets), start=1):
        yield _from_table(file, number, {**common, **subset})


def _json(file: Path, text: str) -> Iterator[WrittenPrompt]:
    try:
        prompts = json.loads(text)
    except json.JSONDecodeError as error:
        raise _invalid(file, f"is not JSON: {error}") from None
    if not isinstance(prompts, list):
        raise _invalid(file, "is not a list of prompts")
    for number, prompt in enumerate(cast("list[Any]", prompts), start=1):
        if isinstance(prompt, str):
            yield split_line(f"Prompt {number} of {file.name}", prompt)
        elif isinstance(prompt, dict):
            yield _from_table(file, number, cast("dict[str, Any]", prompt))
        else:
            raise _invalid(file, f"has a prompt {number} that is neither a text nor a table")


def _from_table(file: Path, number: int, values: dict[str, Any]) -> WrittenPrompt:
    where = f"Prompt {number} of {file.name}"
    flags = {**_FLAGS, **_OTHER_MODELS}
    unknown = values.keys() - flags.keys() - {"prompt", "enum"}
    if unknown:
        known = ", ".join(("prompt", *_FLAGS))
        raise _invalid(file, f"has {min(unknown)} in prompt {number}, which is none of {known}")
    said = {key: " ".join(str(value).split()) for key, value in values.items()}
    if not said.get("negative_prompt"):
        # A text of nothing is what it is without one.
        said.pop("negative_prompt", None)
    return WrittenPrompt(
        where, said.get("prompt", ""), [(flag, said[key]) for key, flag in flags.items() if key in said]
    )


def _invalid(file: Path, flaw: str) -> ProblemError:
    return ProblemError(
        "sample_prompts_file_invalid",
        f"Sample prompts file {file} {flaw}.",
        "Correct the file, or empty the field.",
    )
