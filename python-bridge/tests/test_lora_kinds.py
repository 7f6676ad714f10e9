"""LoRA's kinds and regularisers, against the same computed independently in fp64."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
import torch
from test_lora import inputs, learn, run_backward, tiny_unet
from torch.nn import functional
from training_support import losses_of, make_config, run_training

from lora_bridge.adapters import build_networks
from lora_bridge.chance import seed_layers
from lora_bridge.inspection import inspect_lora
from lora_bridge.ldm_names import unet_name
from lora_bridge.protocol_types import StepEvent
from lora_bridge.quantize import quantize

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.lora import LoraNetwork

TORCH: Any = torch
"""Where it is untyped."""
LINEAR = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
CONV = "down_blocks.0.downsamplers.0.conv"


def build(tiny_sdxl: Path, **changes: Any) -> tuple[Any, LoraNetwork]:
    unet = tiny_unet(tiny_sdxl)
    config = make_config(tiny_sdxl, **changes)
    (lora,) = build_networks(config, {"unet": unet.module}, ["unet"], 1)
    return unet, cast("LoraNetwork", lora)


def size_of(effect: torch.Tensor) -> float:
    return math.sqrt(float((effect**2).sum()))


class _Layer(NamedTuple):
    module: Any
    base: Any
    down: torch.Tensor
    """fp64, as up."""
    up: torch.Tensor

    def effect(self) -> torch.Tensor:
        """What is added to the weight: `scale * up @ down`, in the weight's shape."""
        product = self.up.flatten(1) @ self.down.flatten(1)
        return (product * self.module.scale).view(len(self.up), *self.down.shape[1:])


def layer(unet: Any, name: str) -> _Layer:
    module = unet.module.get_submodule(name)
    down, up = (each.detach().double().requires_grad_() for each in (module.down, module.up))
    return _Layer(module, module.base, down, up)


