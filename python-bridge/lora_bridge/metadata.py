"""What a LoRA file says of its making, in Kohya's keys (`ss_*`) and Stability's (`modelspec.*`)."""

from __future__ import annotations

import hashlib
import json
import random
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, field

from lora_bridge.metadata_config import KEY, config_for_reproduction, name_of_model
from lora_bridge.metadata_data import data_metadata, interpolation
from lora_bridge.metadata_model_spec import model_spec
from lora_bridge.optimizer_choice import part_rates
from lora_bridge.whole_hash import WholeHash

if TYPE_CHECKING:
    from collections.abc import Mapping

    from lora_bridge.dataset import Dataset
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.run_length import Schedule

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
    network_module: str = "networks.lora"
    """Whose files they are, as Kohya names it."""
    network_args: dict[str, str] = {}
    """What the network was given that differs from its defaults."""
    mixed_precision: str = ""
    """What it was computed in, where that is not what the config asks for."""
    thumbnail: str = ""
    """A data URL."""
    hashes: Mapping[str, WholeHash] = field(default_factory=dict[str, WholeHash])
    """Of the base model and of the VAE, by `sd_model` and `vae`."""
    started_at: float = field(default_factory=time.time)
    """Seconds since 1970."""
    session_id: int = field(default_factory=lambda: random.SystemRandom().randrange(2**32))


def file_metadata(facts: RunFacts, file: Path, step: int, epoch: int) -> dict[str, str]:
    """Everything but the hashes of the file, which need its bytes. Values are strings, as Kohya's are."""
    network = _network(facts)
    if facts.config.no_metadata:
        return _texts({**network, **model_spec(facts, file)})
    return _texts(
        {
            **network,
            **_run(facts),
            **_method(facts),
            **data_metadata(facts.config, facts.dataset),
            **_base_model(facts),
            "ss_steps": step,
            "ss_epoch": epoch,
            "ss_training_finished_at": time.time(),
            **model_spec(facts, file),
            KEY: config_for_reproduction(facts.config, facts.seed),
        }
    )


def start_hashing(config: TrainConfig) -> dict[str, WholeHash]:
    """For `RunFacts.hashes`: of those models that are single files."""
    names = {"sd_model": config.pretrained_model_name_or_path, "vae": config.vae.strip()}
    files = {kind: Path(name).expanduser() for kind, name in names.items() if name}
    return {kind: WholeHash(file) for kind, file in files.items() if file.is_file()}


def legacy_hash(beginning: bytes) -> str:
    """Kohya's short hash of a file, from its first 1 MiB + 64 KiB."""
    part = beginning[_LEGACY_HASH_START : _LEGACY_HASH_START + _LEGACY_HASH_BYTES]
    return hashlib.sha256(part).hexdigest()[:_LEGACY_HASH_LENGTH]


def hashed_beginning() -> int:
    """How many bytes of a file its legacy hash needs."""
    return _LEGACY_HASH_START + _LEGACY_HASH_BYTES


def _texts(values: Mapping[str, object]) -> dict[str, str]:
    return {
        key: json.dumps(value) if isinstance(value, dict | list) else str(value)
        for key, value in values.items()
    }


def _network(facts: RunFacts) -> dict[str, object]:
    """What a loader may want to know."""
    config = facts.config
    dim, alpha = config.network_dim, config.network_alpha
    return {
        "ss_v2": False,
        "ss_base_model_version": "sdxl_base_v1-0",
        "ss_network_module": facts.network_module,
        # As sd-scripts says of files whose modules differ.
        "ss_network_dim": "Dynamic" if config.dim_from_weights else dim,
        "ss_network_alpha": "Dynamic" if config.dim_from_weights else alpha,
        **({"ss_network_args": facts.network_args} if facts.network_args else {}),
    }


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
        "ss_text_encoder_lr": _text_encoder_rates(config),
        "ss_lr_scheduler": config.lr_scheduler,
        "ss_lr_warmup_steps": facts.warmup_steps,
        "ss_optimizer": facts.optimizer,
        "ss_max_grad_norm": config.max_grad_norm,
        "ss_gradient_checkpointing": config.gradient_checkpointing,
        "ss_gradient_accumulation_steps": config.gradient_accumulation_steps,
        "ss_mixed_precision": facts.mixed_precision or config.mixed_precision,
    }


