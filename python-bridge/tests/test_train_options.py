"""Every kind of option through a whole training: the parts fit together, and each does something."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image
from training_support import ListSink, losses_of, run_training, warnings_of

from lora_bridge.inspection import inspect_lora
from lora_bridge.protocol_types import ValidationEvent

if TYPE_CHECKING:
    from pathlib import Path

V_MODEL: dict[str, Any] = {"v_parameterization": True}
STEPS = 3


def train(project: Path, model: Path, **changes: Any) -> ListSink:
    """Three steps; the LoRA is there and whole afterwards."""
    values: dict[str, Any] = {"max_train_steps": STEPS, "max_resolution": "64,64", **changes}
    ending, sink = run_training(project, model, **values)
    found = inspect_lora(str(ending.outputs[0]))
    assert len(losses_of(sink)) == STEPS
    assert None not in losses_of(sink)
    assert not found.non_finite_tensors
    assert found.parts.unet == 192
    return sink


@pytest.mark.parametrize(
    "changes",
    [
        {"shuffle_caption": True, "keep_tokens": 1, "caption_tag_dropout_rate": 0.5},
        {"caption_dropout_rate": 0.5},
        {"caption_prefix": "a photo of", "caption_suffix": "outside"},
        {"enable_wildcard": True, "token_warmup_step": 2.0, "token_warmup_min": 1},
        {"weighted_captions": True, "max_token_length": "225", "caption_prefix": "(a:1.5) photo"},
        {"flip_aug": True},
        {"color_aug": True},
        {"resize_interpolation": "bicubic"},
        {"noise_offset": 0.1, "adaptive_noise_scale": 0.05, "noise_offset_random_strength": True},
        {"multires_noise_iterations": 6, "multires_noise_discount": 0.4},
        {"ip_noise_gamma": 0.1, "ip_noise_gamma_random_strength": True},
        {"min_timestep": 600, "max_timestep": 900},
        {"min_snr_gamma": 5.0},
        {"debiased_estimation_loss": True},
        {"v_pred_like_loss": 0.5},
        {"loss_type": "huber", "huber_schedule": "exponential"},
        {"loss_type": "smooth_l1", "huber_schedule": "constant", "huber_c": 0.2},
        {"loss_type": "l1"},
        {**V_MODEL},
        {**V_MODEL, "zero_terminal_snr": True, "scale_v_pred_loss_like_noise_pred": True},
        {"train_batch_size": 1, "gradient_accumulation_steps": 3},
        {"mixed_precision": "bf16"},
    ],
    ids="+".join,
)
def test_an_option_is_trained_with(project: Path, tiny_sdxl: Path, changes: dict[str, Any]) -> None:
    plain = losses_of(train(project, tiny_sdxl, output_name="plain"))
    assert losses_of(train(project, tiny_sdxl, **changes)) != plain


@pytest.mark.parametrize(
    "changes",
    [
        {"cache_latents_to_disk": True, "cache_text_encoder_outputs_to_disk": True},
        {"gradient_checkpointing": True, "checkpointing_method": "selective"},
        {"lr_scheduler": "cosine_with_restarts", "lr_scheduler_num_cycles": 2, "lr_warmup": 10},
        {"kohya_exact": True},
        {"cache_text_encoder_outputs": False},
        {"cache_latents": False},
        {"vae_batch_size": 3},
    ],
    ids="+".join,
)
def test_an_option_leaves_the_first_loss_as_it_is(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any]
) -> None:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(project / "data"))
    plain = losses_of(train(project, tiny_sdxl, output_name="plain"))
    for name in ("first", "again"):
        losses = losses_of(train(project, tiny_sdxl, output_name=name, **changes))
        assert losses[0] == pytest.approx(plain[0], rel=1e-6)


@pytest.mark.parametrize("optimizer", ["Adafactor", "Prodigy", "AdamWScheduleFree", "Lion", "AdamW8bit"])
def test_an_optimizer_is_trained_with(project: Path, tiny_sdxl: Path, optimizer: str) -> None:
    plain = losses_of(train(project, tiny_sdxl, output_name="plain"))
    losses = losses_of(train(project, tiny_sdxl, optimizer=optimizer))
    assert losses[0] == pytest.approx(plain[0], rel=1e-6)


def test_random_crops_are_others_than_centred_ones(project: Path, tiny_sdxl: Path) -> None:
    oblong: dict[str, Any] = {"enable_bucket": False, "max_resolution": "96,64"}
    centred = losses_of(train(project, tiny_sdxl, output_name="plain", **oblong))
    assert losses_of(train(project, tiny_sdxl, random_crop=True, **oblong)) != centred


def test_weights_in_bf16_learn(project: Path, tiny_sdxl: Path) -> None:
    train(project, tiny_sdxl, mixed_precision="bf16", full_bf16=True)
    assert not inspect_lora(str(project / "model" / "ohwx.safetensors")).empty_modules


def test_masks_silence_what_they_hide(project: Path, tiny_sdxl: Path) -> None:
    masks = project / "masks"
    masks.mkdir()
    for index in range(4):
        Image.new("L", (128, 128), 0).save(masks / f"{index}.png")
    sink = train(project, tiny_sdxl, masked_loss=True, conditioning_data_dir=str(masks))
    assert losses_of(sink) == [0.0] * STEPS


def test_a_dataset_toml_preserves_and_validates(project: Path, tiny_sdxl: Path) -> None:
    """What is to stay as the base model has it is no loss before anything is learnt."""
    toml = project / "dataset.toml"
    toml.write_text(
        """
[general]
caption_extension = ".txt"
[[datasets]]
resolution = 64
batch_size = 2
validation_split = 0.25
  [[datasets.subsets]]
  image_dir = "img/2_ohwx person"
  num_repeats = 2
  flip_aug = true
  [datasets.subsets.custom_attributes]
  diff_output_preservation = true
""",
        encoding="utf-8",
    )
    ending, sink = run_training(
        project, tiny_sdxl, train_data_dir="", dataset_config=str(toml), epoch=2, learning_rate=1e-3
    )
    assert ending.outcome == "completed"
    assert losses_of(sink) == [0.0] * 6
    assert [event.step for event in sink.of(ValidationEvent)] == [3, 6]
    assert warnings_of(sink) == []
