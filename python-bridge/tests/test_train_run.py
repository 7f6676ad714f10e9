"""Whole trainings of the tiny model."""

from __future__ import annotations

import hashlib
import json
import math
import shutil
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from lora_support import plain_lora
from tensor_files import load_tensors
from training_support import ListSink, losses_of, run_training, save_picture

from lora_bridge import train
from lora_bridge.export import kohya_name
from lora_bridge.inspection import inspect_lora
from lora_bridge.model import DiffusersModel
from lora_bridge.protocol_types import CheckpointEvent, PhaseEvent, PlanEvent, SampleEvent, StepEvent
from lora_bridge.unet import Unet

if TYPE_CHECKING:
    from pathlib import Path


def test_a_training_from_folder_to_file(project: Path, tiny_sdxl: Path) -> None:
    for index in range(8):
        save_picture(project / "reg" / "1_person" / f"{index}.png")
    ending, sink = run_training(
        project, tiny_sdxl, epoch=3, save_every_n_epochs=1, reg_data_dir=str(project / "reg"), seed=11
    )
    model = project / "model"
    names = ["ohwx.safetensors", "ohwx-000002.safetensors", "ohwx-000001.safetensors"]
    assert (ending.outcome, ending.outputs) == ("completed", [model / name for name in names])
    assert sorted(path.name for path in model.iterdir()) == sorted(names)

    steps: list[StepEvent] = sink.of(StepEvent)
    assert [step.step for step in steps] == list(range(1, 25))
    assert [step.epoch for step in steps] == [1] * 8 + [2] * 8 + [3] * 8
    assert all(step.loss is not None and math.isfinite(step.loss) for step in steps)
    assert all(step.grad_norm is not None and step.grad_norm > 0 for step in steps)
    assert steps[-1].eta_seconds == 0
    assert steps[0].memory_bytes > 1 << 20
    checkpoints: list[CheckpointEvent] = sink.of(CheckpointEvent)
    assert [(each.step, each.epoch, each.final) for each in checkpoints] == [
        (8, 1, False), (16, 2, False), (24, 3, True),
    ]  # fmt: skip
    assert isinstance(sink.events[0], PlanEvent)
    order = [event.phase for event in sink.of(PhaseEvent)]
    assert list(dict.fromkeys(order)) == [
        "loading_model", "caching_latents", "caching_captions", "training", "saving",
    ]  # fmt: skip

    found = inspect_lora(str(ending.outputs[0]))
    assert (found.ranks, found.alphas, found.dtypes) == ([4], [2.0], ["F32"])
    assert found.parts.unet == len(found.modules) == 192
    assert not found.non_finite_tensors
    assert not found.empty_modules
    facts = found.metadata
    assert facts["ss_seed"] == "11"
    assert facts["ss_steps"] == "24"
    assert facts["ss_epoch"] == "3"
    assert facts["ss_training_comment"] == "a comment"
    assert facts["ss_network_module"] == "networks.lora"
    assert facts["ss_base_model_version"] == "sdxl_base_v1-0"
    assert facts["ss_resolution"] == "(128, 128)"
    assert json.loads(facts["ss_dataset_dirs"]) == {"2_ohwx person": {"n_repeats": 2, "img_count": 4}}
    assert json.loads(facts["ss_reg_dataset_dirs"]) == {"1_person": {"n_repeats": 1, "img_count": 8}}
    assert json.loads(facts["ss_tag_frequency"])["2_ohwx person"]["ohwx person"] == 4
    assert json.loads(facts["ss_bucket_info"])["buckets"] == {"0": {"resolution": [128, 128], "count": 16}}
    assert facts["modelspec.architecture"] == "stable-diffusion-xl-v1-base/lora"
    assert str(project) not in json.dumps(facts)


