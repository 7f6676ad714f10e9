"""What is in a LoRA file, whoever made it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import pytest
import torch
from tensor_files import save_tensors

from lora_bridge.events import MAX_LINE_BYTES
from lora_bridge.inspection import inspect_lora
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

UNET = "lora_unet_input_blocks_4_1_proj_in"
TE1 = "lora_te1_text_model_encoder_layers_0_mlp_fc1"
TE2 = "lora_te2_text_model_encoder_layers_0_mlp_fc1"


def module(name: str, rank: int = 4, alpha: float | None = 2.0, up: float = 0.5) -> dict[str, Tensor]:
    """A module in Kohya's names, its up matrix filled with one number."""
    tensors = {
        f"{name}.lora_down.weight": torch.full((rank, 8), 0.1, dtype=torch.float16),
        f"{name}.lora_up.weight": torch.full((8, rank), up, dtype=torch.float16),
    }
    if alpha is not None:
        tensors[f"{name}.alpha"] = torch.tensor(alpha, dtype=torch.float16)
    return tensors


def refused(path: object) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        inspect_lora(str(path))
    return caught.value


def test_tells_modules_ranks_and_metadata(tmp_path: Path) -> None:
    tensors = {**module(UNET), **module(TE1, rank=8, alpha=8.0, up=-0.25), **module(TE2)}
    file = save_tensors(tmp_path / "lora.safetensors", tensors, ss_network_dim="4", ss_output_name="zoë")
    found = inspect_lora(str(file))
    assert found.path == str(file)
    assert found.bytes == file.stat().st_size
    assert found.tensors == 9
    assert found.dtypes == ["F16"]
    assert [(lora.name, lora.rank, lora.alpha, lora.up_max) for lora in found.modules] == [
        (TE1, 8, 8.0, 0.25),
        (TE2, 4, 2.0, 0.5),
        (UNET, 4, 2.0, 0.5),
    ]
    assert (found.parts.unet, found.parts.text_encoder1, found.parts.text_encoder2, found.parts.other) == (
        1,
        1,
        1,
        0,
    )
    assert found.ranks == [4, 8]
    assert found.alphas == [2.0, 8.0]
    assert found.metadata == {"ss_network_dim": "4", "ss_output_name": "zoë"}
    assert found.non_finite_tensors == []
    assert found.empty_modules == []


def test_without_alpha_the_rank_counts(tmp_path: Path) -> None:
    file = save_tensors(tmp_path / "lora.safetensors", module(UNET, rank=16, alpha=None))
    assert inspect_lora(str(file)).alphas == [16.0]


def test_names_what_is_not_a_number(tmp_path: Path) -> None:
    tensors = {**module(UNET), **module(TE1), **module(TE2)}
    tensors[f"{UNET}.lora_up.weight"][3, 1] = math.nan
    tensors[f"{TE1}.lora_down.weight"][0, 0] = -math.inf
    tensors[f"{TE2}.alpha"].fill_(math.inf)
    found = inspect_lora(str(save_tensors(tmp_path / "lora.safetensors", tensors)))
    bad = [f"{TE1}.lora_down.weight", f"{TE2}.alpha", f"{UNET}.lora_up.weight"]
    assert found.non_finite_tensors == bad
    assert [lora.non_finite for lora in found.modules] == [[name] for name in bad]
    assert [lora.up_max for lora in found.modules] == [0.5, 0.5, None]
    assert [lora.alpha for lora in found.modules] == [2.0, None, 2.0]
    assert found.empty_modules == []
    assert b"NaN" not in msgspec.json.encode(found)


def test_names_modules_that_do_nothing(tmp_path: Path) -> None:
    lonely = {f"{TE1}.lora_down.weight": torch.ones(4, 8)}
    tensors = {**module(UNET, up=0.0), **module(TE2), **lonely}
    found = inspect_lora(str(save_tensors(tmp_path / "lora.safetensors", tensors)))
    assert found.empty_modules == [TE1, UNET]


