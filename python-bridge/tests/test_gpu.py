"""What only a CUDA GPU can show: `python -m pytest python-bridge/tests -m gpu`.

The full-size tests write a checkpoint of 6.9 GB with random weights into pytest's temporary folder.
"""

from __future__ import annotations

import math
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
import torch
from make_full_size_checkpoint import make_full_size_checkpoint
from training_support import ListSink, losses_of, make_config, save_picture

from lora_bridge import train
from lora_bridge.inspection import inspect_lora
from lora_bridge.protocol_types import StepEvent
from lora_bridge.trainer import Trainer

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU"),
]

SIDE = 1024
STEPS = 12
WARM = 4


@pytest.fixture(scope="module")
def full_size_sdxl(tmp_path_factory: pytest.TempPathFactory) -> Generator[Path]:
    """The full-size SDXL with random weights, gone after the tests."""
    file = tmp_path_factory.mktemp("full-size") / "sdxl.safetensors"
    make_full_size_checkpoint(file)
    yield file
    file.unlink()


def train_on_gpu(project: Path, model: Path, **changes: Any) -> ListSink:
    sink = ListSink()
    config = make_config(project, pretrained_model_name_or_path=str(model), **changes)
    train.run(config, sink, project / "job", "cuda")
    return sink


@pytest.mark.parametrize("batch", [1, 4])
@pytest.mark.parametrize("checkpointing", ["none", "selective", "full"])
def test_full_size_sdxl_trains(
    batch: int,
    checkpointing: str,
    tmp_path: Path,
    full_size_sdxl: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for index in range(batch):
        save_picture(tmp_path / "img" / "20_ohwx person" / f"{index}.png", (SIDE, SIDE), hue=40 * index)
    torch.cuda.reset_peak_memory_stats()
    sink = train_on_gpu(
        tmp_path,
        full_size_sdxl,
        max_resolution=f"{SIDE},{SIDE}",
        max_bucket_reso=2048,
        train_batch_size=batch,
        max_train_steps=STEPS,
        mixed_precision="bf16",
        save_precision="fp16",
        network_dim=64,
        network_alpha=32.0,
        learning_rate=3e-4,
        gradient_checkpointing=checkpointing != "none",
        checkpointing_method="full" if checkpointing == "none" else checkpointing,
    )
    steps = sink.of(StepEvent)
    times = [step.time for step in steps]
    found = inspect_lora(str(tmp_path / "model" / "ohwx.safetensors"))
    assert len(steps) == STEPS
    assert all(math.isfinite(loss) for loss in losses_of(sink))
    assert len(found.modules) == 722
    assert not found.non_finite_tensors
    assert not found.empty_modules
    seconds = median(step.seconds_per_step for step in steps[WARM:])
    with capfd.disabled():
        print(  # noqa: T201 - the figures are what this test is for
            f"\n{torch.cuda.get_device_name()}, batch {batch}, checkpointing {checkpointing}: "
            f"{batch / seconds:.2f} images/s, {seconds:.3f} s a step, "
            f"peak {torch.cuda.max_memory_allocated() / 2**30:.1f} GiB, {len(times)} steps"
        )


@pytest.mark.parametrize("precision", ["no", "fp16", "bf16"])
@pytest.mark.parametrize("quantized", ["none", "fp8", "int8", "nf4"])
def test_every_format_trains(precision: str, quantized: str, project: Path, tiny_sdxl: Path) -> None:
    if precision == "no" and quantized != "none":
        pytest.skip("quantized weights are multiplied in half precision")
    sink = train_on_gpu(project, tiny_sdxl, mixed_precision=precision, quantize_base_model=quantized, epoch=3)
    losses = losses_of(sink)
    assert len(losses) == 12
    assert all(math.isfinite(loss) for loss in losses)


@pytest.mark.parametrize(
    "optimizer", ["AdamW", "AdamW8bit", "PagedAdamW8bit", "Lion8bit", "Adafactor", "Prodigy"]
)
def test_every_kind_of_optimizer_learns(optimizer: str, project: Path, tiny_sdxl: Path) -> None:
    train_on_gpu(project, tiny_sdxl, optimizer=optimizer, mixed_precision="bf16", epoch=3)
    found = inspect_lora(str(project / "model" / "ohwx.safetensors"))
    assert not found.empty_modules
    assert not found.non_finite_tensors


def test_a_step_does_not_wait_for_the_gpu(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind: Any = Trainer
    take = kind._take
    cuda: Any = torch.cuda
    taken = 0

    def watched(trainer: Trainer, step: Any) -> Any:
        nonlocal taken
        taken += 1
        # The first steps choose kernels and make the optimizer's state.
        cuda.set_sync_debug_mode("error" if taken > 2 else "default")
        try:
            return take(trainer, step)
        finally:
            cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(kind, "_take", watched)
    train_on_gpu(project, tiny_sdxl, mixed_precision="bf16", epoch=3)
    assert taken == 12
