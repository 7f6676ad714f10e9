"""What a LoRA's file says of its training."""

from __future__ import annotations

import base64
import hashlib
import io
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from PIL import Image
from training_support import make_config, save_picture

from lora_bridge.dataset import read_dataset
from lora_bridge.metadata import RunFacts, file_metadata, start_hashing
from lora_bridge.metadata_config import KEY
from lora_bridge.metadata_model_spec import thumbnail_of
from lora_bridge.plan import make_plan, make_schedule
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import TrainConfig

_OFF = {
    "ss_text_encoder_lr": "None",
    "ss_unet_lr": "None",
    "ss_max_token_length": "None",
    "ss_noise_offset": "None",
    "ss_adaptive_noise_scale": "None",
    "ss_multires_noise_iterations": "None",
    "ss_ip_noise_gamma": "None",
    "ss_min_snr_gamma": "None",
    "ss_face_crop_aug_range": "None",
    "ss_resize_interpolation": "None",
    "ss_validation_seed": "None",
    "ss_max_validation_steps": "None",
    "ss_network_dropout": "None",
    "ss_clip_skip": "None",
    "ss_scale_weight_norms": "None",
    "ss_zero_terminal_snr": "False",
    "ss_debiased_estimation": "False",
    "ss_noise_offset_random_strength": "False",
    "ss_ip_noise_gamma_random_strength": "False",
    "ss_color_aug": "False",
    "ss_flip_aug": "False",
    "ss_random_crop": "False",
    "ss_shuffle_caption": "False",
    "ss_fp8_base": "False",
    "ss_fp8_base_unet": "False",
    "ss_full_fp16": "False",
    "ss_v2": "False",
    "ss_lowram": "False",
    "ss_caption_dropout_rate": "0.0",
    "ss_caption_dropout_every_n_epochs": "0",
    "ss_caption_tag_dropout_rate": "0.0",
    "ss_keep_tokens": "0",
    "ss_loss_type": "l2",
    "ss_num_validation_images": "0",
    "modelspec.prediction_type": "epsilon",
}


def metadata(project: Path, facts_changes: dict[str, Any] | None = None, **changes: Any) -> dict[str, str]:
    off: dict[str, Any] = {
        "resize_interpolation": "auto",
        "caption_dropout_rate": 0.0,
        "caption_tag_dropout_rate": 0.0,
    }
    config = make_config(project, **{**off, **changes})
    dataset = read_dataset(config)
    facts = RunFacts(
        config,
        dataset,
        make_schedule(config, dataset),
        7,
        0,
        "module.Class(a=1)",
        thumbnail=thumbnail_of(config),
        **(facts_changes or {}),
    )
    return file_metadata(facts, Path("ohwx.safetensors"), 4, 1)


