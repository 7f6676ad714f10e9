"""Which LoRA files a config names, and what is wrong with that. Asked while typing: no torch."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

Field: TypeAlias = Literal["network_weights", "base_weights"]
_LABELS: dict[Field, str] = {"network_weights": "Network weights", "base_weights": "Base weights"}


class BaseWeights(NamedTuple):
    """A LoRA that is merged into the base model."""

    file: Path
    multiplier: float


def problem(field: Field, flaw: str, message: str, hint: str) -> ProblemError:
    """About the file of a field: its code is the field with the flaw."""
    return ProblemError(f"{field}_{flaw}", f"{_LABELS[field]}: {message}", hint)


def require_lora_file(name: str, field: Field) -> Path:
    """The file, which is there and of the one format that is safe to read.

    Raises ProblemError: the code is the field with `_missing` or `_format`.
    """
    file = Path(name.strip()).expanduser()
    if not file.is_file():
        hint = "Choose a LoRA's .safetensors file, or leave the field empty."
        raise problem(field, "missing", f"there is no file {file}.", hint)
    if file.suffix.lower() != ".safetensors":
        raise problem(
            field,
            "format",
            f"{file.name} is not a .safetensors file. Files of other kinds can run code when they are read.",
            "Convert it to .safetensors, for instance with a merge tool of Kohya's, and choose that.",
        )
    return file


def base_weights_of(config: TrainConfig) -> list[BaseWeights]:
    """The files in `base_weights`, one a line, each with its multiplier: 1 where none is written.

    Raises ProblemError `base_weights_missing`, `base_weights_format` or `base_weights_multiplier`.
    """
    lines = [line for line in config.base_weights.splitlines() if line.strip()]
    files = [require_lora_file(line, "base_weights") for line in lines]
    multipliers = [_multiplier(text) for text in config.base_weights_multiplier.split()]
    if len(multipliers) > len(files):
        raise _bad_multiplier(f"has {len(multipliers)} numbers for {len(files)} files")
    multipliers += [1.0] * (len(files) - len(multipliers))
    return [BaseWeights(*each) for each in zip(files, multipliers, strict=True)]


def _multiplier(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise _bad_multiplier(f"has “{text}”, which is not a number")
    return number


def _bad_multiplier(flaw: str) -> ProblemError:
    return problem(
        "base_weights",
        "multiplier",
        f"Base weights multiplier {flaw}.",
        "Write at most one number for each file, with blanks between them, such as 1 0.5.",
    )