def test_hashes_are_of_the_files_content(project: Path, tiny_sdxl: Path) -> None:
    # Large enough for the legacy hash, which begins at 1 MiB.
    ending, _ = run_training(project, tiny_sdxl, network_dim=16, max_train_steps=1)
    content = ending.outputs[0].read_bytes()
    length = int.from_bytes(content[:8], "little")
    header: dict[str, Any] = json.loads(content[8 : 8 + length])
    facts = header.pop("__metadata__")
    body = content[8 + length :]
    assert facts["sshs_model_hash"] == hashlib.sha256(body).hexdigest()
    training = {key: value for key, value in facts.items() if key.startswith("ss_")}
    text = json.dumps({"__metadata__": training, **header}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    under = len(text).to_bytes(8, "little") + text + body
    part = under[0x100000:0x110000]
    assert len(part) == 0x10000
    assert facts["sshs_legacy_hash"] == hashlib.sha256(part).hexdigest()[:8]


def test_a_seed_repeats_a_training(project: Path, tiny_sdxl: Path) -> None:
    files = [run_training(project, tiny_sdxl, output_name=name)[0].outputs[0] for name in ("one", "two")]
    _, sink = run_training(project, tiny_sdxl, output_name="three")
    _, other = run_training(project, tiny_sdxl, output_name="four", seed=8)
    one, two = (load_tensors(file) for file in files)
    torch.testing.assert_close(one, two, rtol=0, atol=0)
    assert losses_of(sink) != losses_of(other)
    assert len(losses_of(sink)) == 4


def test_seed_0_draws_one_and_records_it(project: Path, tiny_sdxl: Path) -> None:
    ending, _ = run_training(project, tiny_sdxl, seed=0, max_train_steps=1)
    assert int(inspect_lora(str(ending.outputs[0])).metadata["ss_seed"]) > 0


@pytest.fixture
def same_noise(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every sample gets the same noise at the same timestep."""

    def noise_of(size: torch.Size, **_options: Any) -> torch.Tensor:
        return torch.linspace(-1, 1, math.prod(size[1:])).view(1, *size[1:]).repeat(size[0], 1, 1, 1)

    def timestep_of(_low: int, _high: int, size: tuple[int, ...], **_options: Any) -> torch.Tensor:
        return torch.full(size, 500)

    monkeypatch.setattr(train.torch, "randn", noise_of)
    monkeypatch.setattr(train.torch, "randint", timestep_of)


@pytest.mark.usefixtures("same_noise")
def test_it_learns_a_picture_by_heart(project: Path, tiny_sdxl: Path) -> None:
    for name in ("1", "2", "3"):
        (project / "img" / "2_ohwx person" / f"{name}.png").unlink()
    _, sink = run_training(project, tiny_sdxl, max_train_steps=25, learning_rate=0.02, max_resolution="64,64")
    assert losses_of(sink)[-1] < losses_of(sink)[0] / 2


def test_text_encoders_learn_at_rates_of_their_own(project: Path, tiny_sdxl: Path) -> None:
    rates: dict[str, Any] = {"text_encoder_lr": 5e-4, "text_encoder2_lr": 2e-4, "shuffle_caption": True}
    ending, sink = run_training(project, tiny_sdxl, epoch=3, gradient_checkpointing=True, **rates)
    found = inspect_lora(str(ending.outputs[0]))
    idle = {module.name for module in found.modules if module.up_max == 0}
    assert None not in losses_of(sink)
    # The tiny encoders have 3 layers; SDXL reads the first one's last but one.
    assert {name.partition("layers_")[2][:1] for name in idle} == {"2"}
    assert all(name.startswith("lora_te1_") for name in idle)
    assert found.parts.text_encoder1 > len(idle) == 6
    assert found.parts.text_encoder2 > 0
    assert found.parts.unet == 192
    assert not found.empty_modules
    assert not found.non_finite_tensors


@pytest.mark.parametrize(
    ("rates", "parts"),
    [
        ({"unet_lr": 0.0, "text_encoder_lr": 5e-4}, (False, True, True)),
        ({"text_encoder2_lr": 5e-4}, (True, False, True)),
    ],
)
def test_a_rate_of_0_leaves_a_part_as_it_is(
    project: Path, tiny_sdxl: Path, rates: dict[str, Any], parts: tuple[bool, ...]
) -> None:
    ending, _ = run_training(project, tiny_sdxl, **rates)
    found = inspect_lora(str(ending.outputs[0])).parts
    assert (found.unet > 0, found.text_encoder1 > 0, found.text_encoder2 > 0) == parts


@pytest.mark.parametrize("precision", ["no", "bf16"])
@pytest.mark.parametrize("checkpointing", [True, False])
def test_precision_and_checkpointing_do_not_change_the_start(
    project: Path, tiny_sdxl: Path, precision: str, checkpointing: bool
) -> None:
    changes: dict[str, Any] = {"mixed_precision": precision, "gradient_checkpointing": checkpointing}
    _, sink = run_training(project, tiny_sdxl, max_train_steps=2, **changes)
    _, plain = run_training(project, tiny_sdxl, max_train_steps=2, output_name="plain")
    assert losses_of(sink) == pytest.approx(losses_of(plain), rel=1e-2 if precision == "bf16" else 1e-5)


@pytest.mark.usefixtures("same_noise")
def test_accumulated_batches_equal_a_large_one(project: Path, tiny_sdxl: Path) -> None:
    """With the same noise for each sample, four batches of two are one batch of eight."""
    steps: list[StepEvent] = []
    for batch, accumulation in ((8, 1), (2, 4), (3, 3)):
        _, sink = run_training(
            project,
            tiny_sdxl,
            output_name=f"b{batch}",
            train_batch_size=batch,
            gradient_accumulation_steps=accumulation,
        )
        steps += sink.of(StepEvent)
    assert len(steps) == 3
    assert steps[1].loss == pytest.approx(steps[0].loss, rel=1e-5)
    assert steps[2].loss == pytest.approx(steps[0].loss, rel=1e-5)
    assert steps[1].grad_norm == pytest.approx(steps[0].grad_norm, rel=1e-4)
    assert steps[2].grad_norm == pytest.approx(steps[0].grad_norm, rel=1e-4)


def test_prior_loss_weight_0_silences_regularization(project: Path, tiny_sdxl: Path) -> None:
    shutil.move(project / "img", project / "reg")
    save_picture(project / "img" / "1_ohwx" / "a.png")
    changes: dict[str, Any] = {"reg_data_dir": str(project / "reg"), "train_batch_size": 1}
    _, with_reg = run_training(project, tiny_sdxl, **changes)
    _, without = run_training(project, tiny_sdxl, prior_loss_weight=0.0, **changes)
    assert all(loss > 0 for loss in losses_of(with_reg))
    assert min(losses_of(without)) == 0 < max(losses_of(without))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # diffusers' use of numpy
@pytest.mark.parametrize(
    ("step", "upscale", "buckets"),
    [
        # Kohya's rounding: at 128 a step of 64 is coarse.
        (64, False, {(64, 64), (64, 128), (128, 128)}),
        (32, False, {(96, 128), (128, 96), (128, 128)}),
        (32, True, {(96, 160), (160, 96), (128, 128)}),
    ],
)
def test_a_small_resolution_is_trained_in_its_buckets(
    project: Path, tiny_sdxl: Path, step: int, upscale: bool, buckets: set[tuple[int, int]]
) -> None:
    for size in ((768, 512), (512, 768), (600, 600)):
        save_picture(project / "small" / "1_ohwx person" / f"{size[0]}.png", size=size)
    ending, sink = run_training(
        project,
        tiny_sdxl,
        train_data_dir=str(project / "small"),
        max_resolution="128,128",
        bucket_no_upscale=not upscale,
        bucket_reso_steps=step,
        sample_prompts="ohwx person --s 1",
        sample_sampler="euler",
    )
    (plan,) = (event.plan for event in sink.of(PlanEvent))
    assert {bucket.resolution for bucket in plan.buckets} == buckets
    assert ending.outcome == "completed"
    assert all(math.isfinite(loss) for loss in losses_of(sink))
    (drawn,) = sink.of(SampleEvent)
    assert (drawn.width, drawn.height) == (128, 128)


def test_stop_ends_within_a_step_and_saves(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink(stop_when=lambda event: isinstance(event, StepEvent) and event.step == 2)
    ending, _ = run_training(project, tiny_sdxl, sink, epoch=5)
    assert ending.outcome == "stopped"
    assert [step.step for step in sink.of(StepEvent)] == [1, 2]
    assert inspect_lora(str(ending.outputs[0])).metadata["ss_steps"] == "2"


@pytest.mark.parametrize("phase", ["caching_latents", "caching_captions"])
def test_stop_before_anything_was_learnt_leaves_no_file(project: Path, tiny_sdxl: Path, phase: str) -> None:
    sink = ListSink(stop_when=lambda event: isinstance(event, PhaseEvent) and event.phase == phase)
    ending, _ = run_training(project, tiny_sdxl, sink)
    assert (ending.outcome, ending.outputs) == ("stopped", [])
    assert list((project / "model").iterdir()) == []


def test_diffusers_loads_what_was_trained(project: Path, tiny_sdxl: Path) -> None:
    """The file in a pipeline gives what our own layers give, and that is not what the base model gives."""
    ending, _ = run_training(project, tiny_sdxl, learning_rate=0.02, epoch=2)
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(tiny_sdxl, dtype=torch.float32)
    generator = torch.Generator().manual_seed(3)
    inputs = (
        torch.randn(1, 4, 16, 16, generator=generator),
        torch.tensor([500]),
        torch.randn(1, 77, 72, generator=generator),
        torch.randn(1, 40, generator=generator),
        torch.tensor([[128.0, 128, 0, 0, 128, 128]]),
    )
    with torch.no_grad():
        plain = Unet(pipeline.unet).predict(*inputs)
        pipeline.load_lora_weights(ending.outputs[0])
        theirs = Unet(pipeline.unet).predict(*inputs)

        unet = DiffusersModel(str(tiny_sdxl), local=True).unet(torch.float32)
        lora = plain_lora("unet", unet.module, 4, 2.0, torch.Generator())
        weights = load_tensors(ending.outputs[0])
        for pair in lora.pairs:
            pair.down.copy_(weights[f"{kohya_name('unet', pair.name)}.lora_down.weight"])
            pair.up.copy_(weights[f"{kohya_name('unet', pair.name)}.lora_up.weight"])
        lora.flat.publish()
        ours = unet.predict(*inputs)
    torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-5)
    assert (plain - theirs).abs().max() > 0.01