def test_what_is_off_is_said_as_kohya_says_it(project: Path) -> None:
    found = metadata(project)
    assert {key: found.get(key) for key in _OFF} == _OFF
    assert "modelspec.timestep_range" not in found
    assert "ss_vae_name" not in found
    assert "ss_datasets" not in found
    assert all(isinstance(value, str) for value in found.values())


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"text_encoder_lr": 1e-05}, {"ss_text_encoder_lr": "[1e-05, 1e-05]"}),
        ({"text_encoder2_lr": 5e-06}, {"ss_text_encoder_lr": "[0.0, 5e-06]"}),
        ({"unet_lr": 0.5}, {"ss_unet_lr": "0.5"}),
        ({"max_token_length": "225"}, {"ss_max_token_length": "225"}),
        ({"noise_offset": 0.1, "noise_offset_random_strength": True},
         {"ss_noise_offset": "0.1", "ss_noise_offset_random_strength": "True"}),
        ({"noise_offset": 0.1, "adaptive_noise_scale": 0.01}, {"ss_adaptive_noise_scale": "0.01"}),
        ({"multires_noise_iterations": 6, "multires_noise_discount": 0.4},
         {"ss_multires_noise_iterations": "6", "ss_multires_noise_discount": "0.4"}),
        ({"ip_noise_gamma": 0.1, "ip_noise_gamma_random_strength": True},
         {"ss_ip_noise_gamma": "0.1", "ss_ip_noise_gamma_random_strength": "True"}),
        ({"zero_terminal_snr": True}, {"ss_zero_terminal_snr": "True"}),
        ({"min_snr_gamma": 5.0}, {"ss_min_snr_gamma": "5.0"}),
        ({"debiased_estimation_loss": True}, {"ss_debiased_estimation": "True"}),
        ({"loss_type": "huber", "huber_schedule": "constant", "huber_c": 0.2, "huber_scale": 2.0},
         {"ss_loss_type": "huber", "ss_huber_schedule": "constant", "ss_huber_c": "0.2",
          "ss_huber_scale": "2.0"}),
        ({"caption_dropout_rate": 0.1}, {"ss_caption_dropout_rate": "0.1"}),
        ({"caption_dropout_every_n_epochs": 3}, {"ss_caption_dropout_every_n_epochs": "3"}),
        ({"caption_tag_dropout_rate": 0.2}, {"ss_caption_tag_dropout_rate": "0.2"}),
        ({"shuffle_caption": True, "keep_tokens": 2}, {"ss_shuffle_caption": "True", "ss_keep_tokens": "2"}),
        ({"flip_aug": True}, {"ss_flip_aug": "True"}),
        ({"color_aug": True}, {"ss_color_aug": "True"}),
        ({"random_crop": True}, {"ss_random_crop": "True"}),
        ({"face_crop_aug_range": "1.0,3.0"}, {"ss_face_crop_aug_range": "1.0,3.0"}),
        ({"resize_interpolation": "area"}, {"ss_resize_interpolation": "area"}),
        ({"cache_latents": False}, {"ss_cache_latents": "False"}),
        ({"quantize_base_model": "fp8"}, {"ss_fp8_base_unet": "True", "ss_fp8_base": "False"}),
        ({"quantize_base_model": "int8"}, {"ss_fp8_base_unet": "False"}),
        ({"validation_split": 0.25, "validation_seed": 5, "max_validation_steps": 2,
          "validate_every_n_steps": 10},
         {"ss_validation_split": "0.25", "ss_validation_seed": "5", "ss_max_validation_steps": "2",
          "ss_validate_every_n_steps": "10", "ss_num_validation_images": "1", "ss_num_train_images": "6"}),
        ({"gradient_accumulation_steps": 3}, {"ss_total_batch_size": "6", "ss_batch_size_per_device": "2"}),
        ({"v_parameterization": True}, {"modelspec.prediction_type": "v"}),
        ({"min_timestep": 100}, {"modelspec.timestep_range": "100,1000"}),
        ({"vae": "someone/vae-1.0"}, {"ss_vae_name": "someone/vae-1.0"}),
        # Of files that are gone since the run began, too.
        ({"vae": "/home/me/vae.pt"}, {"ss_vae_name": "vae.pt"}),
        ({"vae": "~/vae.pt"}, {"ss_vae_name": "vae.pt"}),
        ({"vae": "C:\\Users\\me\\vae.pt"}, {"ss_vae_name": "vae.pt"}),
    ],
)  # fmt: skip
def test_what_is_on_is_said(project: Path, changes: dict[str, Any], said: dict[str, str]) -> None:
    found = metadata(project, **changes)
    assert {key: found.get(key) for key in said} == said


