"""What of the network is refused or warned of before a run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_support import make_config

from lora_bridge.network_rules import network_warnings
from lora_bridge.plan import require_config
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

_LOHA = {"lora_type": "LyCORIS/LoHa"}
_INT8 = {"quantize_base_model": "int8"}


@pytest.mark.parametrize(
    ("code", "words", "changes"),
    [
        ("nothing_kept", "Network dropout is 1", {"network_dropout": 1.0}),
        ("nothing_kept", "Rank dropout is 1", {"rank_dropout": 1.0}),
        ("nothing_kept", "Module dropout is 1", {"module_dropout": 1.0}),
        ("network_weights_missing", "Network weights", {"dim_from_weights": True}),
        ("network_weights_missing", "no file", {"network_weights": "gone.safetensors"}),
        ("base_weights_missing", "Base weights: there is no file", {"base_weights": "gone.safetensors"}),
        ("base_weights_multiplier", "2 numbers for 0 files", {"base_weights_multiplier": "1 1"}),
        ("bad_block_weights", "Down LR weights has 2 numbers", {"down_lr_weight": "1,1"}),
        ("bad_block_weights", "Block dims", {"block_dims": "4," * 22 + "four"}),
        ("dim_from_weights_type", "DIM", {**_LOHA, "dim_from_weights": True, "network_weights": "a"}),
        ("lycoris_preset_unknown", "“fulll” is no preset", {**_LOHA, "lycoris_preset": "fulll"}),
        ("lycoris_preset_missing", "gone.toml", {**_LOHA, "lycoris_preset": "gone.toml"}),
        ("rank_in_blocks", "Network Rank is 4", {"lora_type": "Kohya DyLoRA", "unit": 3}),
        ("rank_in_blocks", "Convolution", {"lora_type": "LyCORIS/DyLoRA", "unit": 4, "conv_dim": 6}),
        ("rank_in_blocks", "so small", {"lora_type": "LyCORIS/BOFT", "network_dim": 9}),
        ("rank_in_blocks", "Convolution", {"lora_type": "LyCORIS/BOFT", "network_dim": 10, "conv_dim": 2}),
        ("no_weight", "Native", {"lora_type": "LyCORIS/Native Fine-Tuning", **_INT8}),
        ("no_weight", "DoRA", {**_LOHA, "dora_wd": True, **_INT8}),
        ("averaged_twice", "EMA", {"use_ema": True, "optimizer": "AdamWScheduleFree"}),
        ("one_rate_only", "LoRA+", {"optimizer": "Prodigy", "learning_rate": 1.0, "loraplus_lr_ratio": 4.0}),
        ("one_rate_only", "LoRA+", {"optimizer": "Adafactor", "loraplus_unet_lr_ratio": 4.0}),
        ("one_rate_only", "Down, Mid", {"optimizer": "Adafactor", "up_lr_weight": "cosine"}),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, code: str, words: str, changes: dict[str, Any]) -> None:
    with pytest.raises(ProblemError) as caught:
        require_config(make_config(tmp_path, **changes))
    assert caught.value.problem.code == code
    assert words in caught.value.problem.message


@pytest.mark.parametrize(
    "changes",
    [
        {"network_dropout": 0.99},
        # Blocks that are not built have no rate.
        {"optimizer": "Adafactor", "down_lr_weight": "zeros"},
        {"optimizer": "Prodigy", "learning_rate": 1.0, "loraplus_text_encoder_lr_ratio": 4.0},
        {"use_ema": True},
        {"lora_type": "LyCORIS/BOFT", "network_dim": 10},
        {"lora_type": "LyCORIS/DyLoRA", "unit": 4, "conv_dim": 8},
        {**_LOHA, **_INT8},
    ],
)
def test_what_goes_together_is_let_be(tmp_path: Path, changes: dict[str, Any]) -> None:
    require_config(make_config(tmp_path, **changes))


@pytest.mark.parametrize(
    ("codes", "changes"),
    [
        ([], {"network_dim": 320, "network_alpha": 160.0}),
        (["alpha_above_rank"], {"network_alpha": 8.0}),
        (["rank_above_width"], {"network_dim": 321, "network_alpha": 160.0}),
        (["alpha_far_below_rank"], {"network_dim": 64, "network_alpha": 1.0}),
        (["no_convolutions"], {"lora_type": "Kohya LoCon"}),
        ([], {"lora_type": "Kohya LoCon", "conv_dim": 4}),
        ([], {"lora_type": "LyCORIS/LoKr", "network_dim": 100000, "network_alpha": 100000.0}),
        (["not_ia3s_preset"], {"lora_type": "LyCORIS/iA3"}),
        ([], {"lora_type": "LyCORIS/iA3", "lycoris_preset": " ia3 "}),
    ],
)
def test_oddities_are_warned_of(tmp_path: Path, codes: list[str], changes: dict[str, Any]) -> None:
    assert [problem.code for problem in network_warnings(make_config(tmp_path, **changes))] == codes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("enable_conv = 3", "enable_conv"),
        ("enable_convs = true", "enable_convs"),
        ("[module_algo_map.Linear]\nalgo = 'lora2'", "lora2"),
        ("unet_target_name = ['(']", "unterminated"),
        ("unet_target_name", "Expected '='"),
    ],
)
def test_a_preset_that_is_none_is_named(tmp_path: Path, content: str, words: str) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(content)
    with pytest.raises(ProblemError, match=words) as caught:
        require_config(make_config(tmp_path, **_LOHA, lycoris_preset=str(file)))
    assert caught.value.problem.code == "lycoris_preset_invalid"
    assert str(file) in caught.value.problem.message
