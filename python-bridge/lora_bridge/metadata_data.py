"""What a LoRA file says of the pictures that it was trained on, in Kohya's keys."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from statistics import fmean
from typing import TYPE_CHECKING

from lora_bridge.buckets import bucket_limits
from lora_bridge.dataset import count_by_bucket
from lora_bridge.process_rules import world_size

if TYPE_CHECKING:
    from collections.abc import Iterable

    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.picture_folders import PictureFolder
    from lora_bridge.protocol_types import TrainConfig


def data_metadata(config: TrainConfig, dataset: Dataset) -> dict[str, object]:
    """Kohya's keys for folders, or for a dataset TOML where there is one."""
    facts: dict[str, object] = {
        "ss_num_train_images": _shown(sample for sample in dataset.samples if not sample.regularization),
        "ss_num_reg_images": _shown(sample for sample in dataset.samples if sample.regularization),
        "ss_num_validation_images": len(dataset.validation),
        "ss_tag_frequency": _tag_frequency(dataset.folders()),
    }
    if config.dataset_config.strip():
        datasets = [_part(config, dataset, number) for number in range(len(dataset.parts))]
        return {**facts, "ss_datasets": datasets, "ss_dataset_dirs": _directories(dataset.folders())}
    return {**facts, **_folders(config, dataset)}


def _folders(config: TrainConfig, dataset: Dataset) -> dict[str, object]:
    """All of a config's folders are one part, with the same rules."""
    smallest, largest = bucket_limits(config)
    batch = config.train_batch_size
    folders = dataset.folders()
    return {
        "ss_batch_size_per_device": batch,
        "ss_total_batch_size": batch * world_size(config) * config.gradient_accumulation_steps,
        "ss_resolution": tuple(dataset.parts[0].rules.resolution),
        "ss_color_aug": config.color_aug,
        "ss_flip_aug": config.flip_aug,
        "ss_random_crop": config.random_crop,
        "ss_shuffle_caption": config.shuffle_caption,
        "ss_enable_bucket": config.enable_bucket,
        "ss_bucket_no_upscale": config.bucket_no_upscale,
        "ss_min_bucket_reso": smallest,
        "ss_max_bucket_reso": largest,
        "ss_keep_tokens": config.keep_tokens,
        "ss_dataset_dirs": _directories(folder for folder in folders if not folder.source.regularization),
        "ss_reg_dataset_dirs": _directories(folder for folder in folders if folder.source.regularization),
        "ss_bucket_info": _bucket_info(dataset, 0),
    }


def _part(config: TrainConfig, dataset: Dataset, number: int) -> dict[str, object]:
    """One `[[datasets]]` of a TOML."""
    part = dataset.parts[number]
    samples = [sample for sample in dataset.samples if sample.part == number]
    sides = [side for size in part.rules.predefined for side in size]
    return {
        "is_dreambooth": True,
        "batch_size_per_device": part.batch_size // world_size(config),
        "num_train_images": _shown(sample for sample in samples if not sample.regularization),
        "num_reg_images": _shown(sample for sample in samples if sample.regularization),
        "resolution": list(part.rules.resolution),
        "enable_bucket": part.rules.enabled,
        "min_bucket_reso": min(sides, default=None),
        "max_bucket_reso": max(sides, default=None),
        "tag_frequency": _tag_frequency(part.folders),
        "bucket_info": _bucket_info(dataset, number),
        "resize_interpolation": interpolation(config),
        "subsets": [_subset(folder) for folder in part.folders],
    }


def _subset(folder: PictureFolder) -> dict[str, object]:
    captions, pictures = folder.subset.captions, folder.subset.pictures
    return {
        "img_count": len(folder.pictures),
        "num_repeats": folder.source.repeats,
        "color_aug": pictures.color,
        "flip_aug": pictures.flip,
        "random_crop": pictures.random_crop,
        "shuffle_caption": captions.shuffle,
        "keep_tokens": captions.keep_tokens,
        "keep_tokens_separator": captions.keep_tokens_separator or None,
        "secondary_separator": captions.secondary_separator or None,
        "enable_wildcard": captions.wildcard,
        "caption_prefix": captions.prefix or None,
        "caption_suffix": captions.suffix or None,
        "image_dir": _name(folder),
        "class_tokens": folder.source.prompt,
        "is_reg": folder.source.regularization,
    }


def interpolation(config: TrainConfig) -> str | None:
    """None where the best filter is chosen for each picture."""
    return None if config.resize_interpolation == "auto" else config.resize_interpolation


def _shown(samples: Iterable[Sample]) -> int:
    """Pictures with their repeats."""
    return sum(sample.repeats for sample in samples)


def _name(folder: PictureFolder) -> str:
    return Path(folder.source.folder).name


def _directories(folders: Iterable[PictureFolder]) -> dict[str, object]:
    """By the folder's name, and a number where several have it."""
    found: dict[str, object] = {}
    for folder in folders:
        name, number = _name(folder), 2
        while name in found:
            name, number = f"{_name(folder)} ({number})", number + 1
        found[name] = {"n_repeats": folder.source.repeats, "img_count": len(folder.pictures)}
    return found


def _tag_frequency(folders: Iterable[PictureFolder]) -> dict[str, dict[str, int]]:
    """A folder that is used twice counts once."""
    found: dict[str, dict[str, int]] = {}
    for folder in folders:
        found.setdefault(_name(folder), _tags(folder))
    return found


def _tags(folder: PictureFolder) -> dict[str, int]:
    tags = (tag.strip().lower() for picture in folder.pictures for tag in picture.caption.text.split(","))
    return dict(Counter(tag for tag in tags if tag))


def _bucket_info(dataset: Dataset, number: int) -> dict[str, object] | None:
    """Of a part, in its first epoch."""
    if not dataset.parts[number].rules.enabled:
        return None
    samples = [sample for sample in dataset.samples if sample.part == number]
    errors = [abs(sample.fit.bucket.aspect - sample.picture.size.aspect) for sample in samples]
    counts = sorted(count_by_bucket(dataset.deals[number].epoch(1)).items())
    buckets = {
        str(index): {"resolution": list(size), "count": count} for index, (size, count) in enumerate(counts)
    }
    return {"buckets": buckets, "mean_img_ar_error": fmean(errors) if errors else 0.0}