def test_a_dataset_file_is_said_by_its_parts(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    other = project / "more" / "2_ohwx person"
    save_picture(other / "a.png", size=(256, 128))
    dataset_file = project / "dataset.toml"
    dataset_file.write_text(
        f"""
[[datasets]]
resolution = 128
batch_size = 3
enable_bucket = true
  [[datasets.subsets]]
  image_dir = '{folder}'
  class_tokens = "ohwx person"
  caption_extension = ".txt"
  num_repeats = 5
  keep_tokens = 1
[[datasets]]
resolution = [256, 128]
  [[datasets.subsets]]
  image_dir = '{other}'
  class_tokens = "someone"
  flip_aug = true
""",
        encoding="utf-8",
    )
    found = metadata(project, dataset_config=str(dataset_file), pretrained_model_name_or_path="someone/model")
    first, second = json.loads(found["ss_datasets"])
    assert (first["batch_size_per_device"], first["resolution"], first["num_train_images"]) == (
        3, [128, 128], 20,
    )  # fmt: skip
    assert first["bucket_info"]["buckets"] == {"0": {"resolution": [128, 128], "count": 20}}
    (subset,) = first["subsets"]
    assert subset["image_dir"] == "2_ohwx person"
    assert (subset["num_repeats"], subset["img_count"], subset["keep_tokens"]) == (5, 4, 1)
    assert (subset["class_tokens"], subset["is_reg"], subset["flip_aug"]) == ("ohwx person", False, False)
    assert second["subsets"][0]["flip_aug"] is True
    assert second["resolution"] == [256, 128]
    assert json.loads(found["ss_dataset_dirs"]) == {
        "2_ohwx person": {"n_repeats": 5, "img_count": 4},
        "2_ohwx person (2)": {"n_repeats": 1, "img_count": 1},
    }
    assert found["ss_num_train_images"] == "21"
    assert "ss_bucket_info" not in found
    assert "ss_flip_aug" not in found
    assert str(project) not in json.dumps(found)


_TEXTS: dict[str, Any] = {
    "metadata_title": "A title",
    "metadata_author": "An author",
    "metadata_description": "What for",
    "metadata_license": "MIT",
    "metadata_tags": "one, two",
    "metadata_trigger_phrase": "ohwx",
    "metadata_usage_hint": "at 0.8",
    "metadata_merged_from": "a, b",
    "metadata_preprocessor": "hand",
}


def test_what_a_person_writes_is_in_the_model_spec(project: Path) -> None:
    picture = project / "thumb.png"
    save_picture(picture, (900, 450))
    found = metadata(project, **_TEXTS, metadata_thumbnail=str(picture))
    for key, text in _TEXTS.items():
        assert found[f"modelspec.{key.removeprefix('metadata_')}"] == text
    start, _, content = found["modelspec.thumbnail"].partition(",")
    assert start == "data:image/jpeg;base64"
    with Image.open(io.BytesIO(base64.b64decode(content))) as small:
        assert small.size == (256, 128)
    plain = metadata(project)
    assert plain["modelspec.title"] == "ohwx"
    assert plain["modelspec.resolution"] == "128x128"
    empty = {f"modelspec.{key.removeprefix('metadata_')}" for key in _TEXTS} - {"modelspec.title"}
    assert not (empty | {"modelspec.thumbnail"}) & plain.keys()


def test_a_thumbnail_that_is_no_picture_is_told_before_the_run(project: Path) -> None:
    (project / "thumb.png").write_text("no picture", encoding="utf-8")
    with pytest.raises(ProblemError) as caught:
        make_plan(make_config(project, metadata_thumbnail=str(project / "thumb.png")))
    assert caught.value.problem.code == "thumbnail_unreadable"
    assert "thumb.png" in caught.value.problem.message


def test_no_metadata_leaves_what_loaders_need(project: Path) -> None:
    arguments = {"network_module": "lycoris.kohya", "network_args": {"algo": "loha"}}
    found = metadata(project, arguments, no_metadata=True)
    training = {key for key in found if not key.startswith("modelspec.")}
    assert training == {
        "ss_v2",
        "ss_base_model_version",
        "ss_network_module",
        "ss_network_dim",
        "ss_network_alpha",
        "ss_network_args",
    }
    assert found["ss_network_module"] == "lycoris.kohya"
    assert json.loads(found["ss_network_args"]) == {"algo": "loha"}
    assert "ss_network_args" not in metadata(project)


def test_the_network_is_said_as_it_is(project: Path) -> None:
    found = metadata(project, network_dropout=0.1, scale_weight_norms=1.0)
    assert (found["ss_network_dropout"], found["ss_scale_weight_norms"]) == ("0.1", "1.0")
    assert (found["ss_network_dim"], found["ss_network_alpha"]) == ("4", "2.0")
    assert metadata(project, dim_from_weights=True)["ss_network_dim"] == "Dynamic"


def test_the_config_is_there_without_places(project: Path) -> None:
    places: dict[str, Any] = {
        "vae": r"C:\Users\me\vae.safetensors",
        "base_weights": "/home/me/one.safetensors\n/home/me/two.safetensors",
        "network_weights": "~/start.safetensors",
    }
    found = metadata(project, **places, main_process_ip="10.0.0.7", seed=0)
    text = found[KEY]
    values = json.loads(text)
    assert values["vae"] == "vae.safetensors"
    assert values["base_weights"] == "one.safetensors\ntwo.safetensors"
    assert values["network_weights"] == "start.safetensors"
    assert values["train_data_dir"] == "img"
    assert values["seed"] == 7
    assert not [secret for secret in (str(project), "home", "Users", "10.0.0.7") if secret in text]
    repeated = msgspec.convert({**msgspec.to_builtins(make_config(project)), **values}, TrainConfig)
    assert (repeated.network_dim, repeated.learning_rate, repeated.epoch) == (4, 1e-3, 1)


def test_models_are_told_by_their_whole_content(project: Path) -> None:
    model = project / "base.safetensors"
    model.write_bytes(b"a model" * 1000)
    config = make_config(project, pretrained_model_name_or_path=str(model), vae=str(project / "no-vae"))
    found = metadata(project, {"hashes": start_hashing(config)})
    assert found["ss_new_sd_model_hash"] == hashlib.sha256(model.read_bytes()).hexdigest()
    assert "ss_new_vae_hash" not in found
