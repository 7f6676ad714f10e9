"""LyCORIS's kinds: which layers they adapt, what they compute and learn, and what their files say."""

from __future__ import annotations

import copy
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from safetensors.torch import save
from test_lora import inputs, run_backward, tiny_encoder, tiny_unet
from test_lora_kinds import size_of
from torch import nn
from torch.nn import functional
from training_support import losses_of, make_config, run_training
from transformers import CLIPTextModel

from lora_bridge.adapter_weights import changed_weight
from lora_bridge.adapters import build_networks
from lora_bridge.chance import seed_layers
from lora_bridge.export import kohya_tensors
from lora_bridge.inspection import inspect_lora
from lora_bridge.ldm_names import unet_name
from lora_bridge.lora_kinds import kind_of, rank_of
from lora_bridge.network_weights import load_start
from lora_bridge.quantize import quantize

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.lycoris_network import LycorisNetwork

TORCH: Any = torch
KINDS: dict[str, dict[str, Any]] = {
    "LyCORIS/LoCon": {},
    "LyCORIS/LoCon, DoRA": {"dora_wd": True},
    "LyCORIS/LoCon, Tucker": {"use_tucker": True},
    "LyCORIS/LoCon, scalar": {"use_scalar": True},
    "LyCORIS/LoHa": {},
    "LyCORIS/LoHa, DoRA": {"dora_wd": True},
    "LyCORIS/LoHa, Tucker": {"use_tucker": True},
    "LyCORIS/LoHa, beside": {"bypass_mode": True},
    "LyCORIS/LoKr": {},
    "LyCORIS/LoKr, DoRA": {"dora_wd": True},
    "LyCORIS/LoKr, both": {"decompose_both": True, "factor": 4, "network_dim": 1, "conv_dim": 1},
    "LyCORIS/LoKr, Tucker": {"use_cp": True, "factor": 2, "network_dim": 2},
    "LyCORIS/LoKr, whole": {"network_dim": 100000, "conv_dim": 100000, "network_alpha": 1.0},
    "LyCORIS/iA3": {},
    "LyCORIS/iA3, outputs": {"train_on_input": False},
    "LyCORIS/iA3, preset": {"lycoris_preset": "ia3"},
    "LyCORIS/GLoRA": {},
    "LyCORIS/BOFT": {"network_dim": 10, "conv_dim": 10},
    "LyCORIS/Diag-OFT": {"constrain": 0.5},
    "LyCORIS/Diag-OFT, rescaled": {"rescaled": True},
    "LyCORIS/DyLoRA": {"unit": 2},
    "LyCORIS/Native Fine-Tuning": {},
    "LyCORIS/LoCon, norms": {"train_norm": True},
    "Kohya DyLoRA": {"unit": 1},
    "Kohya LoHa": {},
    "Kohya LoKr": {"factor": 4},
}
"""Every type, with what changes its layers."""


def changes_of(kind: str) -> dict[str, Any]:
    ranks = {"network_dim": 8, "network_alpha": 4.0, "conv_dim": 8, "conv_alpha": 2.0}
    return {"lora_type": kind.partition(",")[0], **ranks, **KINDS[kind]}


def build(tiny_sdxl: Path, unet: Any, **changes: Any) -> LycorisNetwork:
    config = make_config(tiny_sdxl, **changes)
    (network,) = build_networks(config, {"unet": unet.module}, ["unet"], 1)
    return cast("LycorisNetwork", network)


def learn(network: LycorisNetwork) -> None:
    """As if it had been trained."""
    with torch.no_grad():
        generator = torch.Generator().manual_seed(2)
        network.flat.weights.add_(torch.randn(len(network.flat.weights), generator=generator), alpha=0.05)


def by_module(network: LycorisNetwork) -> dict[str, dict[str, Tensor]]:
    found: dict[str, dict[str, Tensor]] = {}
    for module, key, value in network.tensors():
        found.setdefault(module, {})[key] = value.detach().clone()
    return found


