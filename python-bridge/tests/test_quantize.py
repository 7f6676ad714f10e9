"""The base model in 8 and 4 bits."""

from __future__ import annotations

import math
import weakref
from typing import TYPE_CHECKING, Any

import pytest
import torch
from test_lora import inputs, learn, network, run_backward, tiny_unet
from training_support import losses_of, run_training, warnings_of

from lora_bridge import quantize as quantize_module
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import SampleEvent
from lora_bridge.quantize import QuantizedConv2d, QuantizedLinear, quantize

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.quantize import How

# Of a weight with normally distributed numbers; measured .0255, .0066 and .0905.
_ROUNDING: dict[How, float] = {"fp8": 0.028, "int8": 0.008, "nf4": 0.095}
# Of the tiny UNet's prediction, whose weights are random; measured .059, .010 and .22.
_PREDICTION: dict[How, float] = {"fp8": 0.08, "int8": 0.015, "nf4": 0.3}
_BYTES: dict[How, float] = {"fp8": 1.1, "int8": 1.1, "nf4": 0.6}

every_way = pytest.mark.parametrize("how", ["fp8", "int8", "nf4"])
every_dtype = pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])


def distance(one: torch.Tensor, other: torch.Tensor) -> float:
    """Relative, in the mean of squares."""
    error = (one.double() - other.double()).square().mean() / other.double().square().mean()
    return error.sqrt().item()


