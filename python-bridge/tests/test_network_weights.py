"""A training that begins with a LoRA made elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from elsewhere import CONV, DOWNSAMPLER, LDM, LINEAR, OUT, PROJECTION, SHORTCUT, dotted_file, kohya_file
from elsewhere import random_weights as weights_for
from tensor_files import load_tensors, save_tensors
from test_lora import inputs, tiny_encoder, tiny_unet
from training_support import make_config
from transformers import CLIPTextModel

from lora_bridge.adapters import build_networks
from lora_bridge.network_weights import load_start, ranks_of
from lora_bridge.problems import ProblemError

ATTENTION = (LINEAR, OUT, PROJECTION)
EVERY = (*ATTENTION, CONV, SHORTCUT, DOWNSAMPLER)


def with_start(tiny_sdxl: Path, file: Path | str, **changes: Any) -> tuple[Any, Any, list[str]]:
    """A UNet with a network that begins with a file, and the codes of the warnings."""
    unet = tiny_unet(tiny_sdxl)
    config = make_config(Path("project"), network_weights=str(file), **changes)
    networks = build_networks(config, {"unet": unet.module}, ["unet"], 5)
    warnings = load_start(networks, config)
    return unet, networks[0], [warning.code for warning in warnings]


def merged(tiny_sdxl: Path, weights: dict[str, Any]) -> Any:
    """A UNet whose own weights have the effect of a file in them."""
    unet = tiny_unet(tiny_sdxl)
    for name, each in weights.items():
        unet.module.get_submodule(name).weight.data += each.delta()
    return unet


def some(tiny_sdxl: Path, modules: tuple[str, ...], dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    """Weights of rank 3 at a scale that no network of the tests has."""
    unet = tiny_unet(tiny_sdxl)
    return {
        name: weights_for(unet.module.get_submodule(name), 3, 1.25, dtype, index)
        for index, name in enumerate(modules)
    }


def assert_same(tiny_sdxl: Path, unet: Any, weights: dict[str, Any]) -> None:
    with torch.no_grad():
        seen, expected = unet.predict(*inputs()), merged(tiny_sdxl, weights).predict(*inputs())
        torch.testing.assert_close(seen, expected, rtol=1e-4, atol=1e-5)
        assert (expected - tiny_unet(tiny_sdxl).predict(*inputs())).abs().max() > 1e-2


def refused(tiny_sdxl: Path, file: Path, **changes: Any) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        with_start(tiny_sdxl, file, **changes)
    assert "Network weights" in caught.value.problem.message
    assert caught.value.problem.hint
    return caught.value


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize(("dim", "alpha"), [(3, 3.75), (3, 1.0), (8, 4.0)])
def test_it_begins_with_the_effect_of_the_file(
    tiny_sdxl: Path, tmp_path: Path, dtype: torch.dtype, dim: int, alpha: float
) -> None:
    weights = some(tiny_sdxl, ATTENTION, dtype)
    file = kohya_file(tmp_path / "a.safetensors", weights)
    unet, network, warnings = with_start(tiny_sdxl, file, network_dim=dim, network_alpha=alpha)
    assert_same(tiny_sdxl, unet, weights)
    assert warnings == []
    assert network.has_learnt()


def test_convolutions_begin_with_it_too(tiny_sdxl: Path, tmp_path: Path) -> None:
    weights = some(tiny_sdxl, EVERY)
    file = kohya_file(tmp_path / "a.safetensors", weights)
    unet, *_ = with_start(tiny_sdxl, file, lora_type="Kohya LoCon", network_dim=6, conv_dim=5, conv_alpha=2.0)
    assert_same(tiny_sdxl, unet, weights)


def diffusers_named(module: str) -> str:
    return "lora_unet_" + module.replace(".", "_")


def test_names_of_diffusers_between_kohyas_underscores(tiny_sdxl: Path, tmp_path: Path) -> None:
    weights = some(tiny_sdxl, EVERY)
    file = kohya_file(tmp_path / "a.safetensors", weights, diffusers_named)
    unet, *_ = with_start(tiny_sdxl, file, lora_type="Kohya LoCon", network_dim=3, conv_dim=3)
    assert_same(tiny_sdxl, unet, weights)


@pytest.mark.parametrize(
    ("prefix", "keys"),
    [
        ("unet.", ("lora_A.weight", "lora_B.weight")),
        ("unet.", ("lora.down.weight", "lora.up.weight")),
        ("base_model.model.", ("lora_A.weight", "lora_B.weight")),
        ("unet.base_model.model.", ("lora_A.default.weight", "lora_B.default.weight")),
    ],
)
def test_dotted_names(tiny_sdxl: Path, tmp_path: Path, prefix: str, keys: tuple[str, str]) -> None:
    weights = {name: each._replace(scale=1.0) for name, each in some(tiny_sdxl, ATTENTION).items()}
    file = dotted_file(tmp_path / "a.safetensors", weights, prefix, keys)
    unet, *_ = with_start(tiny_sdxl, file)
    assert_same(tiny_sdxl, unet, weights)


def test_names_of_old_attention_processors(tiny_sdxl: Path, tmp_path: Path) -> None:
    weights = {name: each._replace(scale=1.0) for name, each in some(tiny_sdxl, (LINEAR, OUT)).items()}
    tensors = {
        f"unet.{name.rpartition('attn')[0]}{place}_lora.{side}.weight": tensor
        for name, place in ((LINEAR, "attn1.processor.to_q"), (OUT, "attn2.processor.to_out"))
        for side, tensor in zip(("down", "up"), weights[name][:2], strict=True)
    }
    unet, *_ = with_start(tiny_sdxl, save_tensors(tmp_path / "a.safetensors", tensors))
    assert_same(tiny_sdxl, unet, weights)


def test_alphas_that_diffusers_keeps_beside_the_tensors(tiny_sdxl: Path, tmp_path: Path) -> None:
    weights = some(tiny_sdxl, (LINEAR, OUT))
    weights = {LINEAR: weights[LINEAR]._replace(scale=2.0), OUT: weights[OUT]._replace(scale=3.0)}
    file = dotted_file(tmp_path / "a.safetensors", weights, "unet.", ("lora_A.weight", "lora_B.weight"))
    note = '{"unet.r": 3, "unet.lora_alpha": 6, "unet.alpha_pattern": {"attn2.to_out.0": 9}}'
    unet, *_ = with_start(tiny_sdxl, save_tensors(file, load_tensors(file), lora_adapter_metadata=note))
    assert_same(tiny_sdxl, unet, weights)


def test_what_the_file_lacks_begins_as_ever(tiny_sdxl: Path, tmp_path: Path) -> None:
    file = kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, (LINEAR,)))
    _, network, _ = with_start(tiny_sdxl, file)
    _, fresh, _ = with_start(tiny_sdxl, "")
    pairs = {pair.name: pair for pair in network.pairs}
    for pair in fresh.pairs:
        if pair.name != LINEAR:
            assert torch.equal(pair.down, pairs[pair.name].down)
            assert torch.equal(pair.up, pairs[pair.name].up)
    # Ranks that the file has not can learn: down is not zero there.
    grown = pairs[LINEAR]
    assert grown.down[3].any()
    assert not grown.up[:, 3].any()


def test_dim_from_weights(tiny_sdxl: Path, tmp_path: Path) -> None:
    weights = some(tiny_sdxl, EVERY)
    weights[OUT] = weights_for(tiny_unet(tiny_sdxl).module.get_submodule(OUT), 7, 0.5, torch.float32)
    file = kohya_file(tmp_path / "a.safetensors", weights)
    unet, network, _ = with_start(tiny_sdxl, file, dim_from_weights=True)
    assert_same(tiny_sdxl, unet, weights)
    assert {pair.name: pair.rank for pair in network.pairs} == {
        name: (len(each.down), each.scale * len(each.down)) for name, each in weights.items()
    }


def test_ranks_of_another_part(tiny_sdxl: Path, tmp_path: Path) -> None:
    file = kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, (LINEAR,)))
    with pytest.raises(ProblemError, match="nothing for the text encoder 1") as caught:
        ranks_of(str(file), "text_encoder_1")
    assert caught.value.problem.code == "network_weights_part_missing"
    hada = save_tensors(file, {f"{LDM[LINEAR]}.hada_w1_a": torch.ones(2, 2)})
    with pytest.raises(ProblemError, match="is a LoHa") as caught:
        ranks_of(str(hada), "unet")
    assert caught.value.problem.code == "network_weights_other_type"


@pytest.mark.parametrize("name", ["lora_te1_text_model_{}", "text_encoder.text_model.{}", "text_encoder.{}"])
def test_a_text_encoder(tiny_sdxl: Path, tmp_path: Path, name: str) -> None:
    module = "encoder.layers.0.self_attn.q_proj"
    plain, encoder = (tiny_encoder(tiny_sdxl, CLIPTextModel, "text_encoder") for _ in range(2))
    layer = plain.get_submodule(module)
    weights = weights_for(layer, 2, 1.5, torch.float16)
    layer.weight.data += weights.delta()
    full = name.format(module.replace(".", "_") if name.startswith("lora") else module)
    file = kohya_file(tmp_path / "a.safetensors", {full: weights}, str)
    config = make_config(tmp_path, network_weights=str(file))
    load_start(build_networks(config, {"text_encoder_1": encoder}, ["text_encoder_1"], 5), config)
    tokens = torch.tensor([[0, 320, 1125, 2, 2]])
    torch.testing.assert_close(encoder(tokens).last_hidden_state, plain(tokens).last_hidden_state)


def test_what_is_left_out_is_said(tiny_sdxl: Path, tmp_path: Path) -> None:
    file = kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, (LINEAR, OUT)))
    tensors = load_tensors(file)
    tensors |= {
        key.replace(LDM[LINEAR], "lora_te1_text_model_encoder_layers_0_mlp_fc1"): value
        for key, value in tensors.items()
        if key.startswith(LDM[LINEAR])
    }
    tensors["lora_te2_text_projection.lora_down.weight"] = torch.ones(2, 2)
    tensors["clip_g.transformer"] = torch.ones(1)
    other = save_tensors(tmp_path / "b.safetensors", {key: value.clone() for key, value in tensors.items()})
    _, _, warnings = with_start(tiny_sdxl, other, mid_lr_weight="1,0,1")
    assert warnings == ["network_weights_untrained_part", "network_weights_left_out"]


def test_a_larger_rank_is_refused(tiny_sdxl: Path, tmp_path: Path) -> None:
    file = kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, EVERY))
    error = refused(tiny_sdxl, file, network_dim=2, lora_type="Kohya LoCon", conv_dim=3)
    assert error.problem.code == "network_weights_rank"
    assert "Network Rank to at least 3" in str(error.problem.hint)
    error = refused(tiny_sdxl, file, network_dim=3, lora_type="Kohya LoCon", conv_dim=2)
    assert "Convolution Rank to at least 3" in str(error.problem.hint)


def test_convolutions_without_a_place_are_refused(tiny_sdxl: Path, tmp_path: Path) -> None:
    error = refused(tiny_sdxl, kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, EVERY)))
    assert error.problem.code == "network_weights_convolutions"
    assert "at least 3" in str(error.problem.hint)


@pytest.mark.parametrize(
    ("tensors", "code"),
    [
        ({"lora_unet_double_blocks_0_img_attn_proj.lora_down.weight": (4, 8)}, "unmatched"),
        ({"lora_te_text_model_encoder_layers_0_mlp_fc1.lora_down.weight": (4, 8)}, "not_a_lora"),
        ({"unet.conv_in.weight": (4, 8)}, "not_a_lora"),
        ({f"{LDM[LINEAR]}.hada_w1_a": (4, 8)}, "other_type"),
        ({f"{LDM[LINEAR]}.lora_down.weight": (4, 8)}, "other_type"),
        (
            {f"{LDM[LINEAR]}.lora_down.weight": (4, 9), f"{LDM[LINEAR]}.lora_up.weight": (32, 4)},
            "shape",
        ),
        (
            {f"{LDM[LINEAR]}.lora_down.weight": (2, 9), f"{LDM[LINEAR]}.lora_up.weight": (32, 2)},
            "shape",
        ),
    ],
)
def test_what_does_not_fit_is_refused(
    tiny_sdxl: Path, tmp_path: Path, tensors: dict[str, tuple[int, ...]], code: str
) -> None:
    file = save_tensors(
        tmp_path / "a.safetensors", {key: torch.ones(shape) for key, shape in tensors.items()}
    )
    assert refused(tiny_sdxl, file).problem.code == f"network_weights_{code}"


def test_files_that_cannot_be_read_are_refused(tiny_sdxl: Path, tmp_path: Path) -> None:
    assert refused(tiny_sdxl, tmp_path / "no.safetensors").problem.code == "network_weights_missing"
    pickled = tmp_path / "a.pt"
    pickled.write_bytes(b"\x80")
    error = refused(tiny_sdxl, pickled)
    assert error.problem.code == "network_weights_format"
    assert "run code" in error.problem.message
    file = kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, (LINEAR,)))
    file.write_bytes(file.read_bytes()[:-1])
    assert refused(tiny_sdxl, file).problem.code == "network_weights_damaged"
    broken = some(tiny_sdxl, (LINEAR,))
    broken[LINEAR].up[0, 0] = torch.nan
    file = kohya_file(tmp_path / "a.safetensors", broken)
    assert refused(tiny_sdxl, file).problem.code == "network_weights_not_finite"
