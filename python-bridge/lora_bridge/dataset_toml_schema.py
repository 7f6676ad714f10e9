"""What a dataset TOML of sd-scripts may hold, and what is wrong with one that holds something else.

The schema is as strict as sd-scripts' (`library/config_util.py`): unknown keys are refused. Keys that the
config has too have the config's limits.
"""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import Annotated, Any, Literal, get_type_hints

import msgspec
from msgspec import UNSET, Meta, UnsetType, defstruct

from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import TrainConfig

OUR_NAMES = {
    "batch_size": "train_batch_size",
    "num_repeats": "dataset_repeats",
    "resolution": "max_resolution",
}
"""The config's names for keys that sd-scripts calls otherwise."""

_HINTS = get_type_hints(TrainConfig, include_extras=True)
_KINDS = {
    "int": "a whole number",
    "float": "a number",
    "str": "text",
    "bool": "true or false",
    "array": "a list",
    "object": "a table",
    "int | array": "a whole number or a list of two",
}
_WHAT_TO_DO = {
    "metadata_file": "Write the captions beside the pictures instead, and name their folder as image_dir.",
    "network_multiplier": "Remove it: a LoRA is trained at its full strength.",
    "prior_loss_weight": "Remove it, and set Prior loss weight.",
    "max_token_length": "Remove it, and set Max Token Length.",
    "caption_extension": "Write it with its dot, such as .txt.",
    "resize_interpolation": "Write one of lanczos, area, bicubic, bilinear, nearest, box, hamming and auto.",
}


def check_tables(tables: dict[str, Any], file: str) -> None:
    """Raise ProblemError `bad_dataset_config` naming `file`, the place in it, and what to do."""
    try:
        msgspec.convert(tables, _FILE)
    except msgspec.ValidationError as error:
        raise _refusal(str(error), file) from error


def _refusal(error: str, file: str) -> ProblemError:
    """A problem from msgspec's words: ``Expected `int`, got `str` - at `$.datasets[0].batch_size` ``."""
    what, _, path = error.partition(" - at `$")
    place = path.rstrip("`").removeprefix(".")
    key = place.rpartition(".")[2]
    unknown = re.search(r"unknown field `(.*)`", what, re.DOTALL)
    missing = re.search(r"required field `(.*)`", what)
    if unknown is not None:
        key = unknown[1]
        said, hint = f"“{key}” is not a key that can be used here", _about_unknown(key)
    elif missing is not None:
        said, hint = f"{missing[1]} is missing", f"Add {missing[1]}."
    else:
        said = re.sub(r" matching regex .*", " of another form", what, flags=re.DOTALL)
        said = re.sub(r"`([^`]*)`", lambda kind: _KINDS.get(kind[1], kind[1]), said)
        hint = _WHAT_TO_DO.get(key, "Correct it, or remove it to use the value of the parameters.")
    where = f"{file}, {place}" if place else file
    return ProblemError("bad_dataset_config", f"{where}: {said[0].lower()}{said[1:]}.", hint)


def _about_unknown(key: str) -> str:
    if key in _WHAT_TO_DO:
        return _WHAT_TO_DO[key]
    if key in _DATASET_KEYS:
        return "Move it to [[datasets]] or [general]."
    if key in {"image_dir", *_FOLDER_KEYS, *_SUBSET_KEYS}:
        return "Move it to [[datasets.subsets]]."
    close = get_close_matches(key, [*_DATASET_KEYS, *_SUBSET_KEYS, *_FOLDER_KEYS, "image_dir"], n=1)
    return (
        f"Did you mean {close[0]}?"
        if close
        else "Remove it, or look for its name in the documentation of sd-scripts."
    )


def _same(*keys: str) -> dict[str, Any]:
    """Keys that mean what the config's do."""
    return {key: _HINTS[OUR_NAMES.get(key, key)] for key in keys}


def _table(name: str, optional: dict[str, Any], **required: Any) -> Any:
    fields: list[Any] = [
        *required.items(),
        *((key, kind | UnsetType, UNSET) for key, kind in optional.items()),
    ]
    return defstruct(name, fields, kw_only=True, forbid_unknown_fields=True)


def _some(table: Any) -> Any:
    return Annotated[list[table], Meta(min_length=1)]


# A list of two rather than a tuple of two: msgspec 0.19 reads beyond the constraints of a tuple in a union.
_DATASET_KEYS: dict[str, Any] = {
    **_same("batch_size", "enable_bucket", "bucket_no_upscale", "bucket_reso_steps"),
    **_same("min_bucket_reso", "max_bucket_reso", "validation_split", "validation_seed"),
    "resolution": Annotated[int, Meta(ge=1)]
    | Annotated[list[Annotated[int, Meta(ge=1)]], Meta(min_length=2, max_length=2)],
}
_SUBSET_KEYS: dict[str, Any] = {
    **_same("caption_extension", "caption_separator", "caption_prefix", "caption_suffix", "shuffle_caption"),
    **_same("keep_tokens", "keep_tokens_separator", "secondary_separator", "enable_wildcard"),
    **_same("caption_dropout_rate", "caption_dropout_every_n_epochs", "caption_tag_dropout_rate"),
    **_same("token_warmup_min", "token_warmup_step"),
    **_same("color_aug", "flip_aug", "random_crop", "alpha_mask"),
    "resize_interpolation": _HINTS["resize_interpolation"] | Literal["linear", "cubic"],
    "face_crop_aug_range": Annotated[list[float], Meta(min_length=2, max_length=2)],
    "num_repeats": Annotated[int, Meta(ge=0, le=100_000)],
    "class_tokens": str,
    "cache_info": bool,
    "custom_attributes": _table("_CustomAttributes", {"diff_output_preservation": bool}),
}
_FOLDER_KEYS: dict[str, Any] = {"is_reg": bool, "conditioning_data_dir": str}

_SUBSET = _table("_Subset", {**_SUBSET_KEYS, **_FOLDER_KEYS}, image_dir=Annotated[str, Meta(min_length=1)])
_GENERAL = _table("_General", {**_DATASET_KEYS, **_SUBSET_KEYS})
_DATASET = _table("_Dataset", {**_DATASET_KEYS, **_SUBSET_KEYS}, subsets=_some(_SUBSET))
_FILE = _table("_File", {"general": _GENERAL}, datasets=_some(_DATASET))
