"""The numbers that the training stands on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from peft import LoraConfig
from training_support import make_config, save_picture

from lora_bridge.dataset import read_dataset
from lora_bridge.export import kohya_name
from lora_bridge.lora import LoraNetwork
from lora_bridge.loss import sample_losses, weighted_mean
from lora_bridge.materials import Materials
from lora_bridge.model import SDXL_CONFIGS, DiffusersModel
from lora_bridge.noise import add_noise, alphas_cumprod
from lora_bridge.optim import Optimizer, warmup_steps
from lora_bridge.text import TextEmbedding

if TYPE_CHECKING:
    from pathlib import Path


def test_noise_schedule_is_sdxls() -> None:
    signal = alphas_cumprod()
    golden = {0: 0.99915, 100: 0.894223, 500: 0.276333, 999: 0.0046601}
    assert {t: signal[t].item() for t in golden} == pytest.approx(golden, rel=1e-4)
    assert (signal[0] / (1 - signal[0])).item() == pytest.approx(1175.47, rel=1e-4)


def test_noise_is_mixed_in_by_variance() -> None:
    latents, noise = torch.full((1, 4, 2, 2), 2.0), torch.full((1, 4, 2, 2), 3.0)
    mixed = add_noise(latents, noise, torch.tensor([0.36]))
    assert mixed.flatten()[0].item() == pytest.approx(0.6 * 2 + 0.8 * 3)


def test_loss_of_samples_and_their_weights() -> None:
    prediction = torch.tensor([[1.0, 3.0], [0.0, 0.0]]).view(2, 2, 1, 1)
    losses = sample_losses(prediction, torch.zeros_like(prediction))
    assert torch.equal(losses, torch.tensor([5.0, 0.0]))
    assert weighted_mean(losses, torch.tensor([0.5, 1.0]), 4).item() == pytest.approx(2.5 / 4)


def test_sdxl_has_722_modules_with_kohyas_names() -> None:
    with torch.device("meta"):
        kind: Any = UNet2DConditionModel
        unet: Any = kind.from_config(kind.load_config(SDXL_CONFIGS / "unet"))
    lora = LoraNetwork(unet, 1, 1.0, torch.Generator())
    names = {kohya_name(pair.name) for pair in lora.pairs}
    assert len(lora.pairs) == len(names) == 722
    assert lora.weights.numel() == 2_659_840
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


def test_lora_starts_as_kohyas(tiny_sdxl: Path) -> None:
    unet = DiffusersModel(str(tiny_sdxl), local=True).unet(torch.float32)
    lora = LoraNetwork(unet.module, 4, 2.0, torch.Generator().manual_seed(1))
    for pair in lora.pairs:
        bound = 1 / math.sqrt(pair.down.shape[1])
        assert not pair.up.any()
        assert pair.down.abs().max() <= bound
        assert pair.down.std().item() == pytest.approx(bound / math.sqrt(3), rel=0.25)


def norm_of(tensor: torch.Tensor) -> float:
    return cast("Any", tensor).norm().item()


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


def test_flat_lora_equals_peft(tiny_sdxl: Path, tmp_path: Path) -> None:
    """The same weights give the same output, gradients, and weights after a clipped AdamW step."""
    base = DiffusersModel(str(tiny_sdxl), local=True)
    ours, theirs = base.unet(torch.float32), base.unet(torch.float32)
    lora = LoraNetwork(ours.module, 4, 2.0, torch.Generator().manual_seed(1))
    peft_unet: Any = theirs.module
    targets = r".*attentions.*\.(to_q|to_k|to_v|to_out\.0|proj_in|proj_out|ff\.net\.0\.proj|ff\.net\.2)"
    peft_unet.add_adapter(LoraConfig(r=4, lora_alpha=2, target_modules=targets))
    adapted = {name: module for name, module in peft_unet.named_modules() if hasattr(module, "lora_A")}
    assert len(adapted) == len(lora.pairs)
    for pair in lora.pairs:
        pair.up.copy_(torch.randn(pair.up.shape, generator=torch.Generator().manual_seed(2)) * 0.1)
        adapted[pair.name].lora_A.default.weight.data.copy_(pair.down)
        adapted[pair.name].lora_B.default.weight.data.copy_(pair.up)
    lora.publish()

    outputs = [unet.predict(*inputs()) for unet in (ours, theirs)]
    torch.testing.assert_close(outputs[0], outputs[1])
    for output in outputs:
        torch.autograd.backward(output.square().mean())
    lora.collect()
    norm = norm_of(lora.gradients)

    parameters = [parameter for parameter in peft_unet.parameters() if parameter.requires_grad]
    limit = norm / 2
    their_norm = torch.nn.utils.clip_grad_norm_(parameters, limit).item()
    assert norm == pytest.approx(their_norm, rel=1e-4)
    adamw: Any = torch.optim.AdamW(parameters, lr=1e-3, weight_decay=0.01, foreach=False)
    adamw.step()
    config = make_config(tmp_path, learning_rate=1e-3, max_grad_norm=limit)
    update = Optimizer(lora.weights, config, 10, scale_loss=False).update()
    assert update.gradient_norm.item() == pytest.approx(norm)
    assert update.learning_rate == 1e-3
    for pair in lora.pairs:
        torch.testing.assert_close(
            pair.down, adapted[pair.name].lora_A.default.weight.data, rtol=1e-4, atol=2e-6
        )
        torch.testing.assert_close(
            pair.up, adapted[pair.name].lora_B.default.weight.data, rtol=1e-4, atol=2e-6
        )


def test_gradients_add_up_in_fp32(tiny_sdxl: Path) -> None:
    unet = DiffusersModel(str(tiny_sdxl), local=True).unet(torch.bfloat16)
    lora = LoraNetwork(unet.module, 4, 2.0, torch.Generator().manual_seed(1))
    arguments = [tensor.bfloat16() if tensor.is_floating_point() else tensor for tensor in inputs()]
    norms: list[float] = []
    for _ in range(2):
        torch.autograd.backward(unet.predict(*arguments).float().square().mean())
        lora.collect()
        norms.append(norm_of(lora.gradients))
    assert lora.gradients.dtype == torch.float32
    assert norms[0] > 0
    assert norms[1] == pytest.approx(2 * norms[0], rel=1e-6)
    lora.publish()
    assert not lora.gradients.any()


def test_an_update_that_is_not_finite_is_left_out(tmp_path: Path) -> None:
    weights = torch.nn.Parameter(torch.ones(4))
    weights.grad = torch.tensor([1.0, math.nan, 1.0, 1.0])
    optimizer = Optimizer(weights, make_config(tmp_path), 10, scale_loss=True)
    before = optimizer.scaled(torch.tensor(1.0)).item()
    optimizer.update()
    assert torch.equal(weights, torch.ones(4))
    assert optimizer.scaled(torch.tensor(1.0)).item() == before / 2
    weights.grad.fill_(before / 2)
    update = optimizer.update()
    assert update.gradient_norm.item() == pytest.approx(2.0)
    assert weights.max().item() < 1


def test_learning_rate_schedules(tmp_path: Path) -> None:
    def rates(**changes: object) -> list[float]:
        config = make_config(tmp_path, learning_rate=1.0, **changes)
        weights = torch.nn.Parameter(torch.ones(1))
        weights.grad = torch.ones(1)
        optimizer = Optimizer(weights, config, 10, scale_loss=False)
        return [optimizer.update().learning_rate for _ in range(10)]

    assert rates() == [1.0] * 10
    assert rates(unet_lr=0.5) == [0.5] * 10
    assert rates(lr_scheduler="constant_with_warmup", lr_warmup=20)[:3] == [0.0, 0.5, 1.0]
    cosine = rates(lr_scheduler="cosine")
    assert cosine[0] == 1.0
    assert cosine[5] == pytest.approx(0.5)
    assert warmup_steps(make_config(tmp_path, lr_warmup=50), 10) == 0


def test_sizes_are_exact_in_half_precision(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "1_a" / "a.png", size=(1195, 1001))
    (sample,) = read_dataset(make_config(tmp_path)).samples
    text = TextEmbedding(torch.zeros(77, 8, dtype=torch.bfloat16), torch.zeros(4, dtype=torch.bfloat16))
    materials = Materials({sample.picture.path: torch.zeros(4, 8, 8)}, {"a": text}, 1.0)
    batch = materials.batch([sample, sample], torch.device("cpu"))
    assert [int(number) for number in batch.time_ids[1]] == [1001, 1195, 0, 6, 64, 64]
