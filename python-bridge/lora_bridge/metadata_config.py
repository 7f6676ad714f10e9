"""The config inside a LoRA file, so that the run can be repeated: names of files, never where they lie."""

from __future__ import annotations

import json
import re
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

KEY = "lora_atelier.config"
_HUB_NAME = re.compile(r"\w[\w.-]*/\w[\w.-]*")
_MODELS = ("pretrained_model_name_or_path", "vae")
"""A place too, or a name."""
_PLACES = (
    "train_data_dir",
    "reg_data_dir",
    "dataset_config",
    "conditioning_data_dir",
    "output_dir",
    "logging_dir",
    "network_weights",
    "base_weights",
    "lycoris_preset",
    "resume",
    "sample_prompts_file",
    "metadata_thumbnail",
)
_OF_THE_MACHINE = ("machine_rank", "main_process_ip", "main_process_port", "gpu_ids")


def config_for_reproduction(config: TrainConfig, seed: int) -> str:
    """The config as JSON with the `seed` that was drawn, files and folders by their names alone, models of a
    hub by their whole names.

    What is of the machine is left out: a reader takes the defaults.
    """
    values = msgspec.to_builtins(config)
    for key in _OF_THE_MACHINE:
        del values[key]
    for key in _MODELS:
        values[key] = name_of_model(values[key])
    for key in _PLACES:
        values[key] = "\n".join(name_of_place(line) for line in values[key].splitlines())
    return json.dumps({**values, "seed": seed})


def name_of_model(name: str) -> str:
    """Of a model on this machine without the folders that lead to it; of one on a hub `owner/model`."""
    name = name.strip()
    is_of_hub = _HUB_NAME.fullmatch(name) and not Path(name).exists()
    return name if is_of_hub else name_of_place(name)


def name_of_place(path: str) -> str:
    """A file or folder without the folders that lead to it, on any system."""
    path = path.strip().rstrip("/\\")
    return PureWindowsPath(PurePosixPath(path).name).name
