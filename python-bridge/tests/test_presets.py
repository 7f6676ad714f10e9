"""The app's own presets: they fit the cards they are for, and they train."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from training_support import make_config, require_learnt, run_training

from lora_bridge.memory_estimate import Run
from lora_bridge.memory_fit import fits
from lora_bridge.memory_phases import memory_phases
from lora_bridge.plan import require_config

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

PRESETS: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "tests" / "fixtures" / "protocol" / "presets.json").read_bytes()
)
CARDS = {"memory-8": 8, "memory-12": 12, "memory-16": 16, "memory-24": 24}
"""GiB."""
STEPS = 3
_GIBIBYTE = 1 << 30
_PIXELS = 128 * 128
"""Of the latent of a picture of 1024x1024."""
_DESKTOP = 3 * _GIBIBYTE // 4
"""What a screen and a browser hold of a card that is used for them too."""


def preset_config(project: Path, *names: str, **changes: Any) -> TrainConfig:
    """What the presets make of the defaults, one after the other."""
    values: dict[str, Any] = {}
    for name in names:
        values |= PRESETS[name]
    return make_config(project, **{**values, **changes})


def peaks(config: TrainConfig) -> dict[str, int]:
    """Bytes on the card in each phase, where pictures of that size are trained and drawn."""
    run = Run(config, _PIXELS, config.train_batch_size, _PIXELS)
    return {peak.phase: peak.needed for peak in memory_phases(run, "cuda")}


def test_every_memory_preset_has_its_card() -> None:
    assert {name for name in PRESETS if name.startswith("memory-")} == CARDS.keys()


@pytest.mark.parametrize("learning", ["avatar", "style", "fast"])
@pytest.mark.parametrize("memory", CARDS)
def test_a_memory_preset_fits_its_card_beside_a_desktop(project: Path, memory: str, learning: str) -> None:
    """Also at the full size, which the fast one does not train."""
    config = preset_config(project, learning, memory, max_resolution="1024,1024")
    assert fits(max(peaks(config).values()), CARDS[memory] * _GIBIBYTE - _DESKTOP, "cuda")


@pytest.mark.parametrize(
    "changes",
    [
        {"shuffle_caption": True},
        {"text_encoder_lr": 5e-5},
        {"optimizer": "Prodigy", "learning_rate": 1.0},
    ],
    ids="+".join,
)
@pytest.mark.parametrize("memory", CARDS)
def test_what_a_memory_preset_leaves_to_the_user_fits_too(
    project: Path, memory: str, changes: dict[str, Any]
) -> None:
    """With encoders that stay, or the optimizer that keeps most. Samples may have to be smaller then."""
    peak = peaks(preset_config(project, memory, **changes))["training"]
    assert fits(peak, CARDS[memory] * _GIBIBYTE, "cuda")


def test_larger_cards_give_up_less(project: Path) -> None:
    peak = [peaks(preset_config(project, name))["training"] for name in CARDS]
    assert peak == sorted(set(peak))


@pytest.mark.parametrize("name", PRESETS)
def test_a_preset_contradicts_nothing(project: Path, name: str) -> None:
    require_config(preset_config(project, name))


@pytest.mark.parametrize("names", [*((name,) for name in PRESETS), ("avatar", "memory-8")], ids="+".join)
def test_a_preset_trains(project: Path, tiny_sdxl: Path, names: tuple[str, ...]) -> None:
    values = {key: value for name in names for key, value in PRESETS[name].items()}
    changes: dict[str, Any] = {**values, "max_train_steps": STEPS, "max_resolution": "128,128"}

    ending, sink = run_training(project, tiny_sdxl, None, **changes)

    found = require_learnt(ending, sink, STEPS)
    assert not found.empty_modules
