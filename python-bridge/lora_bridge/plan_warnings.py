"""What a person should know about a run before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.dataset_warnings import dataset_warnings
from lora_bridge.identify import identify
from lora_bridge.memory_rules import memory_warnings
from lora_bridge.network_rules import network_warnings
from lora_bridge.objective_rules import objective_warnings
from lora_bridge.optimizer_choice import optimizer_warnings
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.dataset import Dataset
    from lora_bridge.protocol_types import TrainConfig


def plan_warnings(config: TrainConfig, dataset: Dataset) -> list[Problem]:
    """Everything odd about the pictures and the parameters, the pictures first."""
    return [
        *dataset_warnings(dataset),
        *_about_parameters(config),
        *objective_warnings(config),
        *network_warnings(config),
        *optimizer_warnings(config),
        *memory_warnings(config),
        *_about_base_model(config),
    ]


def _about_parameters(config: TrainConfig) -> Iterator[Problem]:
    if config.max_train_steps > 0:
        yield Problem(
            code="epochs_overridden",
            message=f"Max train steps is {config.max_train_steps}, so Epoch ({config.epoch}) is not used.",
            hint="Set Max train steps to 0 to let Epoch decide.",
        )


def _about_base_model(config: TrainConfig) -> Iterator[Problem]:
    problem = identify(config.pretrained_model_name_or_path).problem
    if problem is not None:
        yield problem