def merged(layer: Any, tensors: dict[str, Tensor]) -> Any:
    """The layer with the effect of a file's tensors in its weight, in fp64; computed from the papers."""
    layer = copy.deepcopy(layer).double()
    values = {key: value.double() for key, value in tensors.items()}
    shapes = {key: tuple(value.shape) for key, value in tensors.items()}
    kind = kind_of(shapes)
    dim = rank_of(shapes)
    scale = float(values["alpha"]) / dim if dim and "alpha" in values else 1.0
    weight = layer.weight.detach()
    match kind:
        case "GLoRA":
            a1, a2, b1, b2 = (values[f"{key}.weight"].flatten(1) for key in ("a1", "a2", "b1", "b2"))
            inside = torch.einsum("oi...,ij->oj...", weight, a1 @ a2)
            changed = weight + scale * (inside + (b1 @ b2).view(weight.shape))
        case "Diag-OFT":
            rotation: Tensor = TORCH.block_diag(*rotations(values, len(weight)))
            changed = torch.einsum("nm,n...->m...", rotation, weight)
        case "BOFT":
            changed = butterfly(rotations(values, len(weight)), weight)
        case None:
            raise AssertionError(shapes)
        case _:
            changed = changed_weight(kind, values, weight, scale, 1.0)
    assert changed is not None
    if "rescale" in values:
        changed = changed * values["rescale"]
    bias = values.get("b_norm" if kind == "norm" else "diff_b")
    with torch.no_grad():
        layer.weight.copy_(changed)
        if bias is not None:
            layer.bias.add_(bias)
    return layer


def rotations(values: dict[str, Tensor], rows: int) -> Tensor:
    """Cayley: orthogonal matrices from what is left of blocks when their transposes are taken away."""
    blocks = values["oft_blocks"]
    skew = blocks - blocks.transpose(-1, -2)
    limit = float(values["alpha"]) * rows
    if limit > 0:
        skew = skew * min(1.0, limit / size_of(skew))
    one = torch.eye(skew.shape[-1], dtype=skew.dtype)
    return (one + skew) @ TORCH.linalg.inv(one - skew)


def butterfly(rotations: Tensor, weight: Tensor) -> Tensor:
    """Each stage turns rows that are twice as far apart (Liu et al. 2024, BOFT)."""
    half = rotations.shape[-1] // 2
    for stage, turned in enumerate(rotations):
        far = 2**stage * half
        order = torch.arange(len(weight)).view(-1, 2, far).transpose(1, 2).flatten()
        mixed: Tensor = TORCH.block_diag(*turned) @ weight[order].flatten(1)
        weight = torch.empty_like(weight).index_copy(0, order, mixed.view(weight.shape))
    return weight


def some_inputs(layer: Any) -> Tensor:
    generator = torch.Generator().manual_seed(3)
    if isinstance(layer, nn.Conv2d):
        shape = (2, layer.in_channels, 7, 5)
    elif isinstance(layer, nn.GroupNorm):
        shape = (2, layer.num_channels, 7, 5)
    else:
        shape = (2, 6, layer.weight.shape[-1])
    return torch.randn(shape, generator=generator)


@pytest.mark.parametrize("kind", KINDS)
def test_every_layer_is_what_its_file_says(tiny_sdxl: Path, kind: str) -> None:
    unet = tiny_unet(tiny_sdxl)
    network = build(tiny_sdxl, unet, **changes_of(kind))
    assert not network.has_learnt()
    learn(network)
    assert network.has_learnt()
    seen: set[str] = set()
    with network.resting():
        for name, tensors in by_module(network).items():
            adapted = unet.module.get_submodule(name)
            key = f"{type(adapted.base).__name__} {getattr(adapted.base, 'kernel_size', '')}{sorted(tensors)}"
            if key in seen:
                continue
            seen.add(key)
            values = some_inputs(adapted.base)
            expected = merged(adapted.base, tensors)(values.double())
            found = adapted(values)
            torch.testing.assert_close(found.double(), expected, rtol=2e-4, atol=2e-5)
            assert not torch.allclose(found, adapted.base(values), rtol=1e-3, atol=1e-3), name
            with network.off():
                assert torch.equal(adapted(values), adapted.base(values))
    assert seen


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_as_the_base_model(tiny_sdxl: Path, kind: str) -> None:
    unet = tiny_unet(tiny_sdxl)
    expected = unet.predict(*inputs())
    network = build(tiny_sdxl, unet, **changes_of(kind))
    with network.resting():
        torch.testing.assert_close(unet.predict(*inputs()), expected, rtol=1e-4, atol=1e-5)
    again = build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes_of(kind))
    assert torch.equal(network.flat.weights, again.flat.weights)


