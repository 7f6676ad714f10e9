"""What a LoRA file says of its making, in Kohya's keys (`ss_*`) and Stability's (`modelspec.*`)."""

from __future__ import annotations

import hashlib
import json
import random
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from msgspec import Struct, field

from lora_bridge.buckets import bucket_limits

if TYPE_CHECKING:
    from lora_bridge.dataset import Dataset, PictureFolder
    from lora_bridge.plan import Schedule
    from lora_bridge.protocol_types import TrainConfig

KOHYA_MODULE = "networks.lora"
_LEGACY_HASH_START, _LEGACY_HASH_BYTES, _LEGACY_HASH_LENGTH = 1 << 20, 1 << 16, 8


class RunFacts(Struct, frozen=True):
    """What stays the same through a run."""

    config: TrainConfig
    dataset: Dataset
    schedule: Schedule
    seed: int
    warmup_steps: int
    optimizer: str
    """As Kohya writes it: `module.Class(key=value,...)`."""
    started_at: float = field(default_factory=time.time)
    """Seconds since 1970."""
    session_id: int = field(default_factory=lambda: random.SystemRandom().randrange(2**32))


def file_metadata(facts: RunFacts, file: Path, step: int, epoch: int) -> dict[str, str]:
    """Everything but the hashes, which need the file's bytes. Values are strings, as Kohya's are."""
    values = {
        **_run(facts),
        **_method(facts),
        **_data(facts),
        **_base_model(facts.config.pretrained_model_name_or_path),
        "ss_steps": step,
        "ss_epoch": epoch,
        "ss_training_finished_at": time.time(),
        **_modelspec(facts, file),
    }
    return {key: _text(value) for key, value in values.items()}


def legacy_hash(beginning: bytes) -> str:
    """Kohya's short hash of a file, from its first 1 MiB + 64 KiB."""
    part = beginning[_LEGACY_HASH_START : _LEGACY_HASH_START + _LEGACY_HASH_BYTES]
    return hashlib.sha256(part).hexdigest()[:_LEGACY_HASH_LENGTH]


def hashed_beginning() -> int:
    """How many bytes of a file its legacy hash needs."""
    return _LEGACY_HASH_START + _LEGACY_HASH_BYTES


def _text(value: object) -> str:
    return json.dumps(value) if isinstance(value, dict) else str(value)


def _run(facts: RunFacts) -> dict[str, object]:
    config, schedule = facts.config, facts.schedule
    return {
        "ss_session_id": facts.session_id,
        "ss_training_started_at": facts.started_at,
        "ss_output_name": config.output_name,
        "ss_training_comment": config.training_comment,
        "ss_seed": facts.seed,
        "ss_num_epochs": schedule.epochs,
        "ss_num_batches_per_epoch": schedule.batches_per_epoch,
        "ss_max_train_steps": schedule.total_steps,
        "ss_learning_rate": config.learning_rate,
        "ss_unet_lr": config.unet_lr,
        "ss_text_encoder_lr": None,
        "ss_lr_scheduler": config.lr_scheduler,
        "ss_lr_warmup_steps": facts.warmup_steps,
        "ss_optimizer": facts.optimizer,
        "ss_max_grad_norm": config.max_grad_norm,
        "ss_gradient_checkpointing": config.gradient_checkpointing,
        "ss_gradient_accumulation_steps": config.gradient_accumulation_steps,
        "ss_mixed_precision": config.mixed_precision,
    }


