"""Computing activations twice instead of keeping them."""

from __future__ import annotations

from collections import Counter
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
import torch
from test_lora import inputs, learn, network, run_backward, tiny_unet
from torch.utils._python_dispatch import TorchDispatchMode

from lora_bridge.quantize import quantize

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_PROFILER: Any = torch.autograd.profiler


def bytes_left_by(run: Callable[[], object]) -> int:
    """That it has taken and, while its result is held, not given back."""
    with _PROFILER.profile(profile_memory=True) as profile:
        result = run()
    left = sum(event.self_cpu_memory_usage for event in profile.function_events)
    del result
    return left


def taught(tiny_sdxl: Path, method: str, dtype: torch.dtype = torch.float32) -> tuple[Any, Any]:
    unet = tiny_unet(tiny_sdxl, dtype)
    if method != "none":
        unet.checkpoint_gradients(method)
    lora = network(unet.module)
    learn(lora)
    return unet, lora


@pytest.mark.parametrize("method", ["full", "selective"])
def test_gradients_are_those_without(tiny_sdxl: Path, method: str) -> None:
    predictions: list[torch.Tensor] = []
    gradients: list[torch.Tensor] = []
    for each in ("none", method):
        unet, lora = taught(tiny_sdxl, each)
        for _ in range(2):
            predictions.append(unet.predict(*inputs()))
            run_backward(predictions[-1])
        gradients.append(lora.flat.gradients)
    assert gradients[0].any()
    torch.testing.assert_close(predictions[2], predictions[0], rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(gradients[1], gradients[0], rtol=1e-6, atol=1e-8)


def test_selective_keeps_more_than_full_and_less_than_all(tiny_sdxl: Path) -> None:
    full, selective, everything = (
        bytes_left_by(partial(taught(tiny_sdxl, method)[0].predict, *inputs()))
        for method in ("full", "selective", "none")
    )
    assert 2 * full < selective < 0.8 * everything


class Counting(TorchDispatchMode):
    """Counts what is computed and not what is taken from what was kept."""

    def __init__(self) -> None:
        super().__init__()  # pyright: ignore[reportUnknownMemberType]
        self.counts: Counter[Any] = Counter()

    def __torch_dispatch__(
        self, func: Any, _types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        self.counts[func] += 1
        return func(*args, **(kwargs or {}))


def test_selective_computes_what_is_dear_once(tiny_sdxl: Path) -> None:
    """And so less twice than full does, which computes all of a block again."""
    counts: dict[str, Counter[Any]] = {}
    for method in ("none", "selective", "full"):
        unet, _ = taught(tiny_sdxl, method)
        prediction = unet.predict(*inputs())
        with Counting() as counting:
            run_backward(prediction)
        counts[method] = counting.counts
    none, selective, full = counts["none"], counts["selective"], counts["full"]
    aten: Any = torch.ops.aten
    for dear in (aten.convolution.default, aten._scaled_dot_product_flash_attention_for_cpu.default):
        assert selective[dear] == none[dear] < full[dear]
    for mixed in (aten.mm.default, aten.addmm.default):
        assert none[mixed] <= selective[mixed] < full[mixed]
    for cheap in (aten.native_layer_norm.default, aten.gelu.default):
        assert none[cheap] < selective[cheap] == full[cheap]


def test_a_quantised_base_is_checkpointed_too(tiny_sdxl: Path) -> None:
    gradients: list[torch.Tensor] = []
    for method in ("none", "full", "selective"):
        unet = tiny_unet(tiny_sdxl)
        quantize(unet.module, "int8", torch.float32)
        if method != "none":
            unet.checkpoint_gradients(method)
        lora = network(unet.module)
        learn(lora)
        run_backward(unet.predict(*inputs()))
        gradients.append(lora.flat.gradients)
    assert gradients[0].any()
    for other in gradients[1:]:
        torch.testing.assert_close(other, gradients[0], rtol=1e-6, atol=1e-8)
