"""What is answered when the memory of a run is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from test_fitting import full_config

from lora_bridge.memory_plan import plan_memory
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Device

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import TrainConfig

_GIBIBYTE = 1 << 30


def device(gibibytes: float | None, kind: Any = "cuda") -> Device:
    memory = None if gibibytes is None else int(gibibytes * _GIBIBYTE)
    return Device(kind=kind, name="TestCard", memory_bytes=memory)


def with_changes(config: TrainConfig, changes: dict[str, Any]) -> TrainConfig:
    return replace(config, **changes)


def test_it_adds_up(project: Path) -> None:
    memory = plan_memory(full_config(project), device(24))
    parts = memory.parts
    training = next(phase for phase in memory.phases if phase.phase == "training")
    added = parts.weights + parts.adapter + parts.optimizer + parts.activations + parts.libraries
    assert added == training.bytes
    assert memory.peak_bytes == memory.needed_bytes == max(phase.bytes for phase in memory.phases)
    assert (memory.memory_bytes, memory.fits, memory.fit) == (24 * _GIBIBYTE, True, [])
    # The four pictures of 128 pixels fill no bucket of 1024; they are enlarged.
    assert (memory.batch, memory.pixels) == (4, 1024 * 1024)


@pytest.mark.parametrize("kind", ["cuda", "cpu"])
def test_what_is_proposed_fits(project: Path, kind: str) -> None:
    config = full_config(project, gradient_checkpointing=False, network_dim=128, network_alpha=64.0)
    before = plan_memory(config, device(8, kind))
    assert before.fits is False
    assert before.fit
    for change in before.fit:
        assert change.advice[0].isupper()
        assert change.advice.endswith(".")
        assert change.cost
        config = with_changes(config, change.values)
    after = plan_memory(config, device(8, kind))
    assert (after.fits, after.fit) == (True, [])


def test_a_cpu_leaves_more_to_the_system_than_a_gpu(project: Path) -> None:
    for kind, share in (("cuda", 0.96), ("cpu", 0.89)):
        needed = plan_memory(full_config(project), device(100, kind)).needed_bytes / _GIBIBYTE
        assert plan_memory(full_config(project), device(needed / share, kind)).fits
        assert not plan_memory(full_config(project), device(needed / (share + 0.02), kind)).fits


def test_what_cannot_fit_is_told(project: Path) -> None:
    memory = plan_memory(full_config(project), device(2))
    assert memory.fits is False
    assert memory.fit is None
    assert 2 < memory.least_bytes / _GIBIBYTE < 3


def test_where_the_memory_is_not_known_nothing_is_proposed(project: Path) -> None:
    memory = plan_memory(full_config(project), device(None))
    assert (memory.memory_bytes, memory.fits, memory.fit) == (None, None, [])


def test_what_a_dataset_file_says_is_left_to_the_person(project: Path) -> None:
    file = project / "dataset.toml"
    folder = project / "img" / "2_ohwx person"
    file.write_text(
        f"[[datasets]]\nbatch_size = 8\nresolution = 1024\n[[datasets.subsets]]\nimage_dir = '{folder}'\n",
        encoding="utf-8",
    )
    memory = plan_memory(full_config(project, dataset_config=str(file)), device(9))
    assert memory.batch == 8
    assert memory.fit is not None
    (change,) = memory.fit
    assert change.advice.startswith("Set batch_size in the dataset file to ")
    assert change.values == {}


def test_samples_are_drawn_at_the_size_of_the_largest(project: Path) -> None:
    def sampling(**changes: str) -> int:
        memory = plan_memory(full_config(project, **changes), device(24))
        return sum(phase.bytes for phase in memory.phases if phase.phase == "sampling")

    assert sampling() == 0
    assert sampling(sample_prompts="a\nb --w 1024 --h 1536") > sampling(sample_prompts="a --w 1024 --h 1024")


def test_a_config_that_cannot_be_trained_has_its_error(project: Path) -> None:
    with pytest.raises(ProblemError) as caught:
        plan_memory(full_config(project, learning_rate=0.0), device(24))
    assert caught.value.problem.code == "nothing_learned"
