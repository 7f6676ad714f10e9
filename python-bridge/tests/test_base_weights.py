"""LoRAs that are merged into the base model before the training."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import torch
from elsewhere import CONV, DOWNSAMPLER, LDM, LINEAR, OUT, SHORTCUT, kohya_file, random_weights
from tensor_files import save_tensors
from test_lora import inputs, tiny_unet
from training_support import make_config

from lora_bridge.base_weights import with_base_weights
from lora_bridge.lora_file_rules import base_weights_of
from lora_bridge.model import DiffusersModel
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.model import BaseModel

EVERY = (LINEAR, OUT, CONV, SHORTCUT, DOWNSAMPLER)


def base_with(tiny_sdxl: Path, files: list[Path], multipliers: str = "") -> BaseModel:
    text = "\n".join(["", *(f" {file} " for file in files)])
    config = make_config(tiny_sdxl, base_weights=text, base_weights_multiplier=multipliers)
    return with_base_weights(DiffusersModel(str(tiny_sdxl), local=True), config)


def some(tiny_sdxl: Path, seed: int, dtype: torch.dtype = torch.float32) -> dict[str, Any]:
    unet = tiny_unet(tiny_sdxl)
    return {
        name: random_weights(unet.module.get_submodule(name), 3, 0.75, dtype, seed + index)
        for index, name in enumerate(EVERY)
    }


def refused(tiny_sdxl: Path, files: list[Path], multipliers: str = "") -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        base_with(tiny_sdxl, files, multipliers).unet(torch.float32)
    assert "Base weights" in caught.value.problem.message
    assert caught.value.problem.hint
    return caught.value


def test_files_are_merged_by_their_multipliers(tiny_sdxl: Path, tmp_path: Path) -> None:
    loras = [some(tiny_sdxl, 0, torch.bfloat16), some(tiny_sdxl, 10)]
    files = [kohya_file(tmp_path / f"{number}.safetensors", lora) for number, lora in enumerate(loras)]
    expected = tiny_unet(tiny_sdxl)
    for name in EVERY:
        layer = expected.module.get_submodule(name)
        layer.weight.data += 0.5 * loras[0][name].delta() + loras[1][name].delta()
    merged = base_with(tiny_sdxl, files, "0.5").unet(torch.float32)
    with torch.no_grad():
        torch.testing.assert_close(merged.predict(*inputs()), expected.predict(*inputs()))
        plain = tiny_unet(tiny_sdxl).predict(*inputs())
        assert (merged.predict(*inputs()) - plain).abs().max() > 1e-2
    assert not any(parameter.requires_grad for parameter in merged.module.parameters())
    half = base_with(tiny_sdxl, files, "0.5").unet(torch.bfloat16)
    weights = [each.module.get_submodule(LINEAR).weight for each in (half, merged)]
    torch.testing.assert_close(weights[0].float(), weights[1], rtol=0.02, atol=1e-3)


def test_a_text_encoder_has_them_too_and_another_identity(tiny_sdxl: Path, tmp_path: Path) -> None:
    plain = DiffusersModel(str(tiny_sdxl), local=True)
    name = "lora_te2_text_model_encoder_layers_1_mlp_fc2"
    layer: Any = plain.text_encoder(1, torch.float32).module.get_submodule(
        "text_model.encoder.layers.1.mlp.fc2"
    )
    weights = random_weights(layer, 2, 1.5, torch.float32)
    file = kohya_file(tmp_path / "a.safetensors", {name: weights}, str)
    merged = base_with(tiny_sdxl, [file])
    changed: Any = merged.text_encoder(1, torch.float32).module.get_submodule(
        "text_model.encoder.layers.1.mlp.fc2"
    )
    torch.testing.assert_close(changed.weight, layer.weight + weights.delta())
    assert merged.identity("vae") == plain.identity("vae")
    names = {base.identity("text_encoder_2") for base in (plain, merged, base_with(tiny_sdxl, [file], "2"))}
    assert len(names) == 3
    assert merged.configs == plain.configs
    assert merged.vae().without_encoder() is not None


def test_differences_and_norms_and_tucker_cores(tiny_sdxl: Path, tmp_path: Path) -> None:
    expected = tiny_unet(tiny_sdxl).module
    conv: Any = expected.get_submodule(CONV)
    norm: Any = expected.get_submodule("down_blocks.0.resnets.1.norm1")
    linear: Any = expected.get_submodule(LINEAR)
    out, inside = conv.weight.shape[:2]
    tensors = {
        f"{LDM[CONV]}.lora_down.weight": torch.randn(3, inside, 1, 1),
        f"{LDM[CONV]}.lora_mid.weight": torch.randn(3, 3, 3, 3),
        f"{LDM[CONV]}.lora_up.weight": torch.randn(out, 3, 1, 1),
        f"{LDM[CONV]}.diff_b": torch.randn(out),
        f"{LDM[CONV]}.alpha": torch.tensor(6.0),
        "lora_unet_input_blocks_2_0_in_layers_0.w_norm": torch.randn(norm.weight.shape),
        "lora_unet_input_blocks_2_0_in_layers_0.b_norm": torch.randn(norm.bias.shape),
        f"{LDM[LINEAR]}.diff": torch.randn(linear.weight.shape),
    }
    file = save_tensors(tmp_path / "a.safetensors", tensors)
    down, core, up = (tensors[f"{LDM[CONV]}.lora_{side}.weight"] for side in ("down", "mid", "up"))
    first = torch.nn.functional.conv2d(torch.eye(inside)[:, :, None, None], down)
    spread = torch.nn.functional.conv2d(torch.nn.functional.pad(first, (2, 2, 2, 2)), core)
    # What an impulse leaves is the kernel, mirrored.
    kernel = torch.nn.functional.conv2d(spread, up).flip(2, 3).transpose(0, 1)
    module = base_with(tiny_sdxl, [file]).unet(torch.float32).module
    merged: Any = module.get_submodule(CONV)
    torch.testing.assert_close(merged.weight, conv.weight + 2 * kernel, rtol=1e-4, atol=1e-4)
    # An alpha is not for biases.
    torch.testing.assert_close(merged.bias, conv.bias + tensors[f"{LDM[CONV]}.diff_b"])
    merged = module.get_submodule("down_blocks.0.resnets.1.norm1")
    for key in ("weight", "bias"):
        change = tensors[f"lora_unet_input_blocks_2_0_in_layers_0.{key[0]}_norm"]
        torch.testing.assert_close(getattr(merged, key), getattr(norm, key) + change)
    merged = module.get_submodule(LINEAR)
    torch.testing.assert_close(merged.weight, linear.weight + tensors[f"{LDM[LINEAR]}.diff"])


def merged_layer(tiny_sdxl: Path, file: Path, module: str, tensors: dict[str, Any], multiplier: str) -> Any:
    save_tensors(file, {f"{LDM[module]}.{key}": value for key, value in tensors.items()})
    return base_with(tiny_sdxl, [file], multiplier).unet(torch.float32).module.get_submodule(module)


def test_products_of_products(tiny_sdxl: Path, tmp_path: Path) -> None:
    """LoHa multiplies place by place, LoKr block by block."""
    file = tmp_path / "a.safetensors"
    weight: Any = tiny_unet(tiny_sdxl).module.get_submodule(LINEAR).weight
    out, inside = weight.shape
    sides = {f"hada_w{which}_a": torch.randn(out, 3) for which in (1, 2)}
    sides |= {f"hada_w{which}_b": torch.randn(3, inside) for which in (1, 2)}
    hada = merged_layer(tiny_sdxl, file, LINEAR, {**sides, "alpha": torch.tensor(6.0)}, "0.5")
    one, two = (sides[f"hada_w{which}_a"] @ sides[f"hada_w{which}_b"] for which in (1, 2))
    torch.testing.assert_close(hada.weight, weight + one * two)

    small, left, right = torch.randn(2, 4), torch.randn(out // 2, 3), torch.randn(3, inside // 4)
    blocks = {"lokr_w1": small, "lokr_w2_a": left, "lokr_w2_b": right, "alpha": torch.tensor(6.0)}
    lokr = merged_layer(tiny_sdxl, file, LINEAR, blocks, "")
    rows = [torch.cat([number * (left @ right) for number in row], dim=1) for row in small]
    torch.testing.assert_close(lokr.weight, weight + 2 * torch.cat(rows))

    window: Any = tiny_unet(tiny_sdxl).module.get_submodule(CONV).weight
    large = torch.randn(window.shape[0] // 2, window.shape[1] // 4, 3, 3)
    whole = merged_layer(
        tiny_sdxl, file, CONV, {"lokr_w1": small, "lokr_w2": large, "alpha": torch.tensor(9.0)}, ""
    )
    rows = [torch.cat([number * large for number in row], dim=1) for row in small]
    torch.testing.assert_close(whole.weight, window + torch.cat(rows))


def test_cores_between_factors(tiny_sdxl: Path, tmp_path: Path) -> None:
    """With a core, each of a LoHa's or LoKr's factors is a small convolution."""
    file = tmp_path / "a.safetensors"
    weight: Any = tiny_unet(tiny_sdxl).module.get_submodule(CONV).weight
    out, inside = weight.shape[:2]
    sides = {f"hada_w{which}_a": torch.randn(3, out) for which in (1, 2)}
    sides |= {f"hada_w{which}_b": torch.randn(3, inside) for which in (1, 2)}
    cores = {f"hada_t{which}": torch.randn(3, 3, 3, 3) for which in (1, 2)}
    hada = merged_layer(tiny_sdxl, file, CONV, {**sides, **cores}, "")
    expected = torch.ones(out, inside, 3, 3)
    for which in (1, 2):
        left, right = sides[f"hada_w{which}_a"], sides[f"hada_w{which}_b"]
        for row, column in product(range(3), range(3)):
            expected[:, :, row, column] *= left.t() @ cores[f"hada_t{which}"][:, :, row, column] @ right
    torch.testing.assert_close(hada.weight, weight + expected, rtol=1e-4, atol=1e-4)

    small, left, right = torch.randn(2, 4), torch.randn(3, out // 2), torch.randn(3, inside // 4)
    tensors = {"lokr_w1": small, "lokr_w2_a": left, "lokr_w2_b": right, "lokr_t2": cores["hada_t1"]}
    lokr = merged_layer(tiny_sdxl, file, CONV, tensors, "")
    for row, column in product(range(3), range(3)):
        block = left.t() @ cores["hada_t1"][:, :, row, column] @ right
        whole = torch.cat([torch.cat([number * block for number in line], dim=1) for line in small])
        torch.testing.assert_close(
            lokr.weight[..., row, column], weight[..., row, column] + whole, rtol=1e-4, atol=1e-4
        )


def test_gains_of_a_convolutions_input(tiny_sdxl: Path, tmp_path: Path) -> None:
    weight: Any = tiny_unet(tiny_sdxl).module.get_submodule(CONV).weight
    gains = torch.rand(1, weight.shape[1], 1, 1)
    tensors = {"weight": gains, "on_input": torch.tensor(1.0)}
    ia3 = merged_layer(tiny_sdxl, tmp_path / "a.safetensors", CONV, tensors, "")
    torch.testing.assert_close(ia3.weight, weight * (1 + gains))


@pytest.mark.parametrize("on_input", [True, False])
def test_gains_and_directions(tiny_sdxl: Path, tmp_path: Path, on_input: bool) -> None:
    """iA3 makes rows or columns longer; DoRA gives them lengths."""
    file = tmp_path / "a.safetensors"
    name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    weight: Any = tiny_unet(tiny_sdxl).module.get_submodule(name).weight
    axis = 1 if on_input else 0
    gains = torch.rand(weight.shape[axis]) + 0.5
    shape = (1, -1) if on_input else (-1, 1)
    tensors = {"weight": gains.view(shape), "on_input": torch.tensor(on_input)}
    ia3 = merged_layer(tiny_sdxl, file, name, tensors, "0.5")
    torch.testing.assert_close(ia3.weight, weight * (1 + 0.5 * gains.view(shape)))

    lora = {
        "lora_down.weight": torch.randn(2, weight.shape[1]),
        "lora_up.weight": torch.randn(len(weight), 2),
    }
    dora = merged_layer(tiny_sdxl, file, name, {**lora, "dora_scale": gains.view(shape)}, "")
    torch.testing.assert_close(dora.weight.norm(dim=1 - axis), gains)
    moved = weight + lora["lora_up.weight"] @ lora["lora_down.weight"]
    cosines = torch.nn.functional.cosine_similarity(dora.weight, moved, dim=1 - axis)
    torch.testing.assert_close(cosines, torch.ones_like(cosines))


def test_without_files_the_base_stays(tiny_sdxl: Path) -> None:
    base = DiffusersModel(str(tiny_sdxl), local=True)
    assert with_base_weights(base, make_config(tiny_sdxl, base_weights=" \n")) is base


@pytest.mark.parametrize(
    ("shapes", "code"),
    [
        ({f"{LDM[LINEAR]}.lora_down.weight": (2, 9), f"{LDM[LINEAR]}.lora_up.weight": (32, 2)}, "shape"),
        ({f"{LDM[LINEAR]}.diff": (32, 32), f"{LDM[LINEAR]}.diff_b": (32,)}, "shape"),
        ({"lora_unet_double_blocks_0_img_attn_proj.diff": (4, 8)}, "unmatched"),
        ({f"{LDM[LINEAR]}.glora": (4, 8)}, "not_a_lora"),
        ({f"{LDM[LINEAR]}.oft_blocks": (4, 8, 8)}, "type"),
    ],
)
def test_what_does_not_fit_is_refused(
    tiny_sdxl: Path, tmp_path: Path, shapes: dict[str, tuple[int, ...]], code: str
) -> None:
    file = save_tensors(tmp_path / "a.safetensors", {key: torch.ones(shape) for key, shape in shapes.items()})
    error = refused(tiny_sdxl, [file])
    assert error.problem.code == f"base_weights_{code}"
    assert "a.safetensors" in error.problem.message


def test_what_is_no_file_or_number_is_refused(tiny_sdxl: Path, tmp_path: Path) -> None:
    assert refused(tiny_sdxl, [tmp_path / "no.safetensors"]).problem.code == "base_weights_missing"
    file = tmp_path / "a.ckpt"
    file.write_bytes(b"\x80")
    assert refused(tiny_sdxl, [file]).problem.code == "base_weights_format"
    good = kohya_file(tmp_path / "a.safetensors", some(tiny_sdxl, 0))
    for text, flaw in (("1 much", "“much”"), ("nan", "“nan”"), ("1 1", "2 numbers for 1 files")):
        error = refused(tiny_sdxl, [good], text)
        assert error.problem.code == "base_weights_multiplier"
        assert flaw in error.problem.message


def test_multipliers_belong_to_files_in_order(tiny_sdxl: Path, tmp_path: Path) -> None:
    files = [kohya_file(tmp_path / f"{number}.safetensors", some(tiny_sdxl, 0)) for number in range(3)]
    text = "\n".join(map(str, files))
    config = make_config(tmp_path, base_weights=text, base_weights_multiplier="0.5  -1")
    assert base_weights_of(config) == [(files[0], 0.5), (files[1], -1.0), (files[2], 1.0)]
