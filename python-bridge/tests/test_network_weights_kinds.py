"""A training that begins with an adapter that is no LoRA: its effect stays, whatever alpha and rank."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from elsewhere import LDM, LINEAR
from tensor_files import save_tensors
from training_support import make_config

from lora_bridge.adapter_weights import changed_weight
from lora_bridge.lora_kinds import kind_of, rank_of
from lora_bridge.network_weights import load_start
from lora_bridge.networks import NetworkTensor
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_OUT, _IN = 12, 8


def loha(rank: int, alpha: float) -> dict[str, Tensor]:
    sides = {f"hada_w{which}_a": torch.randn(_OUT, rank) for which in (1, 2)}
    return {**sides, **{f"hada_w{which}_b": torch.randn(rank, _IN) for which in (1, 2)}, **alpha_of(alpha)}


def lokr(rank: int, alpha: float) -> dict[str, Tensor]:
    small = {"lokr_w1_a": torch.randn(2, rank), "lokr_w1_b": torch.randn(rank, 2)}
    large = {"lokr_w2_a": torch.randn(_OUT // 2, rank), "lokr_w2_b": torch.randn(rank, _IN // 2)}
    return {**small, **large, **alpha_of(alpha)}


def alpha_of(alpha: float) -> dict[str, Tensor]:
    return {"alpha": torch.tensor(alpha)}


def oft(_rank: int, alpha: float) -> dict[str, Tensor]:
    return {"oft_blocks": torch.randn(3, 4, 4), **alpha_of(alpha)}


def started(file: Path, given: dict[str, Tensor], fresh: dict[str, Tensor]) -> dict[str, Tensor]:
    """What a network of the `fresh` tensors is given to begin with."""
    save_tensors(file, {f"{LDM[LINEAR]}.{key}": value for key, value in given.items()})
    taken: dict[str, dict[str, Tensor]] = {}
    network = SimpleNamespace(
        part="unet",
        tensors=lambda: (NetworkTensor(LINEAR, key, value) for key, value in fresh.items()),
        load=taken.update,
    )
    load_start([cast("Any", network)], make_config(file.parent, network_weights=str(file)))
    return taken[LINEAR]


def effect(tensors: dict[str, Tensor]) -> Tensor:
    shapes = {key: tuple(value.shape) for key, value in tensors.items()}
    kind = kind_of(shapes)
    assert kind is not None
    scale = tensors["alpha"].item() / rank_of(shapes)
    changed = changed_weight(kind, tensors, torch.zeros(_OUT, _IN), scale, 1.0)
    assert changed is not None
    return changed


@pytest.mark.parametrize("make", [loha, lokr])
@pytest.mark.parametrize(("rank", "alpha"), [(3, 6.0), (3, 0.5), (5, 1.0)])
def test_the_effect_stays(tmp_path: Path, make: Any, rank: int, alpha: float) -> None:
    given, fresh = make(3, 6.0), make(rank, alpha)
    taken = started(tmp_path / "a.safetensors", given, fresh)
    assert {key: value.shape for key, value in taken.items()} == {
        key: value.shape for key, value in fresh.items()
    }
    torch.testing.assert_close(effect(taken), effect(given))


def test_what_has_no_rank_is_taken_as_it_is(tmp_path: Path) -> None:
    given = oft(0, 1.0)
    taken = started(tmp_path / "a.safetensors", given, oft(0, 1.0))
    assert torch.equal(taken["oft_blocks"], given["oft_blocks"])


def test_a_core_keeps_its_rank(tmp_path: Path) -> None:
    def tucker(rank: int) -> dict[str, Tensor]:
        core = {"lora_mid.weight": torch.randn(rank, rank, 3, 3)}
        sides = {"lora_down.weight": torch.randn(rank, 4, 1, 1), "lora_up.weight": torch.randn(6, rank, 1, 1)}
        return {**core, **sides, "alpha": torch.tensor(1.0)}

    with pytest.raises(ProblemError, match="does not fit") as caught:
        started(tmp_path / "a.safetensors", tucker(2), tucker(3))
    assert caught.value.problem.code == "network_weights_shape"


def test_both_products_of_a_glora_take_the_factor(tmp_path: Path) -> None:
    def glora(alpha: float) -> dict[str, Tensor]:
        sides = {f"{side}1.weight": torch.randn(_OUT, 2) for side in "ab"}
        return {**sides, **{f"{side}2.weight": torch.randn(2, _IN) for side in "ab"}, **alpha_of(alpha)}

    given = glora(1.0)
    found = started(tmp_path / "a.safetensors", given, glora(2.0))
    for side in "ab":
        torch.testing.assert_close(found[f"{side}1.weight"], given[f"{side}1.weight"])
        torch.testing.assert_close(found[f"{side}2.weight"], given[f"{side}2.weight"] / 2)
