"""That a trained file says all that Kohya's says, and nothing of where the run was."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
from training_support import run_training

from lora_bridge.metadata_config import KEY
from lora_bridge.protocol_types import TrainConfig
from lora_bridge.safetensors_header import read_header

_ALWAYS = """
ss_session_id ss_training_started_at ss_output_name ss_learning_rate ss_text_encoder_lr ss_unet_lr
ss_num_train_images ss_num_validation_images ss_num_reg_images ss_num_batches_per_epoch ss_num_epochs
ss_gradient_checkpointing ss_gradient_accumulation_steps ss_max_train_steps ss_lr_warmup_steps
ss_lr_scheduler ss_network_module ss_network_dim ss_network_alpha ss_network_dropout ss_mixed_precision
ss_full_fp16 ss_v2 ss_base_model_version ss_clip_skip ss_max_token_length ss_cache_latents ss_seed ss_lowram
ss_noise_offset ss_multires_noise_iterations ss_multires_noise_discount ss_adaptive_noise_scale
ss_zero_terminal_snr ss_training_comment ss_sd_scripts_commit_hash ss_optimizer ss_max_grad_norm
ss_caption_dropout_rate ss_caption_dropout_every_n_epochs ss_caption_tag_dropout_rate ss_face_crop_aug_range
ss_prior_loss_weight ss_min_snr_gamma ss_scale_weight_norms ss_ip_noise_gamma ss_debiased_estimation
ss_noise_offset_random_strength ss_ip_noise_gamma_random_strength ss_loss_type ss_huber_schedule
ss_huber_scale ss_huber_c ss_fp8_base ss_fp8_base_unet ss_validation_seed ss_validation_split
ss_max_validation_steps ss_validate_every_n_epochs ss_validate_every_n_steps ss_resize_interpolation
ss_steps ss_epoch ss_training_finished_at sshs_model_hash sshs_legacy_hash ss_sd_model_name
modelspec.sai_model_spec modelspec.architecture modelspec.implementation modelspec.title
modelspec.resolution modelspec.prediction_type modelspec.date modelspec.implementation_version
modelspec.encoder_layer modelspec.is_negative_embedding modelspec.hash_sha256
"""

_OF_FOLDERS = """
ss_batch_size_per_device ss_total_batch_size ss_resolution ss_color_aug ss_flip_aug ss_random_crop
ss_shuffle_caption ss_enable_bucket ss_bucket_no_upscale ss_min_bucket_reso ss_max_bucket_reso
ss_keep_tokens ss_dataset_dirs ss_reg_dataset_dirs ss_tag_frequency ss_bucket_info
"""

_LEFT_OUT = {
    "ss_sd_scripts_commit_hash": "no commit of sd-scripts made the file",
    "modelspec.implementation_version": "Kohya names that commit here",
    "modelspec.encoder_layer": "clip skip, which SDXL's training does not have",
    "modelspec.is_negative_embedding": "only of embeddings",
    "modelspec.hash_sha256": "Kohya never fills it",
}

_WITH_SLASHES = {"modelspec.architecture", "modelspec.implementation"}


def test_a_trained_file_says_all_and_no_place(project: Path, tiny_sdxl: Path) -> None:
    ending, _ = run_training(project, tiny_sdxl, epoch=1, quantize_base_model="int8", seed=0)
    found = read_header(Path(ending.outputs[0])).metadata
    assert {key for key in (_ALWAYS + _OF_FOLDERS).split() if key not in found} == _LEFT_OUT.keys()
    assert found["ss_sd_model_name"] == tiny_sdxl.name
    for key, value in found.items():
        assert str(project) not in value
        assert str(Path.home()) not in value
        assert "/" not in value or key in _WITH_SLASHES, key
    repeated = msgspec.convert(
        {
            "machine_rank": 0,
            "main_process_ip": "",
            "main_process_port": 0,
            "gpu_ids": "",
            **json.loads(found[KEY]),
        },
        TrainConfig,
    )
    # Kohya has no key for it.
    assert repeated.quantize_base_model == "int8"
    assert str(repeated.seed) == found["ss_seed"] != "0"