@pytest.mark.parametrize(
    "preset", ["full", "full-lin", "attn-mlp", "unet-only", "unet-transformer-only", "unet-convblock-only"]
)
@pytest.mark.parametrize("norms", [False, True])
def test_a_preset_chooses_what_lycoris_chooses(tiny_sdxl: Path, preset: str, *, norms: bool) -> None:
    """By the library's own network, without what sd-scripts' UNet has no such name or class for."""
    unet = tiny_unet(tiny_sdxl).module
    encoder = tiny_encoder(tiny_sdxl, CLIPTextModel, "text_encoder")
    known: Any = import_module("lycoris.config").PRESET[preset]
    classes = [each for each in known["unet_target_module"] if each != "TimestepEmbedding"]
    known = {**known, "unet_target_name": [], "unet_target_module": classes}
    kohya: Any = import_module("lycoris.kohya").LycorisNetworkKohya
    kohya.apply_preset(known)
    theirs = kohya([encoder], unet, lora_dim=8, conv_lora_dim=4, train_norm=norms, warn_on_unmatched=False)
    names = {each.lora_name for each in theirs.unet_loras}
    ranks = {each.lora_name: each.lora_dim for each in theirs.unet_loras if hasattr(each, "lora_dim")}

    changes = {"network_dim": 8, "conv_dim": 4, "lycoris_preset": preset, "train_norm": norms}
    config = make_config(tiny_sdxl, lora_type="LyCORIS/LoCon", **changes)
    ours, text = build_networks(
        config, {"unet": unet, "text_encoder_1": encoder}, ["unet", "text_encoder_1"], 1
    )
    shapes = by_module(cast("Any", ours))
    assert {f"lora_unet_{name}".replace(".", "_") for name in shapes} == names
    for name, tensors in shapes.items():
        if "lora_down.weight" in tensors:
            assert len(tensors["lora_down.weight"]) == ranks[f"lora_unet_{name}".replace(".", "_")]
    assert {f"lora_te1_{name}".replace(".", "_") for name in by_module(cast("Any", text))} == {
        each.lora_name for each in theirs.text_encoder_loras
    }


def test_attention_alone_and_ia3s_own_preset(tiny_sdxl: Path) -> None:
    attention = by_module(
        build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes_of("LyCORIS/LoHa"), lycoris_preset="attn-only")
    )
    assert {name.rpartition("attn")[2][2:] for name in attention} == {"to_q", "to_k", "to_v", "to_out.0"}
    scaled = by_module(build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes_of("LyCORIS/iA3, preset")))
    ends = {name.rpartition("transformer_blocks.")[2].partition(".")[2] for name in scaled}
    assert ends == {"attn1.to_k", "attn1.to_v", "attn2.to_k", "attn2.to_v", "ff.net.2"}
    assert all(int(each["on_input"]) == name.endswith("ff.net.2") for name, each in scaled.items())


def test_a_preset_of_ones_own(tiny_sdxl: Path, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        'unet_target_module = ["Transformer2DModel"]\n'
        'unet_target_name = ["out.2"]\n'
        'exclude_name = ["input_blocks"]\n'
        "[module_algo_map.CrossAttention]\n"
        'algo = "lokr"\nfactor = 2\ndim = 2\n'
        '[name_algo_map."out.2"]\ndim = 3\nalpha = 1.5\n'
    )
    changes = {**changes_of("LyCORIS/LoHa"), "lycoris_preset": str(file)}
    found = by_module(build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes))
    assert not any(unet_name(name).startswith("input_blocks") for name in found)
    assert all(("lokr_w1" in tensors) == (".attn" in name) for name, tensors in found.items())
    assert found["conv_out"]["hada_w1_b"].shape[0] == 3
    assert float(found["conv_out"]["alpha"]) == 1.5


