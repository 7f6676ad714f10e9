"""Datasets in sd-scripts' TOML (`library/config_util.py`): `[[datasets]]` with `[[datasets.subsets]]`."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from lora_bridge.concepts import is_folder
from lora_bridge.dataset_sources import FolderSource, PartSource
from lora_bridge.dataset_toml_schema import OUR_NAMES, check_tables
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import ConceptSource, Problem, TrainConfig

_FILTERS = {"linear": "bilinear", "cubic": "bicubic"}
"""Our names for sd-scripts' names of filters."""
_NOT_IN_CONFIG = frozenset(
    {"image_dir", "class_tokens", "is_reg", "cache_info", "custom_attributes", "subsets"}
)


def read_dataset_toml(config: TrainConfig) -> tuple[list[PartSource], list[Problem]]:
    """The parts that the file of `dataset_config` asks for, and what is odd about them.

    A key counts for a subset if it is there, else if it is in its dataset, in `[general]`, in the config. A
    relative `image_dir` or `conditioning_data_dir` is looked for beside the file, then in the current folder,
    as sd-scripts does. Raises ProblemError `dataset_config_missing`, `dataset_config_unreadable` or
    `bad_dataset_config`, which names the place in the file.
    """
    file = Path(config.dataset_config.strip())
    tables = _load(file)
    check_tables(tables, file.name)
    general: dict[str, Any] = tables.get("general", {})
    parts: list[PartSource] = []
    odd: list[Problem] = []
    for number, dataset in enumerate(tables["datasets"]):
        shared = {**general, **dataset}
        folders: list[FolderSource] = []
        for index, subset in enumerate(dataset["subsets"]):
            place = f"{file.name}, datasets[{number}].subsets[{index}]"
            folder = _folder(config, {**shared, **subset}, file.parent, place)
            if folder.config.dataset_repeats:
                folders.append(folder)
            else:
                odd.append(_switched_off(folder))
            if "cache_info" in {**shared, **subset}:
                odd.append(_without_effect(place))
        parts.append(PartSource(_applied(config, shared), folders, f"{file.name}, datasets[{number}]"))
    return parts, odd


def _load(file: Path) -> dict[str, Any]:
    try:
        # Notepad begins a file with a byte order mark, which TOML does not know.
        text = file.read_bytes().decode("utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError as error:
        raise ProblemError(
            "dataset_config_missing",
            f"There is no file {file}, which Dataset config file names.",
            "Choose another, or clear the field to use the image folder.",
        ) from error
    except OSError as error:
        raise ProblemError(
            "dataset_config_unreadable",
            f"The dataset config {file} cannot be read: {error.strerror or error}.",
            "Check that it is a file and that you may open it.",
        ) from error
    except UnicodeDecodeError as error:
        raise ProblemError(
            "bad_dataset_config", f"The dataset config {file} is not UTF-8.", "Save it as UTF-8."
        ) from error
    except (ValueError, RecursionError) as error:
        # tomllib tells line and column.
        reason = "it is nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise ProblemError(
            "bad_dataset_config",
            f"The dataset config {file} is not TOML: {reason}.",
            "Correct that line. Windows paths need 'single quotes'.",
        ) from error


def _folder(config: TrainConfig, table: dict[str, Any], beside: Path, place: str) -> FolderSource:
    own = {key: value for key, value in table.items() if key not in _NOT_IN_CONFIG}
    if own.get("conditioning_data_dir"):
        own["conditioning_data_dir"] = _found(own["conditioning_data_dir"], beside)
    applied = _applied(config, own)
    concept = ConceptSource(
        folder=_found(table["image_dir"], beside),
        prompt=table.get("class_tokens", "").strip(),
        repeats=applied.dataset_repeats,
        regularization=table.get("is_reg", False),
    )
    preserves = table.get("custom_attributes", {}).get("diff_output_preservation", False)
    return FolderSource(applied, concept, preserves, place)


def _applied(config: TrainConfig, table: dict[str, Any]) -> TrainConfig:
    """The config with the values of a table."""
    changes = {OUR_NAMES.get(key, key): value for key, value in table.items() if key not in _NOT_IN_CONFIG}
    for key in ("max_resolution", "face_crop_aug_range"):
        if key in changes:
            values = changes[key] if isinstance(changes[key], list) else [changes[key]]
            changes[key] = ",".join(str(value) for value in values)
    filters = changes.get("resize_interpolation")
    if filters in _FILTERS:
        changes["resize_interpolation"] = _FILTERS[filters]
    return replace(config, **changes)


def _found(folder: str, beside: Path) -> str:
    path = beside / folder
    elsewhere = Path(folder)
    return str(elsewhere.absolute() if is_folder(elsewhere) and not is_folder(path) else path)


def _switched_off(folder: FolderSource) -> Problem:
    return Problem(
        code="folder_ignored",
        message=f"{folder.concept.folder} is not used: its num_repeats is 0 ({folder.place}).",
        hint="Set num_repeats to 1 or more to use it.",
    )


def _without_effect(place: str) -> Problem:
    return Problem(
        code="cache_info_ignored",
        message=f"{place}: cache_info has no effect: what is unchanged is not read again anyway.",
    )
