"""kohya_ss's 18 SDXL presets, as the app reads them, train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from default_config import default_config
from training_support import make_config, require_learnt, run_training

PRESETS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "tests" / "fixtures" / "kohya" / "sdxl-presets-imported.json").read_bytes()
)
STEPS = 3
_PLACES = ("train_data_dir", "output_dir", "logging_dir", "output_name", "max_bucket_reso")


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_trains(project: Path, tiny_sdxl: Path, name: str) -> None:
    values = {**default_config(), **PRESETS[name]}
    if values["network_weights"]:
        earlier, _ = run_training(
            project, tiny_sdxl, max_train_steps=1, output_name="earlier", text_encoder_lr=1e-4
        )
        values = {**values, "network_weights": str(earlier.outputs[0])}

    # All that the preset says, but where things are and how large and long.
    places: dict[str, Any] = {
        key: value for key, value in msgspec.to_builtins(make_config(project)).items() if key in _PLACES
    }
    changes: dict[str, Any] = {
        **values,
        **places,
        "max_train_steps": STEPS,
        "max_resolution": "256,256",
    }
    del changes["pretrained_model_name_or_path"]
    ending, sink = run_training(project, tiny_sdxl, None, **changes)

    require_learnt(ending, sink, STEPS)