@pytest.mark.parametrize(
    ("shapes", "learnt", "rank"),
    [
        (
            {"hada_w1_a": (8, 3), "hada_w1_b": (3, 8), "hada_w2_a": (8, 3), "hada_w2_b": (3, 8)},
            "hada_w2_a",
            3,
        ),
        ({"lokr_w1": (2, 2), "lokr_w2_a": (4, 3), "lokr_w2_b": (3, 4)}, "lokr_w2_b", 3),
        ({"lokr_w1": (2, 2), "lokr_w2": (4, 4)}, "lokr_w2", 0),
        (
            {"a1.weight": (8, 3), "a2.weight": (3, 8), "b1.weight": (8, 3), "b2.weight": (3, 8)},
            "b2.weight",
            3,
        ),
        ({"oft_blocks": (2, 4, 4)}, "oft_blocks", 0),
        ({"oft_blocks": (3, 2, 4, 4), "rescale": (8, 1)}, "oft_blocks", 0),
        ({"weight": (8,), "on_input": ()}, "weight", 0),
        ({"diff": (8, 8), "diff_b": (8,)}, "diff_b", 0),
        ({"w_norm": (8,), "b_norm": (8,)}, "w_norm", 0),
        ({"lora_down.weight": (3, 8), "lora_up.weight": (8, 3), "dora_scale": (1, 8)}, "lora_up.weight", 3),
        (
            {
                "lora_down.weight": (3, 8, 1, 1),
                "lora_mid.weight": (3, 3, 3, 3),
                "lora_up.weight": (8, 3, 1, 1),
            },
            "lora_up.weight",
            3,
        ),
    ],
)
def test_counts_every_kind_of_adapter(
    tmp_path: Path, shapes: dict[str, tuple[int, ...]], learnt: str, rank: int
) -> None:
    tensors = {f"{name}.{key}": torch.zeros(shape) for name in (UNET, TE1) for key, shape in shapes.items()}
    for key in shapes.keys() - {learnt}:
        if not key.startswith(("diff", "w_", "b_", "a2")):
            tensors[f"{TE1}.{key}"].fill_(1)
    tensors[f"{UNET}.{learnt}"].fill_(-0.5)
    tensors |= {f"{name}.alpha": torch.tensor(2.0) for name in (UNET, TE1)}
    found = inspect_lora(str(save_tensors(tmp_path / "lora.safetensors", tensors)))
    assert [(lora.name, lora.rank, lora.up_max) for lora in found.modules] == [
        (TE1, rank, 0.0),
        (UNET, rank, 0.5),
    ]
    assert (found.parts.unet, found.parts.text_encoder1) == (1, 1)
    assert found.empty_modules == [TE1]
    assert (found.ranks, found.alphas) == (([rank], [2.0]) if rank else ([], []))


def test_names_what_is_not_a_number_in_any_kind(tmp_path: Path) -> None:
    tensors = {f"{UNET}.diff": torch.full((2, 2), math.inf), f"{UNET}.diff_b": torch.ones(2)}
    (lora,) = inspect_lora(str(save_tensors(tmp_path / "lora.safetensors", tensors))).modules
    assert (lora.up_max, lora.non_finite) == (None, [f"{UNET}.diff"])


def test_reads_the_names_of_diffusers(tmp_path: Path) -> None:
    tensors = {
        "unet.mid_block.attentions.0.proj_in.lora_A.weight": torch.ones(4, 8),
        "unet.mid_block.attentions.0.proj_in.lora_B.weight": torch.ones(8, 4),
    }
    found = inspect_lora(str(save_tensors(tmp_path / "lora.safetensors", tensors)))
    assert (found.parts.unet, found.ranks, found.alphas) == (1, [4], [4.0])


def test_a_picture_in_the_metadata_does_not_break_the_line(tmp_path: Path) -> None:
    thumbnail = "data:image/jpeg;base64," + "A" * (2 * MAX_LINE_BYTES)
    file = save_tensors(tmp_path / "lora.safetensors", module(UNET), thumbnail=thumbnail)
    found = inspect_lora(str(file))
    assert found.metadata["thumbnail"].endswith(f"({len(thumbnail)} characters)")
    assert len(msgspec.json.encode(found)) < MAX_LINE_BYTES


def test_refuses_what_is_no_lora(tmp_path: Path) -> None:
    assert refused(tmp_path / "missing.safetensors").problem.code == "lora_missing"
    assert refused(tmp_path).problem.code == "lora_missing"
    text = tmp_path / "text.safetensors"
    text.write_text("not weights at all")
    assert refused(text).problem.code == "lora_damaged"
    text.write_text("")
    assert refused(text).problem.code == "lora_damaged"
    model = save_tensors(tmp_path / "model.safetensors", {"unet.conv_in.weight": torch.ones(2, 2)})
    assert refused(model).problem.code == "not_a_lora"
    assert "model.safetensors" in refused(model).problem.message
    scalar = save_tensors(tmp_path / "scalar.safetensors", {f"{UNET}.lora_down.weight": torch.tensor(1.0)})
    assert refused(scalar).problem.code == "not_a_lora"


@pytest.mark.parametrize("kept", [7, 40, 200, -1])
def test_refuses_a_file_that_is_cut_short(tmp_path: Path, kept: int) -> None:
    file = save_tensors(tmp_path / "lora.safetensors", module(UNET))
    file.write_bytes(file.read_bytes()[:kept])
    assert refused(file).problem.code == "lora_damaged"
    assert "lora.safetensors" in refused(file).problem.message
