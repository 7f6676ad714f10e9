"""What a config builds into each layer where it asks for LyCORIS's modules."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from lora_bridge.lycoris_network import LycorisChances, LycorisSite
from lora_bridge.lycoris_sites import choose_sites
from lora_bridge.metadata_config import name_of_place
from lora_bridge.switches import Chances

if TYPE_CHECKING:
    from torch import nn

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.lycoris_presets import Algorithm
    from lora_bridge.protocol_types import LoraType, TrainConfig

_ALGORITHMS: dict[LoraType, Algorithm] = {
    "Kohya DyLoRA": "dylora",
    "Kohya LoHa": "loha",
    "Kohya LoKr": "lokr",
    "LyCORIS/LoCon": "locon",
    "LyCORIS/LoHa": "loha",
    "LyCORIS/LoKr": "lokr",
    "LyCORIS/iA3": "ia3",
    "LyCORIS/GLoRA": "glora",
    "LyCORIS/BOFT": "boft",
    "LyCORIS/Diag-OFT": "diag-oft",
    "LyCORIS/DyLoRA": "dylora",
    "LyCORIS/Native Fine-Tuning": "full",
}
_KOHYA_MODULES: dict[LoraType, str] = {
    "Kohya DyLoRA": "networks.dylora",
    "Kohya LoHa": "networks.loha",
    "Kohya LoKr": "networks.lokr",
}


def plan_modules(config: TrainConfig, part: LoraPart, module: nn.Module) -> list[LycorisSite]:
    """The layers of a part that learn, with the module that each gets.

    Raises ProblemError `lycoris_preset_…`.
    """
    planned: list[LycorisSite] = []
    for site, rank, override in choose_sites(config, part, module):
        algorithm = override.algo or _ALGORITHMS[config.lora_type]
        planned.append(LycorisSite(site, algorithm, rank, _parameters(config) | override.parameters()))
    return planned


def lycoris_chances(config: TrainConfig) -> LycorisChances:
    """What the config leaves out by chance."""
    chances = Chances(config.network_dropout, config.rank_dropout, config.module_dropout)
    return LycorisChances(chances, config.rank_dropout_scale)


def kohya_module(config: TrainConfig) -> str:
    """Which of Kohya's network modules it stands for."""
    return _KOHYA_MODULES.get(config.lora_type, "lycoris.kohya")


def lycoris_network_args(config: TrainConfig) -> dict[str, str]:
    """What sd-scripts would have been given as `--network_args`."""
    algorithm = _ALGORITHMS[config.lora_type]
    given: dict[str, Any] = {
        "conv_dim": config.conv_dim,
        "conv_alpha": config.conv_alpha if config.conv_dim else 0,
        "rank_dropout": config.rank_dropout,
        "module_dropout": config.module_dropout,
        "loraplus_lr_ratio": config.loraplus_lr_ratio,
        "loraplus_unet_lr_ratio": config.loraplus_unet_lr_ratio,
        "loraplus_text_encoder_lr_ratio": config.loraplus_text_encoder_lr_ratio,
        "use_tucker": config.use_tucker or config.use_cp,
        "use_scalar": config.use_scalar,
        "bypass_mode": config.bypass_mode,
        "dora_wd": config.dora_wd,
    }
    if config.lora_type == "Kohya DyLoRA":
        given["unit"] = config.unit
    if algorithm == "lokr":
        given |= {
            "factor": config.factor if config.factor > 0 else 0,
            "decompose_both": config.decompose_both,
        }
    if config.lora_type.startswith("LyCORIS/"):
        own = {
            "dylora": {"block_size": config.unit},
            "ia3": {"train_on_input": config.train_on_input},
            "diag-oft": {"constraint": config.constrain, "rescaled": config.rescaled},
            "boft": {"constraint": config.constrain, "rescaled": config.rescaled},
        }
        given |= own.get(algorithm, {}) | {
            "algo": algorithm,
            "preset": name_of_place(config.lycoris_preset),
            "rank_dropout_scale": config.rank_dropout_scale,
            "train_norm": config.train_norm,
        }
    return {key: str(value) for key, value in given.items() if value}


def _parameters(config: TrainConfig) -> dict[str, Any]:
    """Of every module, by LyCORIS's names; each takes those that are its own."""
    return {
        "use_tucker": config.use_tucker or config.use_cp,
        "use_scalar": config.use_scalar,
        "weight_decompose": config.dora_wd,
        "bypass_mode": config.bypass_mode,
        "factor": config.factor,
        "decompose_both": config.decompose_both,
        "block_size": config.unit,
        "constraint": config.constrain,
        "rescaled": config.rescaled,
        "train_on_input": config.train_on_input,
    }