def opened(layer: Any, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return layer.packed.opened(dtype)


@every_way
def test_rounding_is_bounded(how: How) -> None:
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    linear = torch.nn.Linear(1280, 320)
    torch.nn.init.normal_(linear.weight, std=0.02)
    assert distance(opened(QuantizedLinear(linear, how)), linear.weight) < _ROUNDING[how]


@pytest.mark.parametrize("how", ["fp8", "int8"])
def test_an_outlier_costs_no_other_row_its_precision(how: How) -> None:
    linear = torch.nn.Linear(64, 4)
    linear.weight.data[0, 0] = 1000.0
    rows = opened(QuantizedLinear(linear, how))
    assert rows[0, 0] == 1000.0
    assert distance(rows[1:], linear.weight[1:]) < 0.04


@every_way
def test_zeros_stay_zeros(how: How) -> None:
    linear = torch.nn.Linear(64, 2)
    linear.weight.data.zero_()
    assert not opened(QuantizedLinear(linear, how)).any()


def test_nf4_is_that_of_bitsandbytes() -> None:
    functional = pytest.importorskip("bitsandbytes.functional")
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    linear = torch.nn.Linear(192, 32)
    codes, state = functional.quantize_4bit(linear.weight.data, blocksize=64, quant_type="nf4")
    layer: Any = QuantizedLinear(linear, "nf4")
    assert torch.equal(layer.packed.codes.flatten(), codes.flatten())
    theirs = functional.dequantize_4bit(codes, state)
    torch.testing.assert_close(opened(layer), theirs, rtol=1e-6, atol=0)


def test_nf4_takes_weights_that_fill_no_block() -> None:
    conv = torch.nn.Conv2d(3, 5, 3)
    layer = QuantizedConv2d(conv, "nf4")
    assert opened(layer).shape == conv.weight.shape
    assert distance(opened(layer), conv.weight) < 0.15


@every_dtype
@every_way
def test_layers_compute_and_pass_gradients_as_with_the_opened_weight(how: How, dtype: torch.dtype) -> None:
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    linear = torch.nn.Linear(64, 32).to(dtype).requires_grad_(False)
    conv = torch.nn.Conv2d(8, 16, 3, stride=2, padding=1).to(dtype).requires_grad_(False)
    cases: list[tuple[Any, Any, tuple[int, ...]]] = [
        (linear, QuantizedLinear(linear, how), (2, 7, 64)),
        (conv, QuantizedConv2d(conv, how), (2, 8, 9, 8)),
    ]
    for plain, quantized, shape in cases:
        plain.weight.data.copy_(opened(quantized, dtype))
        given = [torch.randn(shape).to(dtype).requires_grad_() for _ in range(2)]
        given[1].data.copy_(given[0].data)
        outputs = [plain(given[0]), quantized(given[1])]
        assert outputs[1].dtype == dtype
        torch.testing.assert_close(outputs[1], outputs[0])
        weights = torch.randn_like(outputs[0])
        for output in outputs:
            torch.autograd.backward((output * weights).sum())
        torch.testing.assert_close(given[1].grad, given[0].grad)


def test_nothing_is_kept_for_the_backward_pass() -> None:
    layer = QuantizedLinear(torch.nn.Linear(64, 64).requires_grad_(False), "int8")
    kept: list[torch.Tensor] = []

    def keep(tensor: torch.Tensor) -> torch.Tensor:
        kept.append(tensor)
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(keep, lambda tensor: tensor):
        layer(torch.randn(3, 64, requires_grad=True))
    assert not kept


@every_way
def test_the_unets_prediction_stays_near(tiny_sdxl: Path, how: How) -> None:
    unet = tiny_unet(tiny_sdxl)
    expected = unet.predict(*inputs())
    quantize(unet.module, how, torch.float32)
    assert 0 < distance(unet.predict(*inputs()), expected) < _PREDICTION[how]


@every_way
def test_memory_falls(tiny_sdxl: Path, how: How) -> None:
    unet = tiny_unet(tiny_sdxl)
    quantize(unet.module, how, torch.bfloat16)
    packed = numbers = 0
    for layer in unet.module.modules():
        if isinstance(layer, QuantizedLinear | QuantizedConv2d):
            held: Any = layer.packed
            packed += held.codes.nbytes + held.scale.nbytes
            numbers += opened(layer).numel()
    everything = sum(parameter.numel() for parameter in tiny_unet(tiny_sdxl).module.parameters())
    left = sum(parameter.numel() for parameter in unet.module.parameters())
    assert packed < numbers * _BYTES[how]
    assert numbers + left == everything
    assert numbers > 0.9 * everything


def test_only_one_layer_is_there_twice(tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    unet = tiny_unet(tiny_sdxl)
    module: Any = unet.module
    weights = [
        weakref.ref(layer.weight)
        for layer in module.modules()
        if isinstance(layer, torch.nn.Linear | torch.nn.Conv2d)
    ]
    alive: list[int] = []

    class Counting(quantize_module._Rows):  # pyright: ignore[reportPrivateUsage]
        def __init__(self, weight: torch.Tensor, how: How) -> None:
            super().__init__(weight, how)
            alive.append(sum(weight() is not None for weight in weights))

    monkeypatch.setattr(quantize_module, "_Rows", Counting)
    quantize(module, "int8", torch.float32)
    # The first is of the small weight that is tried beforehand.
    assert alive[1:] == list(range(len(weights), len(weights) - len(alive) + 1, -1))


def test_what_is_not_quantised_computes_in_the_dtype(tiny_sdxl: Path) -> None:
    unet = tiny_unet(tiny_sdxl, torch.float16)
    quantize(unet.module, "fp8", torch.bfloat16)
    assert unet.dtype == torch.bfloat16
    assert {parameter.dtype for parameter in unet.module.parameters()} == {torch.bfloat16}
    arguments = [tensor.bfloat16() if tensor.is_floating_point() else tensor for tensor in inputs()]
    assert unet.predict(*arguments).dtype == torch.bfloat16


@every_dtype
@every_way
def test_lora_is_built_over_quantised_layers(tiny_sdxl: Path, how: How, dtype: torch.dtype) -> None:
    """As over a plain UNet whose weights are what the quantised ones open to."""
    plain, quantized = tiny_unet(tiny_sdxl, dtype), tiny_unet(tiny_sdxl, dtype)
    quantize(quantized.module, how, dtype)
    modules: Any = quantized.module.named_modules()
    for name, layer in modules:
        if isinstance(layer, QuantizedLinear | QuantizedConv2d):
            target: Any = plain.module.get_submodule(name)
            target.weight.data.copy_(opened(layer, dtype))
    arguments = [tensor.to(dtype) if tensor.is_floating_point() else tensor for tensor in inputs()]
    gradients: list[torch.Tensor] = []
    predictions: list[torch.Tensor] = []
    for unet in (plain, quantized):
        lora = network(unet.module)
        learn(lora)
        predictions.append(unet.predict(*arguments))
        run_backward(predictions[-1])
        lora.flat.collect()
        gradients.append(lora.flat.gradients)
        with lora.off():
            assert not torch.equal(unet.predict(*arguments), predictions[-1])
    assert gradients[0].any()
    tolerance = 1e-5 if dtype == torch.float32 else 0.03
    assert distance(predictions[1], predictions[0]) < tolerance
    assert distance(gradients[1], gradients[0]) < tolerance


@every_way
def test_a_device_that_cannot_is_told_before_anything_changes(
    tiny_sdxl: Path, how: How, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_arguments: object) -> torch.Tensor:
        raise NotImplementedError("no kernel for Float8_e4m3fn")

    unet = tiny_unet(tiny_sdxl)
    monkeypatch.setattr(QuantizedLinear, "product", refuse)
    with pytest.raises(ProblemError) as caught:
        quantize(unet.module, how, torch.float32)
    problem = caught.value.problem
    assert problem.code == "quantization_unsupported"
    assert how in problem.message
    assert "Float8" in problem.message
    assert how not in str(problem.hint)
    assert not any(isinstance(layer, QuantizedLinear) for layer in unet.module.modules())


@every_way
def test_a_quantised_base_is_trained_and_drawn_with(tiny_sdxl: Path, project: Path, how: How) -> None:
    _, sink = run_training(
        project,
        tiny_sdxl,
        quantize_base_model=how,
        gradient_checkpointing=True,
        checkpointing_method="selective",
        sample_every_n_epochs=1,
        sample_prompts="ohwx person --w 64 --h 64 --s 2",
    )
    losses = losses_of(sink)
    assert len(losses) == 4
    assert all(math.isfinite(loss) for loss in losses)
    assert len(sink.of(SampleEvent)) == 1
    assert warnings_of(sink) == []