@pytest.mark.parametrize("kind", ["LyCORIS/LoCon", "LyCORIS/LoHa", "LyCORIS/Diag-OFT", "Kohya LoKr"])
def test_dropouts_leave_out_rows_values_and_modules(tiny_sdxl: Path, kind: str) -> None:
    name = "down_blocks.1.attentions.0.transformer_blocks.0.attn1.to_q"
    plain = tiny_unet(tiny_sdxl)
    learn(build(tiny_sdxl, plain, **changes_of(kind)))
    base = plain.module.get_submodule(name).base
    values = some_inputs(base)
    effect = plain.module.get_submodule(name)(values) - base(values)

    def added(**dropouts: Any) -> Tensor:
        unet = tiny_unet(tiny_sdxl)
        network = build(tiny_sdxl, unet, **changes_of(kind), **dropouts)
        learn(network)
        seed_layers(1, 2, 3)
        layer = unet.module.get_submodule(name)
        drawn = layer(values) - base(values)
        with network.resting():
            torch.testing.assert_close(layer(values) - base(values), effect, rtol=1e-4, atol=1e-5)
        return drawn

    TORCH.manual_seed(0)
    rows = added(rank_dropout=0.4)
    kept = rows.flatten(0, 1).abs().sum(0) > 0
    assert 0 < int(kept.sum()) < len(kept)
    torch.testing.assert_close(rows[..., kept], effect[..., kept], rtol=1e-4, atol=1e-5)
    stronger = added(rank_dropout=0.4, rank_dropout_scale=True)
    if kind.startswith("LyCORIS/"):
        torch.testing.assert_close(stronger * kept.float().mean(), rows, rtol=1e-4, atol=1e-5)
    single = added(network_dropout=0.5)
    share = float((single.abs() > 1e-9).float().mean())
    assert 0.3 < share < 0.7
    torch.testing.assert_close(
        single[single.abs() > 1e-9], 2 * effect[single.abs() > 1e-9], rtol=1e-3, atol=1e-5
    )
    assert not added(module_dropout=0.999).any()


@pytest.mark.parametrize("method", ["full", "selective"])
@pytest.mark.parametrize("kind", ["LyCORIS/DyLoRA", "LyCORIS/LoKr", "LyCORIS/LoCon, DoRA"])
def test_checkpointing_draws_what_was_drawn(tiny_sdxl: Path, kind: str, method: Any) -> None:
    changes = {**changes_of(kind), "rank_dropout": 0.3, "module_dropout": 0.2}
    gradients: list[Tensor] = []
    for checkpointed in (False, True):
        unet = tiny_unet(tiny_sdxl)
        if checkpointed:
            unet.checkpoint_gradients(method, draws=True)
        network = build(tiny_sdxl, unet, **changes)
        learn(network)
        seed_layers(1, 2, 3)
        run_backward(unet.predict(*inputs()))
        gradients.append(network.flat.gradients.clone())
    assert gradients[0].any()
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-4, atol=1e-6)


def test_dylora_trains_one_block_of_ranks_at_a_time(tiny_sdxl: Path) -> None:
    unet = tiny_unet(tiny_sdxl)
    network = build(tiny_sdxl, unet, **changes_of("LyCORIS/DyLoRA"))
    learn(network)
    seed_layers(1, 2, 3)
    run_backward(unet.predict(*inputs()))
    layers = [each for each in unet.module.modules() if type(each).__name__ == "_LycorisLayer"]
    blocks = set[int]()
    for layer in layers:
        inner = layer._module.inner
        touched = [bool(each.grad.any()) for each in inner.up_list]
        assert sum(touched) == 1
        blocks.add(touched.index(True))
    assert blocks == set(range(4))


def test_only_locons_ups_learn_faster(tiny_sdxl: Path) -> None:
    for kind, names in (
        ("LyCORIS/LoCon", ["", "plus"]),
        ("LyCORIS/LoHa", [""]),
        ("LyCORIS/LoCon, norms", ["", "plus"]),
    ):
        network = build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes_of(kind), loraplus_lr_ratio=4.0)
        assert [section.name for section in network.flat.sections] == names
        assert [section.factor for section in network.flat.sections] == [1.0, 4.0][: len(names)]


@pytest.mark.parametrize(
    "kind", ["LyCORIS/LoCon, Tucker", "LyCORIS/LoHa", "LyCORIS/LoKr, both", "LyCORIS/GLoRA", "Kohya DyLoRA"]
)
def test_norms_are_held_to_the_limit(tiny_sdxl: Path, kind: str) -> None:
    free = build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes_of(kind), scale_weight_norms=1000.0)
    learn(free)
    sizes = free.limit_norms()
    assert sizes is not None
    limit = float(sizes.norms.median())
    unet = tiny_unet(tiny_sdxl)
    network = build(tiny_sdxl, unet, **changes_of(kind), scale_weight_norms=limit)
    learn(network)

    def effects() -> dict[str, Tensor]:
        return {
            name: merged(layer.base, tensors).weight.detach() - layer.base.weight
            for name, tensors in by_module(network).items()
            if (layer := unet.module.get_submodule(name))
        }

    before = effects()
    told = network.limit_norms()
    assert told is not None
    assert 0 < int(told.scaled) < len(before)
    for (name, effect), norm in zip(effects().items(), told.norms, strict=True):
        expected = before[name] * min(1.0, limit / size_of(before[name]))
        torch.testing.assert_close(effect, expected, rtol=1e-3, atol=1e-6)
        assert float(norm) == pytest.approx(size_of(effect), rel=1e-3)