def _text_encoder_rates(config: TrainConfig) -> list[float] | None:
    """None where neither is trained."""
    rates = part_rates(config)
    first, second = rates.get("text_encoder_1", 0.0), rates.get("text_encoder_2", 0.0)
    return [first, second] if first or second else None


def _method(facts: RunFacts) -> dict[str, object]:
    """The noise and the loss; what is off, or not in this trainer, as Kohya says it."""
    config = facts.config
    return {
        "ss_network_dropout": config.network_dropout or None,
        "ss_scale_weight_norms": config.scale_weight_norms or None,
        "ss_max_token_length": None if config.max_token_length == "75" else int(config.max_token_length),
        "ss_cache_latents": config.cache_latents,
        "ss_caption_dropout_rate": config.caption_dropout_rate,
        "ss_caption_dropout_every_n_epochs": config.caption_dropout_every_n_epochs,
        "ss_caption_tag_dropout_rate": config.caption_tag_dropout_rate,
        "ss_face_crop_aug_range": config.face_crop_aug_range.strip() or None,
        "ss_resize_interpolation": interpolation(config),
        "ss_noise_offset": config.noise_offset or None,
        "ss_noise_offset_random_strength": config.noise_offset_random_strength,
        "ss_adaptive_noise_scale": config.adaptive_noise_scale or None,
        "ss_multires_noise_iterations": config.multires_noise_iterations or None,
        "ss_multires_noise_discount": config.multires_noise_discount,
        "ss_ip_noise_gamma": config.ip_noise_gamma or None,
        "ss_ip_noise_gamma_random_strength": config.ip_noise_gamma_random_strength,
        "ss_zero_terminal_snr": config.zero_terminal_snr,
        "ss_min_snr_gamma": config.min_snr_gamma or None,
        "ss_debiased_estimation": config.debiased_estimation_loss,
        "ss_loss_type": config.loss_type,
        "ss_huber_schedule": config.huber_schedule,
        "ss_huber_c": config.huber_c,
        "ss_huber_scale": config.huber_scale,
        "ss_prior_loss_weight": config.prior_loss_weight,
        "ss_fp8_base": False,
        "ss_fp8_base_unet": config.quantize_base_model == "fp8",
        **_validation(config),
        "ss_clip_skip": None,
        "ss_full_fp16": False,
        "ss_lowram": False,
    }


def _validation(config: TrainConfig) -> dict[str, object]:
    return {
        "ss_validation_seed": config.validation_seed or None,
        "ss_validation_split": config.validation_split,
        "ss_max_validation_steps": config.max_validation_steps or None,
        "ss_validate_every_n_epochs": config.validate_every_n_epochs,
        "ss_validate_every_n_steps": config.validate_every_n_steps or None,
    }


def _base_model(facts: RunFacts) -> dict[str, object]:
    config = facts.config
    found = _source("sd_model", config.pretrained_model_name_or_path)
    if config.vae.strip():
        found |= _source("vae", config.vae.strip())
    for kind, whole in facts.hashes.items():
        if (value := whole.value()) is not None:
            found[f"ss_new_{kind}_hash"] = value
    return found


def _source(kind: str, name: str) -> dict[str, object]:
    """A model's name, without the folders that lead to it, and Kohya's hash of its file."""
    path = Path(name).expanduser()
    facts: dict[str, object] = {f"ss_{kind}_name": name_of_model(name)}
    # A file on a disk that was taken away costs its hash, not what was learnt.
    with suppress(OSError), path.open("rb") as stream:
        facts[f"ss_{kind}_hash"] = legacy_hash(stream.read(hashed_beginning()))
    return facts
