"""What a person should know about a run before it starts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.buckets import bucket_limits
from lora_bridge.identify import identify
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lora_bridge.dataset import Dataset, Picture, PictureFolder
    from lora_bridge.protocol_types import TrainConfig

_NAMES_SHOWN = 5
_NO_UPSCALE = "“Don’t upscale bucket resolution”"  # noqa: RUF001 - the label as it is shown


def plan_warnings(config: TrainConfig, dataset: Dataset) -> list[Problem]:
    """Everything odd about the pictures and the parameters, the pictures first."""
    return [
        *dataset.oddities,
        *(warning for folder in dataset.folders for warning in _about_folder(folder)),
        *_about_sizes(config, dataset),
        *_about_parameters(config),
        *_about_base_model(config),
    ]


def listed(names: Sequence[str]) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    return shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"


def pictures(number: int) -> str:
    """`1 picture`, `2 pictures`."""
    return "1 picture" if number == 1 else f"{number} pictures"


def _about_folder(folder: PictureFolder) -> Iterator[Problem]:
    where = folder.source.folder
    if folder.unreadable:
        yield Problem(
            code="unreadable_image",
            message=f"{pictures(len(folder.unreadable))} in {where} cannot be read and will be left out: "
            f"{listed([file.name for file in folder.unreadable])}.",
            hint="Open and save again what you need of them.",
        )
    elif not folder.pictures:
        yield Problem(
            code="empty_folder",
            message=f"{where} holds no pictures and is left out.",
            hint="Add some, or remove it.",
        )
    # Regularization pictures are usually not captioned: the class is their caption.
    missing = _flawed(folder, "missing")
    if missing and not folder.source.regularization:
        yield Problem(
            code="caption_missing",
            message=f"{len(missing)} of {pictures(len(folder.pictures))} in {where} have no caption; "
            f"“{folder.source.prompt}” is used instead.",
            hint="Captioning writes one for each picture.",
        )
    for flaw in ("empty", "not UTF-8", "unreadable"):
        flawed = _flawed(folder, flaw)
        if flawed:
            yield Problem(
                code="caption_unusable",
                message=f"Captions in {where} are {flaw}; “{folder.source.prompt}” is used instead for "
                f"{listed([picture.path.name for picture in flawed])}.",
                hint="Write them anew, in UTF-8.",
            )


def _flawed(folder: PictureFolder, flaw: str) -> list[Picture]:
    return [picture for picture in folder.pictures if picture.caption.flaw == flaw]


def _about_sizes(config: TrainConfig, dataset: Dataset) -> Iterator[Problem]:
    if dataset.unfit:
        yield Problem(
            code="image_too_small",
            message=f"{pictures(len(dataset.unfit))} with a side too short for any bucket will be left out: "
            f"{listed([f'{picture.path.name} ({picture.size})' for picture in dataset.unfit])}.",
            hint=f"Turn {_NO_UPSCALE} off, or replace them.",
        )
    enlarged = [
        sample.picture
        for sample in dataset.samples
        if sample.fit.resized.area > sample.picture.size.area and not sample.regularization
    ]
    if enlarged:
        yield Problem(
            code="upscaled",
            message=f"{pictures(len(enlarged))} will be enlarged to fill their bucket: "
            f"{listed([f'{picture.path.name} ({picture.size})' for picture in enlarged])}.",
            hint=f"Enlarged pictures teach blur: use larger ones, or turn {_NO_UPSCALE} on.",
        )
    batch = config.train_batch_size
    short = [f"{size} ({count})" for size, count in dataset.bucket_counts().items() if count < batch]
    if short:
        yield Problem(
            code="short_batches",
            message=f"Some buckets hold less than a batch of {batch}: {listed(short)}.",
            hint="Their batches are smaller. Crop pictures alike, or lower the batch size.",
        )


def _about_parameters(config: TrainConfig) -> Iterator[Problem]:
    if config.max_train_steps > 0:
        yield Problem(
            code="epochs_overridden",
            message=f"Max train steps is {config.max_train_steps}, so Epoch ({config.epoch}) is not used.",
            hint="Set Max train steps to 0 to let Epoch decide.",
        )
    if config.network_alpha > config.network_dim:
        yield Problem(
            code="alpha_above_rank",
            message=f"Network Alpha ({config.network_alpha:g}) is more than Network Rank "
            f"({config.network_dim}), which acts like a higher learning rate.",
            hint="Half the rank is the usual choice.",
        )
    if config.lr_scheduler == "constant" and config.lr_warmup:
        yield Problem(
            code="warmup_ignored",
            message=f"LR warmup is {config.lr_warmup} %, but the constant scheduler has none.",
            hint="Choose constant_with_warmup, or set LR warmup to 0.",
        )
    if (config.learning_rate if config.unet_lr is None else config.unet_lr) == 0:
        yield Problem(code="nothing_learned", message="The learning rate is 0, so nothing will be learned.")
    if config.enable_bucket and not config.bucket_no_upscale:
        limits = bucket_limits(config)
        if limits != (config.min_bucket_reso, config.max_bucket_reso):
            yield Problem(
                code="bucket_limits_rounded",
                message=f"Minimum and maximum bucket resolution become {limits[0]} and {limits[1]}, "
                f"multiples of Bucket resolution steps ({config.bucket_reso_steps}).",
            )


def _about_base_model(config: TrainConfig) -> Iterator[Problem]:
    problem = identify(config.pretrained_model_name_or_path).problem
    if problem is not None:
        yield problem