@pytest.mark.parametrize("how", ["int8", "nf4"])
@pytest.mark.parametrize("kind", [each for each in KINDS if "DoRA" not in each and "Native" not in each])
def test_a_quantised_base_is_adapted_as_its_opened_weights(tiny_sdxl: Path, kind: str, how: Any) -> None:
    unet = tiny_unet(tiny_sdxl)
    quantize(unet.module, how, torch.float32)
    opened = tiny_unet(tiny_sdxl)
    for name, layer in unet.module.named_modules():
        if hasattr(layer, "packed"):
            opened.module.get_submodule(name).weight.data = layer.packed.opened(torch.float32).clone()
    for each in (unet, opened):
        learn(build(tiny_sdxl, each, **changes_of(kind)))
    seed_layers(1, 2, 3)
    found = unet.predict(*inputs())
    seed_layers(1, 2, 3)
    torch.testing.assert_close(found, opened.predict(*inputs()), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_in_half_precision_it_is_near(tiny_sdxl: Path, kind: str) -> None:
    with torch.no_grad():
        found = tiny_unet(tiny_sdxl, torch.bfloat16)
        network = build(tiny_sdxl, found, **changes_of(kind))
        learn(network)
        expected = tiny_unet(tiny_sdxl)
        same = build(tiny_sdxl, expected, **changes_of(kind))
        learn(same)
        with network.resting(), same.resting():
            half = found.predict(
                *(each.bfloat16() if each.is_floating_point() else each for each in inputs())
            )
            whole = expected.predict(*inputs())
    assert functional.cosine_similarity(half.float().flatten(), whole.flatten(), dim=0) > 0.99


@pytest.mark.parametrize("kind", KINDS)
def test_a_training_goes_on_from_its_file(tiny_sdxl: Path, tmp_path: Path, kind: str) -> None:
    """With another alpha the effect stays."""
    taught = build(tiny_sdxl, tiny_unet(tiny_sdxl), **changes_of(kind))
    learn(taught)
    file = tmp_path / "start.safetensors"
    tensors = kohya_tensors([taught], torch.float32)
    file.write_bytes(save({key: value.contiguous() for key, value in tensors.items()}))
    alphas = {} if "whole" in kind else {"network_alpha": 8.0, "conv_alpha": 16.0}
    unet = tiny_unet(tiny_sdxl)
    config = make_config(tiny_sdxl, **{**changes_of(kind), **alphas, "network_weights": str(file)})
    (network,) = build_networks(config, {"unet": unet.module}, ["unet"], 1)
    assert load_start([network], config) == []
    expected = by_module(taught)
    for name, tensors in by_module(cast("Any", network)).items():
        layer = unet.module.get_submodule(name).base
        values = some_inputs(layer).double()
        torch.testing.assert_close(
            merged(layer, tensors)(values), merged(layer, expected[name])(values), rtol=1e-4, atol=1e-5
        )


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_learns(project: Path, tiny_sdxl: Path, kind: str) -> None:
    """Twenty steps over the same pictures lower the loss; the file reads back and does something."""
    rate = {"LyCORIS/Native Fine-Tuning": 1e-3, "LyCORIS/iA3, preset": 1e-1}.get(kind, 1e-2)
    ending, sink = run_training(
        project,
        tiny_sdxl,
        max_train_steps=20,
        learning_rate=rate,
        min_timestep=400,
        max_timestep=500,
        text_encoder_lr=rate,
        **changes_of(kind),
    )
    losses = losses_of(sink)
    assert sum(losses[-5:]) < sum(losses[:5])
    found = inspect_lora(str(ending.outputs[0]))
    assert {module.name.partition("_")[0] for module in found.modules} == {"lora"}
    assert found.modules
    assert not found.empty_modules
    assert not found.non_finite_tensors
