"""The peak of each phase, against what was measured: docs/memory.md has all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from tensor_files import save_tensors
from test_fitting import full_config

from lora_bridge.memory_estimate import Run
from lora_bridge.memory_phases import memory_phases, needed_memory
from lora_bridge.model_size import UNET_NUMBERS, ModelSize, read_model_size

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.memory_estimate import DeviceKind

_GIBIBYTE = 1 << 30


def peaks(run: Run, kind: DeviceKind = "cpu") -> dict[str, float]:
    """GiB by phase."""
    return {peak.phase: peak.bytes / _GIBIBYTE for peak in memory_phases(run, kind)}


def cpu_case(side: int, batch: int = 1, **changes: Any) -> dict[str, Any]:
    """What `cpu_run` takes."""
    return {"side": side, "batch": batch, **changes}


def cpu_run(project: Path, side: int, batch: int = 1, drawn_pixels: int = 0, **changes: Any) -> Run:
    values: dict[str, Any] = {"network_dim": 16, "save_precision": "fp16", **changes}
    return Run(full_config(project, **values), (side // 8) ** 2, batch, drawn_pixels)


@pytest.mark.parametrize(
    ("case", "measured"),
    [
        (
            cpu_case(256, mixed_precision="no", gradient_checkpointing=False),
            {"caching_captions": 4.66, "loading_model": 14.82, "training": 11.96, "saving": 12.02},
        ),
        (
            cpu_case(256, mixed_precision="no", text_encoder_lr=1e-5),
            {"caching_captions": 5.10, "loading_model": 18.04, "training": 14.42, "saving": 14.52},
        ),
        (
            cpu_case(256),
            {"caching_captions": 3.36, "loading_model": 10.03, "training": 6.38, "saving": 6.38},
        ),
        (
            cpu_case(256, drawn_pixels=64 * 64),
            {"loading_model": 10.04, "training": 6.56, "sampling": 7.41, "saving": 6.57},
        ),
        (
            cpu_case(256, 2, gradient_checkpointing=False, network_dim=128),
            {"loading_model": 10.04, "training": 14.01},
        ),
        (
            cpu_case(512, gradient_checkpointing=False),
            {"caching_latents": 1.38, "loading_model": 10.03, "training": 8.33},
        ),
        (
            cpu_case(512, mixed_precision="no", checkpointing_method="selective"),
            {"loading_model": 14.82, "training": 13.50},
        ),
        (
            cpu_case(512, 2, checkpointing_method="selective", network_dim=128),
            {"loading_model": 10.04, "training": 15.21, "saving": 15.21},
        ),
    ],
)
def test_measured_phases(project: Path, case: dict[str, Any], measured: dict[str, float]) -> None:
    estimated = peaks(cpu_run(project, **case))
    for phase, peak in measured.items():
        assert estimated[phase] == pytest.approx(peak, rel=0.15), phase
    assert max(estimated.values()) == pytest.approx(max(measured.values()), rel=0.05)


def test_what_a_gpu_holds(project: Path) -> None:
    run = cpu_run(project, 1024)
    of_gpu = peaks(run, "cuda")
    assert list(of_gpu) == ["caching_latents", "caching_captions", "loading_model", "training", "saving"]
    assert of_gpu["caching_latents"] == pytest.approx(0.7 + 1.05 * (0.31 + 2.5), rel=0.01)
    assert of_gpu["loading_model"] == pytest.approx(0.7 + 1.05 * 4.78, rel=0.01)
    # The file lies in process memory, and is given back where memory runs short.
    assert all(peak.file == 0 for peak in memory_phases(run, "cuda"))
    assert needed_memory(run, "cuda") == max(peak.bytes for peak in memory_phases(run, "cuda"))


def test_a_mapped_file_is_not_needed(project: Path) -> None:
    run = cpu_run(project, 256)
    loading = next(peak for peak in memory_phases(run, "cpu") if peak.phase == "loading_model")
    assert loading.file == 2 * UNET_NUMBERS
    assert needed_memory(run, "cpu") < loading.bytes


@pytest.mark.parametrize(
    ("dtype", "mixed_precision", "mapped"),
    [
        (torch.float32, "no", 0),
        (torch.float32, "bf16", 4),
        (torch.float16, "no", 2),
        (torch.float16, "bf16", 2),
        (torch.bfloat16, "bf16", 0),
        (torch.bfloat16, "no", 2),
    ],
)
def test_a_file_that_is_computed_with_as_it_is_is_there_once(
    project: Path, dtype: torch.dtype, mixed_precision: str, mapped: int
) -> None:
    file = project / "model.safetensors"
    name = "model.diffusion_model.large"
    save_tensors(file, {name: torch.zeros(8, 8, dtype=dtype), "counter": torch.zeros(99)})
    folder = project / "model" / "unet"
    folder.mkdir(parents=True)
    save_tensors(folder / "a.safetensors", {"large": torch.zeros(8, 8, dtype=dtype), "small": torch.zeros(9)})
    for model, numbers in ((file, 64), (folder.parent, 73)):
        size = read_model_size(str(model))
        assert size.share == pytest.approx(numbers / UNET_NUMBERS)
        run = cpu_run(project, 256, mixed_precision=mixed_precision)._replace(model=size)
        loading = next(peak for peak in memory_phases(run, "cpu") if peak.phase == "loading_model")
        assert loading.file == mapped * numbers


def test_a_model_that_is_not_there_is_taken_for_sdxl(tmp_path: Path) -> None:
    (tmp_path / "damaged.safetensors").write_bytes(b"no model")
    (tmp_path / "folder").mkdir()
    for name in ("damaged.safetensors", "folder", "missing.safetensors"):
        assert read_model_size(str(tmp_path / name)) == ModelSize(1.0, "F16")


def test_samples_have_a_phase_of_their_own(project: Path) -> None:
    run = cpu_run(project, 256)
    assert "sampling" not in peaks(run)
    drawing = run._replace(drawn_pixels=128 * 128)
    for kind in ("cpu", "cuda"):
        more = peaks(drawing, kind)["sampling"] - peaks(run, kind)["training"]
        assert more == pytest.approx(3.0 + 0.18, abs=0.2)


def test_pictures_that_vary_are_encoded_in_the_training(project: Path) -> None:
    cached, varying = (cpu_run(project, 1024, random_crop=random) for random in (False, True))
    assert "caching_latents" not in peaks(varying)
    # The VAE's activations are more than the checkpointed UNet's.
    assert peaks(varying)["training"] - peaks(cached)["training"] == pytest.approx(
        0.31 + 2.5 - 1.2 * 0.59, abs=0.05
    )
    assert peaks(cpu_run(project, 1024, vae_batch_size=2))["caching_latents"] == pytest.approx(
        peaks(cached)["caching_latents"] + 2.5, abs=0.01
    )


def test_text_encoders_that_stay(project: Path) -> None:
    staying, gone = peaks(cpu_run(project, 256, shuffle_caption=True)), peaks(cpu_run(project, 256))
    for phase in ("loading_model", "training"):
        assert staying[phase] - gone[phase] == pytest.approx(2 * 817_720_320 / _GIBIBYTE, rel=0.01)


def test_a_quantised_model_is_whole_while_a_cpu_reads_it(project: Path) -> None:
    run = cpu_run(project, 256, quantize_base_model="nf4")
    assert peaks(run)["loading_model"] == peaks(cpu_run(project, 256))["loading_model"]
    assert peaks(run)["training"] < peaks(run)["loading_model"] / 2
    assert peaks(run, "cuda")["loading_model"] < 3
