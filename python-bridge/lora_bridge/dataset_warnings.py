"""What a person should know about the pictures of a run before it starts."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lora_bridge.dataset import count_by_bucket
from lora_bridge.protocol_types import Problem
from lora_bridge.wording import listed, pictures

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.dataset import Dataset, Picture, PictureFolder

_NO_UPSCALE = "“Don’t upscale bucket resolution”"  # noqa: RUF001 - the label as it is shown


def dataset_warnings(dataset: Dataset) -> Iterator[Problem]:
    """The choice of folders, then each folder, then the sizes."""
    yield from dataset.oddities
    for folder in dataset.folders():
        yield from _about_files(folder)
        yield from _about_captions(folder)
        yield from _about_masks(folder, masked_loss=dataset.config.masked_loss)
    yield from _about_classes(dataset)
    yield from _about_sizes(dataset)
    yield from _about_batches(dataset)


def _about_files(folder: PictureFolder) -> Iterator[Problem]:
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


def _about_captions(folder: PictureFolder) -> Iterator[Problem]:
    where = folder.source.folder
    instead = (
        f"“{folder.source.prompt}” is used instead" if folder.source.prompt else "nothing is used instead"
    )
    # Regularization pictures are usually not captioned: the class is their caption.
    missing = _flawed(folder, "missing")
    if missing and not folder.source.regularization:
        yield Problem(
            code="caption_missing",
            message=f"{len(missing)} of {pictures(len(folder.pictures))} in {where} have no caption; "
            f"{instead}.",
            hint="Without it the background, clothes and light are learnt as part of the subject. "
            "Captioning writes one for each picture.",
        )
    if missing and folder.source.regularization and not folder.source.prompt:
        yield Problem(
            code="regularization_unnamed",
            message=f"{pictures(len(missing))} in {where} are regularization pictures without a caption, and "
            "their folder names no class, so that they preserve no word.",
            hint="Name the folder as 1_class, such as 1_woman, or caption them.",
        )
    flaws = {picture.caption.flaw: None for picture in folder.pictures}
    for flaw in flaws:
        if flaw is None or flaw == "missing":
            continue
        names = [picture.path.name for picture in _flawed(folder, flaw)]
        yield Problem(
            code="caption_unusable",
            message=f"Captions in {where} are {flaw}; {instead} for {listed(names)}.",
            hint="Write them anew, in UTF-8.",
        )
    stems = Counter(picture.path.stem for picture in folder.pictures if picture.caption.flaw is None)
    shared = [each.path.name for each in folder.pictures if stems[each.path.stem] > 1]
    if shared:
        yield Problem(
            code="shared_caption",
            message=f"Pictures in {where} share a caption file, as their names differ only in the extension: "
            f"{listed(shared)}.",
            hint="Rename them if they show different things, or remove the copies.",
        )


def _flawed(folder: PictureFolder, flaw: str) -> list[Picture]:
    return [picture for picture in folder.pictures if picture.caption.flaw == flaw]


def _about_masks(folder: PictureFolder, *, masked_loss: bool) -> Iterator[Problem]:
    if not masked_loss or folder.source.regularization:
        return
    if folder.subset.masks is None:
        if not folder.subset.pictures.alpha_mask:
            yield Problem(
                code="mask_missing",
                message=f"Masked loss is on, but nothing masks the pictures in {folder.source.folder}.",
                hint="Give them conditioning_data_dir or alpha_mask.",
            )
        return
    bare = [picture.path.name for picture in folder.pictures if picture.mask is None]
    if bare:
        yield Problem(
            code="mask_missing",
            message=f"{pictures(len(bare))} in {folder.source.folder} have no mask in {folder.subset.masks} "
            f"that can be read, so all of the picture counts: {listed(bare)}.",
            hint="A mask is a picture with the same name; its extension may be another.",
        )


def _about_classes(dataset: Dataset) -> Iterator[Problem]:
    """Regularization pictures that say of others what the training says of its subject."""
    folders = [folder.source for folder in dataset.folders() if folder.pictures]
    taught = {source.prompt for source in folders if not source.regularization and source.prompt}
    for source in folders:
        if source.regularization and source.prompt in taught:
            yield Problem(
                code="regularization_named_alike",
                message=f"The regularization pictures in {source.folder} are called “{source.prompt}”, as "
                "those that are trained on, so that each undoes what the other teaches.",
                hint="Name their folder by the class alone, such as 1_woman.",
            )


def _about_sizes(dataset: Dataset) -> Iterator[Problem]:
    if dataset.unfit:
        yield Problem(
            code="image_too_small",
            message=f"{pictures(len(dataset.unfit))} with a side too short for any bucket will be left out: "
            f"{listed([f'{picture.path.name} ({picture.size})' for picture in dataset.unfit])}.",
            hint=f"Turn {_NO_UPSCALE} off, or replace them.",
        )
    enlarged = {
        sample.picture.path: sample.picture
        for sample in dataset.samples
        if sample.is_enlarged and not sample.regularization
    }
    if enlarged:
        names = [f"{picture.path.name} ({picture.size})" for picture in enlarged.values()]
        yield Problem(
            code="upscaled",
            message=f"{pictures(len(enlarged))} will be enlarged to fill their bucket: {listed(names)}.",
            hint=f"Enlarged pictures teach blur: use larger ones, or turn {_NO_UPSCALE} on.",
        )


def _about_batches(dataset: Dataset) -> Iterator[Problem]:
    for part, deal in zip(dataset.parts, dataset.deals, strict=True):
        counts = sorted(count_by_bucket(deal.epoch(1)).items())
        short = [f"{size} ({count})" for size, count in counts if count < part.batch_size]
        if short:
            yield Problem(
                code="short_batches",
                message=f"Some buckets hold less than a batch of {part.batch_size}: {listed(short)}.",
                hint="Their batches are smaller, so each picture counts for more. Crop pictures alike, or "
                "lower the batch size.",
            )