def _method(facts: RunFacts) -> dict[str, object]:
    """The network and the loss; what this trainer does not have is as Kohya writes it when it is off."""
    config = facts.config
    off = (
        "network_dropout clip_skip max_token_length noise_offset multires_noise_iterations "
        "adaptive_noise_scale min_snr_gamma scale_weight_norms ip_noise_gamma face_crop_aug_range"
    )
    false = (
        "v2 full_fp16 lowram zero_terminal_snr debiased_estimation fp8_base fp8_base_unet "
        "noise_offset_random_strength ip_noise_gamma_random_strength color_aug flip_aug random_crop "
        "shuffle_caption"
    )
    return {
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_network_module": KOHYA_MODULE,
        "ss_network_dim": config.network_dim,
        "ss_network_alpha": config.network_alpha,
        "ss_prior_loss_weight": config.prior_loss_weight,
        "ss_loss_type": "l2",
        "ss_cache_latents": True,
        "ss_caption_dropout_rate": 0.0,
        "ss_caption_dropout_every_n_epochs": 0,
        "ss_caption_tag_dropout_rate": 0.0,
        "ss_keep_tokens": 0,
        "ss_resize_interpolation": "lanczos",
        **{f"ss_{key}": None for key in off.split()},
        **{f"ss_{key}": False for key in false.split()},
    }


def _data(facts: RunFacts) -> dict[str, object]:
    config, dataset = facts.config, facts.dataset
    train = [folder for folder in dataset.folders if not folder.source.regularization]
    regularization = [folder for folder in dataset.folders if folder.source.regularization]
    smallest, largest = bucket_limits(config)
    return {
        "ss_num_train_images": sum(len(folder.pictures) * folder.source.repeats for folder in train),
        "ss_num_reg_images": sum(len(folder.pictures) * folder.source.repeats for folder in regularization),
        "ss_num_validation_images": 0,
        "ss_batch_size_per_device": config.train_batch_size,
        "ss_total_batch_size": config.train_batch_size,
        "ss_resolution": tuple(dataset.rules.resolution),
        "ss_enable_bucket": config.enable_bucket,
        "ss_bucket_no_upscale": config.bucket_no_upscale,
        "ss_min_bucket_reso": smallest,
        "ss_max_bucket_reso": largest,
        "ss_dataset_dirs": _directories(train),
        "ss_reg_dataset_dirs": _directories(regularization),
        "ss_tag_frequency": {_name(folder): _tags(folder) for folder in dataset.folders},
        "ss_bucket_info": _bucket_info(dataset),
    }


def _name(folder: PictureFolder) -> str:
    return Path(folder.source.folder).name


def _directories(folders: list[PictureFolder]) -> dict[str, object]:
    return {
        _name(folder): {"n_repeats": folder.source.repeats, "img_count": len(folder.pictures)}
        for folder in folders
    }


def _tags(folder: PictureFolder) -> dict[str, int]:
    tags = (tag.strip().lower() for picture in folder.pictures for tag in picture.caption.text.split(","))
    return dict(Counter(tag for tag in tags if tag))


def _bucket_info(dataset: Dataset) -> dict[str, object] | None:
    if not dataset.rules.enabled:
        return None
    errors = [abs(sample.fit.bucket.aspect - sample.picture.size.aspect) for sample in dataset.samples]
    buckets = {
        str(index): {"resolution": list(size), "count": count}
        for index, (size, count) in enumerate(dataset.bucket_counts().items())
    }
    return {"buckets": buckets, "mean_img_ar_error": fmean(errors)}


def _base_model(name: str) -> dict[str, object]:
    path = Path(name).expanduser()
    if not path.exists():
        return {"ss_sd_model_name": name}
    facts: dict[str, object] = {"ss_sd_model_name": path.name}
    if path.is_file():
        with path.open("rb") as stream:
            facts["ss_sd_model_hash"] = legacy_hash(stream.read(hashed_beginning()))
    return facts


def _modelspec(facts: RunFacts, file: Path) -> dict[str, object]:
    resolution = facts.dataset.rules.resolution
    return {
        "modelspec.sai_model_spec": "1.0.1",
        "modelspec.architecture": "stable-diffusion-xl-v1-base/lora",
        "modelspec.implementation": "https://github.com/Stability-AI/generative-models",
        "modelspec.title": file.stem,
        "modelspec.resolution": str(resolution),
        "modelspec.prediction_type": "epsilon",
        "modelspec.date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
