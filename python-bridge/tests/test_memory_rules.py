"""What the parameters of precision and memory may be together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from training_support import make_config

from lora_bridge.memory_rules import memory_warnings, require_memory
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("mixed_precision", ["no", "fp16"])
def test_full_bf16_needs_bf16(tmp_path: Path, mixed_precision: str) -> None:
    with pytest.raises(ProblemError, match=f"Mixed precision is {mixed_precision}") as caught:
        require_memory(make_config(tmp_path, full_bf16=True, mixed_precision=mixed_precision))
    assert caught.value.problem.code == "full_bf16_needs_bf16"


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"full_bf16": True, "mixed_precision": "bf16"},
        *({"quantize_base_model": how, "mixed_precision": "no"} for how in ("fp8", "int8", "nf4")),
    ],
)
def test_what_goes_together(tmp_path: Path, changes: dict[str, Any]) -> None:
    require_memory(make_config(tmp_path, **changes))


def test_a_method_without_checkpointing_is_told(tmp_path: Path) -> None:
    def codes(**changes: Any) -> list[str]:
        return [problem.code for problem in memory_warnings(make_config(tmp_path, **changes))]

    assert codes(checkpointing_method="selective") == ["checkpointing_ignored"]
    assert codes(checkpointing_method="selective", gradient_checkpointing=True) == []
    assert codes() == []
