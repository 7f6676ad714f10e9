"""The LoRA layers: which, where they begin, what they compute."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from lora_support import plain_lora
from peft import LoraConfig, get_peft_model
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lora_bridge.export import kohya_name, kohya_tensors
from lora_bridge.model import SDXL_CONFIGS, DiffusersModel

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.lora import LoraNetwork
    from lora_bridge.lora_sites import LoraPart

ENCODERS: tuple[tuple[LoraPart, Any, str, str], ...] = (
    ("text_encoder_1", CLIPTextModel, "text_encoder", "lora_te1_text_model_encoder_layers_"),
    ("text_encoder_2", CLIPTextModelWithProjection, "text_encoder_2", "lora_te2_text_model_encoder_layers_"),
)
_ENCODER_TARGETS = ["q_proj", "k_proj", "v_proj", "out_proj", "fc1", "fc2"]
_UNET_TARGETS = r".*attentions.*\.(to_q|to_k|to_v|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2)"


def network(module: Any, **changes: Any) -> LoraNetwork:
    part = changes.pop("part", "unet")
    return plain_lora(part, module, 4, 2.0, torch.Generator().manual_seed(1), **changes)


def tiny_unet(tiny_sdxl: Path, dtype: torch.dtype = torch.float32) -> Any:
    return DiffusersModel(str(tiny_sdxl), local=True).unet(dtype)


def tiny_encoder(tiny_sdxl: Path, kind: Any, folder: str) -> Any:
    encoder = kind.from_pretrained(tiny_sdxl, subfolder=folder, dtype=torch.float32, use_safetensors=True)
    return encoder.requires_grad_(False).eval()


def inputs() -> tuple[torch.Tensor, ...]:
    """What the tiny UNet takes: latents, timesteps, text, pooled text, sizes."""
    generator = torch.Generator().manual_seed(3)
    return (
        torch.randn(2, 4, 8, 8, generator=generator),
        torch.tensor([10, 900]),
        torch.randn(2, 77, 72, generator=generator),
        torch.randn(2, 40, generator=generator),
        torch.tensor([[64.0, 64, 0, 0, 64, 64]] * 2),
    )


def learn(lora: LoraNetwork) -> None:
    """As if it had been trained."""
    generator = torch.Generator().manual_seed(2)
    for pair in lora.pairs:
        pair.up.copy_(torch.randn(pair.up.shape, generator=generator) * 0.1)
    lora.flat.publish()


def run_backward(output: torch.Tensor) -> None:
    torch.autograd.backward(output.float().square().mean())


def test_sdxls_unet_has_722_modules_with_kohyas_names() -> None:
    with torch.device("meta"):
        kind: Any = UNet2DConditionModel
        unet: Any = kind.from_config(kind.load_config(SDXL_CONFIGS / "unet"))
    lora = plain_lora("unet", unet, 1, 1.0, torch.Generator())
    names = {kohya_name("unet", pair.name) for pair in lora.pairs}
    assert len(lora.pairs) == len(names) == 722
    assert len(lora.flat.matrices) == 2 * 722
    assert lora.flat.weights.numel() == 2_659_840
    assert {
        "lora_unet_input_blocks_4_1_transformer_blocks_0_attn1_to_q",
        "lora_unet_input_blocks_8_1_transformer_blocks_9_ff_net_0_proj",
        "lora_unet_middle_block_1_transformer_blocks_5_attn2_to_out_0",
        "lora_unet_middle_block_1_proj_in",
        "lora_unet_output_blocks_0_1_transformer_blocks_9_ff_net_2",
        "lora_unet_output_blocks_5_1_proj_out",
    } <= names
    blocks = {name.split("_transformer_blocks_")[0] for name in names if "_transformer_blocks_" in name}
    assert len(blocks) == 11


@pytest.mark.parametrize(("part", "kind", "folder", "prefix"), ENCODERS)
def test_sdxls_text_encoders_have_72_and_192(part: LoraPart, kind: Any, folder: str, prefix: str) -> None:
    config = cast("Any", CLIPTextConfig).from_json_file(SDXL_CONFIGS / folder / "config.json")
    with torch.device("meta"):
        encoder = kind(config)
    lora = plain_lora(part, encoder, 1, 1.0, torch.Generator())
    modules, numbers = (72, 165_888) if part == "text_encoder_1" else (192, 737_280)
    linears = [*(f"self_attn_{name}_proj" for name in "qkv"), "self_attn_out_proj", "mlp_fc1", "mlp_fc2"]
    assert {kohya_name(part, pair.name) for pair in lora.pairs} == {
        f"{prefix}{layer}_{linear}" for layer in range(modules // 6) for linear in linears
    }
    assert len(lora.pairs) == modules
    assert lora.flat.weights.numel() == numbers


def test_lora_starts_as_kohyas(tiny_sdxl: Path) -> None:
    lora = network(tiny_unet(tiny_sdxl).module)
    for pair in lora.pairs:
        bound = 1 / math.sqrt(pair.down.shape[1])
        assert not pair.up.any()
        assert pair.down.abs().max() <= bound
        assert pair.down.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.25)


def assert_equals_peft(lora: LoraNetwork, peft_module: Any, run: Any) -> None:
    """The same weights give the same output, gradients, and weights after a clipped AdamW step."""
    adapted = {name: module for name, module in peft_module.named_modules() if hasattr(module, "lora_A")}
    assert len(adapted) == len(lora.pairs)
    learn(lora)
    for pair in lora.pairs:
        adapted[pair.name].lora_A.default.weight.data.copy_(pair.down)
        adapted[pair.name].lora_B.default.weight.data.copy_(pair.up)
    outputs = run()
    torch.testing.assert_close(outputs[0], outputs[1])
    for output in outputs:
        run_backward(output)
    lora.flat.collect()

    theirs = [parameter for parameter in peft_module.parameters() if parameter.requires_grad]
    for parameters in (lora.flat.matrices, theirs):
        torch.nn.utils.clip_grad_norm_(parameters, 1e-3)
        adamw: Any = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01)
        adamw.step()
    lora.flat.publish()
    for pair in lora.pairs:
        down, up = adapted[pair.name].lora_A.default.weight, adapted[pair.name].lora_B.default.weight
        torch.testing.assert_close(pair.down, down.data, rtol=1e-4, atol=2e-6)
        torch.testing.assert_close(pair.up, up.data, rtol=1e-4, atol=2e-6)


def test_flat_lora_equals_peft(tiny_sdxl: Path) -> None:
    ours, theirs = tiny_unet(tiny_sdxl), tiny_unet(tiny_sdxl)
    lora = network(ours.module)
    theirs.module.add_adapter(LoraConfig(r=4, lora_alpha=2, target_modules=_UNET_TARGETS))
    assert_equals_peft(lora, theirs.module, lambda: [unet.predict(*inputs()) for unet in (ours, theirs)])


@pytest.mark.parametrize(("part", "kind", "folder", "_prefix"), ENCODERS)
def test_flat_lora_in_a_text_encoder_equals_peft(
    tiny_sdxl: Path, part: LoraPart, kind: Any, folder: str, _prefix: str
) -> None:
    ours, theirs = (tiny_encoder(tiny_sdxl, kind, folder) for _ in range(2))
    lora = network(ours, part=part)
    get_peft_model(theirs, LoraConfig(r=4, lora_alpha=2, target_modules=_ENCODER_TARGETS))
    tokens = torch.tensor([[0, 320, 1125, 2, 2], [0, 7, 2, 2, 2]])
    # The last layer, so that every module has a gradient.
    assert_equals_peft(
        lora, theirs, lambda: [encoder(tokens).last_hidden_state for encoder in (ours, theirs)]
    )


def test_gradients_add_up_in_fp32(tiny_sdxl: Path) -> None:
    unet = tiny_unet(tiny_sdxl, torch.bfloat16)
    lora = network(unet.module)
    arguments = [tensor.bfloat16() if tensor.is_floating_point() else tensor for tensor in inputs()]
    norms: list[float] = []
    for _ in range(2):
        run_backward(unet.predict(*arguments))
        lora.flat.collect()
        norms.append(lora.flat.gradients.square().sum().sqrt().item())
    assert lora.flat.gradients.dtype == torch.float32
    assert norms[0] > 0
    assert norms[1] == pytest.approx(2 * norms[0], rel=1e-6)
    lora.flat.publish()
    assert not lora.flat.gradients.any()


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("weights_dtype", [torch.float32, torch.bfloat16])
def test_matrices_are_the_flat_weights_and_gradients(
    tiny_sdxl: Path, dtype: torch.dtype, weights_dtype: torch.dtype
) -> None:
    unet = tiny_unet(tiny_sdxl, dtype)
    lora = network(unet.module, weights_dtype=weights_dtype)
    assert lora.flat.weights.dtype == lora.flat.gradients.dtype == weights_dtype
    assert sum(matrix.numel() for matrix in lora.flat.matrices) == lora.flat.weights.numel()
    arguments = [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in inputs()]
    run_backward(unet.predict(*arguments))
    lora.flat.collect()
    grads = [cast("torch.Tensor", matrix.grad) for matrix in lora.flat.matrices]
    flat = torch.cat([grad.flatten() for grad in grads])
    assert flat.any()
    assert torch.equal(flat, lora.flat.gradients)
    assert torch.equal(
        torch.cat([matrix.detach().flatten() for matrix in lora.flat.matrices]), lora.flat.weights
    )

    before = unet.predict(*arguments).detach()
    sgd: Any = torch.optim.SGD(lora.flat.matrices, lr=10.0)
    sgd.step()
    lora.flat.publish()
    assert torch.equal(
        torch.cat([matrix.detach().flatten() for matrix in lora.flat.matrices]), lora.flat.weights
    )
    assert lora.has_learnt()
    assert not torch.equal(unet.predict(*arguments), before)
    assert not any(grad.any() for grad in grads)


def test_bf16_weights_need_no_copy(tiny_sdxl: Path) -> None:
    lora = network(tiny_unet(tiny_sdxl, torch.bfloat16).module, weights_dtype=torch.bfloat16)
    storages = {matrix.untyped_storage().data_ptr() for matrix in lora.flat.matrices}
    layers = {pair.up.untyped_storage().data_ptr() for pair in lora.pairs}
    assert storages == layers == {lora.flat.weights.untyped_storage().data_ptr()}


def test_off_is_the_base_model(tiny_sdxl: Path) -> None:
    unet = tiny_unet(tiny_sdxl)
    expected = unet.predict(*inputs())
    lora = network(unet.module)
    learn(lora)
    taught = unet.predict(*inputs()).detach()
    assert not torch.allclose(taught, expected, atol=1e-3)
    with lora.off():
        torch.testing.assert_close(unet.predict(*inputs()), expected, rtol=1e-5, atol=1e-6)
        with lora.off():
            pass
        torch.testing.assert_close(unet.predict(*inputs()), expected, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(unet.predict(*inputs()), taught)


def test_off_ends_with_an_exception(tiny_sdxl: Path) -> None:
    unet = tiny_unet(tiny_sdxl)
    lora = network(unet.module)
    learn(lora)
    taught = unet.predict(*inputs()).detach()
    with pytest.raises(KeyError), lora.off():
        raise KeyError
    torch.testing.assert_close(unet.predict(*inputs()), taught)


def test_a_file_holds_every_part(tiny_sdxl: Path) -> None:
    networks = [network(tiny_unet(tiny_sdxl).module)]
    for part, kind, folder, _prefix in ENCODERS:
        networks.append(network(tiny_encoder(tiny_sdxl, kind, folder), part=part))
    tensors = kohya_tensors(networks, torch.float16)
    assert len(tensors) == 3 * sum(len(lora.pairs) for lora in networks)
    for lora in networks:
        for pair in lora.pairs:
            name = kohya_name(lora.part, pair.name)
            assert torch.equal(tensors[f"{name}.lora_down.weight"], pair.down.half())
            assert tensors[f"{name}.lora_up.weight"].shape == pair.up.shape
            assert tensors[f"{name}.alpha"].item() == 2.0