@pytest.mark.parametrize(("name", "shape"), [(LINEAR, (2, 5)), (CONV, (2, 0, 9, 7))])
def test_a_layer_is_its_base_with_the_effect_in_its_weight(
    tiny_sdxl: Path, name: str, shape: tuple[int, ...]
) -> None:
    unet, lora = build(tiny_sdxl, lora_type="Kohya LoCon", conv_dim=3, conv_alpha=5.0)
    learn(lora)
    it = layer(unet, name)
    weight = it.base.weight.double()
    size = (2, weight.shape[1], 9, 7) if weight.dim() == 4 else (*shape, weight.shape[1])
    values = torch.randn(size, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    bias = None if it.base.bias is None else it.base.bias.double()
    if weight.dim() == 4:
        expected = functional.conv2d(values, weight + it.effect(), bias, it.base.stride, it.base.padding)
        assert (it.module.scale, len(it.down)) == (5 / 3, 3)
    else:
        expected = functional.linear(values, weight + it.effect(), bias)
    found = it.module(values.float())
    torch.testing.assert_close(found.double(), expected, rtol=1e-4, atol=1e-5)
    lora.flat.gradients.zero_()
    outwards = torch.randn(expected.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    torch.autograd.backward((expected * outwards).sum())
    torch.autograd.backward((found * outwards.float()).sum())
    for own, other in ((it.module.down, it.down), (it.module.up, it.up)):
        torch.testing.assert_close(own.grad.double(), other.grad, rtol=1e-3, atol=1e-4)


def test_locon_adapts_what_kohya_does(tiny_sdxl: Path) -> None:
    _, lora = build(tiny_sdxl, lora_type="Kohya LoCon", conv_dim=3, conv_alpha=5.0)
    _, plain = build(tiny_sdxl)
    added = {pair.name for pair in lora.pairs} - {pair.name for pair in plain.pairs}
    kinds = {name.rpartition(".")[2] for name in added}
    assert kinds == {"conv1", "conv2", "conv_shortcut", "time_emb_proj", "conv"}
    for pair in lora.pairs:
        convolves = pair.down.dim() == 4 and pair.down.shape[-1] == 3
        assert (pair.rank.dim, pair.rank.alpha) == ((3, 5.0) if convolves else (4, 2.0)), pair.name


def test_locon_adapts_the_same_layers_of_a_quantised_model(tiny_sdxl: Path) -> None:
    changes = {"lora_type": "Kohya LoCon", "conv_dim": 3, "conv_alpha": 5.0}
    _, plain = build(tiny_sdxl, **changes)
    unet = tiny_unet(tiny_sdxl)
    quantize(unet.module, "int8", torch.float32)
    before = unet.predict(*inputs())
    (lora,) = build_networks(make_config(tiny_sdxl, **changes), {"unet": unet.module}, ["unet"], 1)
    found = cast("LoraNetwork", lora)
    assert [pair.name for pair in found.pairs] == [pair.name for pair in plain.pairs]
    torch.testing.assert_close(unet.predict(*inputs()), before)
    learn(found)
    assert not torch.allclose(unet.predict(*inputs()), before, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("name", [LINEAR, CONV])
def test_dropouts_are_kohyas(tiny_sdxl: Path, name: str) -> None:
    chances = {"network_dropout": 0.4, "rank_dropout": 0.3, "module_dropout": 0.2}
    unet, lora = build(tiny_sdxl, lora_type="Kohya LoCon", conv_dim=8, network_dim=8, **chances)
    learn(lora)
    it = layer(unet, name)
    features = it.base.weight.shape[1]
    values = torch.randn((3, features, 6, 6) if name == CONV else (3, 5, features))
    base = it.base(values)
    skipped = 0
    for seed in range(40):
        TORCH.manual_seed(seed)
        found = it.module(values)
        TORCH.manual_seed(seed)
        if float(torch.rand(1)) < 0.2:
            skipped += 1
            assert found.equal(base)
            continue
        if name == CONV:
            middle = functional.conv2d(values, it.module.down, None, it.base.stride, it.base.padding)
        else:
            middle = values @ it.module.down.t()
        middle = functional.dropout(middle, 0.4)
        # As sd-scripts: a rank for each sample, at all places; the strength of what is left is made up for.
        shape = (3, 8, 1, 1) if name == CONV else (3, 1, 8)
        middle = middle * (torch.rand(shape) > 0.3)
        up = it.module.up
        raised = functional.conv2d(middle, up) if name == CONV else middle @ up.t()
        torch.testing.assert_close(found, base + raised * it.module.scale / 0.7, rtol=1e-4, atol=1e-5)
    assert 2 <= skipped <= 16
    with lora.resting():
        assert it.module(values).equal(it.module(values))
        torch.testing.assert_close(it.module(values), base + _plain(it, values), rtol=1e-4, atol=1e-5)
    assert not it.module(values).equal(it.module(values))


def _plain(it: _Layer, values: torch.Tensor) -> torch.Tensor:
    effect = it.effect().detach().float()
    if effect.dim() == 4:
        return functional.conv2d(values, effect, None, it.base.stride, it.base.padding)
    return values @ effect.t()


@pytest.mark.parametrize("method", ["full", "selective"])
def test_checkpointing_draws_what_was_drawn(tiny_sdxl: Path, method: Any) -> None:
    """Gradients with dropout are the same whether activations are kept or computed again."""
    found: list[torch.Tensor] = []
    for checkpoints in (False, True):
        unet, lora = build(tiny_sdxl, network_dropout=0.5, rank_dropout=0.3, module_dropout=0.3)
        learn(lora)
        if checkpoints:
            unet.checkpoint_gradients(method, draws=True)
        seed_layers(1, 2, 3)
        run_backward(unet.predict(*inputs()))
        found.append(lora.flat.gradients.clone())
    assert found[0].any()
    torch.testing.assert_close(found[1], found[0], rtol=1e-5, atol=1e-8)


def test_norms_are_held_to_the_limit(tiny_sdxl: Path) -> None:
    limit = 0.05
    unet, lora = build(tiny_sdxl, lora_type="Kohya LoCon", conv_dim=3, scale_weight_norms=limit)
    learn(lora)
    for index, pair in enumerate(lora.pairs):
        pair.up.mul_(10.0 ** (index % 5 - 3))
    lora.flat.publish()
    names = [pair.name for pair in lora.pairs]
    before = {name: layer(unet, name).effect() for name in names}
    told = lora.limit_norms()
    assert told is not None
    for name, norm in zip(names, told.norms, strict=True):
        effect = layer(unet, name).effect()
        expected = before[name] * min(1.0, limit / size_of(before[name]))
        torch.testing.assert_close(effect, expected, rtol=1e-4, atol=1e-7)
        assert float(norm) == pytest.approx(size_of(effect), rel=1e-4)
    large = sum(size_of(effect) > limit for effect in before.values())
    assert 0 < large < len(names)
    assert int(told.scaled) == large
    # A second time there is nothing to do.
    again = lora.limit_norms()
    assert again is not None
    assert int(again.scaled) <= large
    torch.testing.assert_close(again.norms, told.norms, rtol=1e-5, atol=0)


@pytest.mark.parametrize(
    ("changes", "modules"),
    [
        ({"lora_type": "Standard"}, 192),
        ({"lora_type": "Kohya LoCon", "conv_dim": 2}, None),
        ({"lora_type": "LoRA-FA"}, 192),
        ({"network_dropout": 0.1, "rank_dropout": 0.1, "module_dropout": 0.1}, 192),
        ({"scale_weight_norms": 1.0}, 192),
        ({"loraplus_lr_ratio": 4.0}, 192),
    ],
    ids=str,
)
def test_each_kind_learns(
    project: Path, tiny_sdxl: Path, changes: dict[str, Any], modules: int | None
) -> None:
    """Twenty steps over the same pictures lower the loss on pictures that are asked the same again."""
    changes = {
        "max_train_steps": 20,
        "learning_rate": 1e-2,
        "min_timestep": 400,
        "max_timestep": 500,
        **changes,
    }
    ending, sink = run_training(project, tiny_sdxl, **changes)
    losses = losses_of(sink)
    assert sum(losses[-5:]) < sum(losses[:5])
    found = inspect_lora(str(ending.outputs[0]))
    if modules is not None:
        assert len(found.modules) == modules
    assert len(found.modules) >= 192
    assert not found.empty_modules
    assert not found.non_finite_tensors


def test_lora_fa_trains_the_ups_alone(tiny_sdxl: Path) -> None:
    _, fresh = build(tiny_sdxl, lora_type="LoRA-FA")
    assert [section.name for section in fresh.flat.sections] == [""]
    assert len(fresh.flat.sections[0].flat) == sum(pair.up.numel() for pair in fresh.pairs)
    for pair in fresh.pairs[:20]:
        # Normal, of the spread that LoRA-FA begins with.
        spread = math.sqrt(2 / (pair.down[0].numel() + 4))
        assert float(pair.down.std()) == pytest.approx(spread, rel=0.5)
    downs = [pair.down.clone() for pair in fresh.pairs]
    unet, lora = build(tiny_sdxl, lora_type="LoRA-FA")
    learn(lora)
    run_backward(unet.predict(*inputs()))
    assert all(pair.down.equal(down) for pair, down in zip(lora.pairs, downs, strict=True))
    assert all(flat.grad is not None and flat.grad.any() for _, _, flat, _ in lora.flat.sections)


def test_blocks_have_ranks_and_rates_of_their_own(project: Path, tiny_sdxl: Path) -> None:
    dims = [0] * 23
    dims[5], dims[8], dims[11] = 2, 3, 5
    _, lora = build(tiny_sdxl, block_dims=",".join(map(str, dims)), block_alphas=",".join(["1"] * 23))
    for pair in lora.pairs:
        name = unet_name(pair.name)
        number = int(name.split(".")[1])
        block = {"input_blocks": 1, "middle_block": 10, "output_blocks": 13}[name.split(".")[0]] + number
        assert (pair.rank.dim, pair.rank.alpha) == (dims[block], 1.0), name
    assert len(lora.pairs) > 0
    ratios: dict[str, Any] = {"loraplus_unet_lr_ratio": 3.0, "up_lr_weight": "1,0,0.5,0,0,0,0,0,0"}
    _, sink = run_training(project, tiny_sdxl, max_train_steps=1, **ratios)
    step: StepEvent = sink.of(StepEvent)[0]
    rates = {rate.name: rate.value for rate in step.rates}
    assert rates["unet_block13"] == pytest.approx(1e-3)
    assert rates["unet_block15"] == pytest.approx(5e-4)
    assert rates["unet_block15 plus"] == pytest.approx(15e-4)
    assert "unet_block14" not in rates
