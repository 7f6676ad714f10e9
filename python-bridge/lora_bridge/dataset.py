"""The pictures of a training run: read, captioned, put into buckets, and dealt out in batches."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

from lora_bridge.buckets import BucketRules, Fit, Size, bucket_rules
from lora_bridge.captions import Caption, caption_file, read_caption
from lora_bridge.concepts import find_concepts, is_image, list_folder
from lora_bridge.file_memory import FileMemory
from lora_bridge.images import UNREADABLE, picture_size

if TYPE_CHECKING:
    from collections.abc import Container

    from lora_bridge.protocol_types import ConceptSource, Problem, TrainConfig

_known_size = FileMemory(picture_size)
_known_caption = FileMemory(read_caption)


class Picture(Struct, frozen=True):
    """A readable picture with its caption."""

    path: Path
    size: Size
    caption: Caption


class PictureFolder(Struct, frozen=True):
    """A concept with what was found in its folder."""

    source: ConceptSource
    pictures: tuple[Picture, ...]
    unreadable: tuple[Path, ...]


class Sample(Struct, frozen=True):
    """A picture as it is trained: fitted into its bucket and seen `repeats` times an epoch."""

    picture: Picture
    fit: Fit
    repeats: int
    regularization: bool


class Dataset(Struct, frozen=True):
    """Everything that an epoch is made of."""

    rules: BucketRules
    folders: tuple[PictureFolder, ...]
    samples: tuple[Sample, ...]
    unfit: tuple[Picture, ...]
    """Pictures that are too small or too long for any bucket."""
    oddities: tuple[Problem, ...]
    """What was odd about the choice of folders."""

    def bucket_counts(self) -> dict[Size, int]:
        """Samples times repeats by bucket, regularization included, in order of size."""
        counts: Counter[Size] = Counter()
        for sample in self.samples:
            counts[sample.fit.bucket] += sample.repeats
        return dict(sorted(counts.items()))

    def without(self, broken: Container[Path]) -> Dataset:
        """The dataset that remains when some pictures turn out not to be readable to the end."""
        folders = tuple(
            PictureFolder(
                folder.source,
                tuple(picture for picture in folder.pictures if picture.path not in broken),
                folder.unreadable + tuple(each.path for each in folder.pictures if each.path in broken),
            )
            for folder in self.folders
        )
        return _assemble(self.rules, folders, self.oddities)


def read_dataset(config: TrainConfig, concepts: list[ConceptSource] | None = None) -> Dataset:
    """Read the folders of a config, or `concepts` instead of them.

    Raises ProblemError for parameters that contradict each other and for folders that cannot be read.
    """
    rules = bucket_rules(config)
    oddities: list[Problem] = []
    if concepts is None:
        concepts, oddities = find_concepts(config)
    folders = tuple(_read_folder(concept, config.caption_extension) for concept in concepts)
    return _assemble(rules, folders, tuple(oddities))


def epoch_batches(dataset: Dataset, batch_size: int, seed: int, epoch: int) -> list[list[Sample]]:
    """The batches of an epoch, counted from 1, each of one bucket; short ones are kept, as Kohya does."""
    order = random.Random(seed + epoch)
    buckets: dict[Size, list[Sample]] = {size: [] for size in dataset.bucket_counts()}
    for sample in dataset.samples:
        buckets[sample.fit.bucket] += [sample] * sample.repeats
    batches: list[list[Sample]] = []
    for samples in buckets.values():
        order.shuffle(samples)
        batches += [samples[start : start + batch_size] for start in range(0, len(samples), batch_size)]
    order.shuffle(batches)
    return batches


def balance_regularization(num_train: int, repeats: list[int]) -> list[int]:
    """How often each regularization picture is used in an epoch of `num_train` training samples.

    Pictures are taken in order until their repeats reach `num_train`; when there are too few, each gets one
    more in turn (sd-scripts `DreamBoothDataset`). 0 means not used.
    """
    used = [0] * len(repeats)
    total = 0
    for index, times in enumerate(repeats):
        if total >= num_train:
            return used
        used[index] = times
        total += times
    index = 0
    while used and total < num_train:
        used[index % len(used)] += 1
        total += 1
        index += 1
    return used


def _assemble(
    rules: BucketRules, folders: tuple[PictureFolder, ...], oddities: tuple[Problem, ...]
) -> Dataset:
    unfit: list[Picture] = []
    samples: list[Sample] = []
    candidates: list[Sample] = []
    for folder in folders:
        for picture in folder.pictures:
            fit = rules.fit(picture.size)
            if fit is None:
                unfit.append(picture)
                continue
            source = folder.source
            sample = Sample(picture, fit, source.repeats, source.regularization)
            (candidates if source.regularization else samples).append(sample)
    num_train = sum(sample.repeats for sample in samples)
    balanced = balance_regularization(num_train, [sample.repeats for sample in candidates])
    samples += [
        Sample(sample.picture, sample.fit, repeats, regularization=True)
        for sample, repeats in zip(candidates, balanced, strict=True)
        if repeats
    ]
    return Dataset(rules, folders, tuple(samples), tuple(unfit), oddities)


def _read_folder(concept: ConceptSource, extension: str) -> PictureFolder:
    pictures: list[Picture] = []
    unreadable: list[Path] = []
    files = list_folder(Path(concept.folder))
    names = {file.name for file in files}
    for file in files:
        if not is_image(file):
            continue
        try:
            size = _known_size(file)
        except UNREADABLE:
            unreadable.append(file)
            continue
        caption = _caption_of(file, extension, names, concept.prompt)
        pictures.append(Picture(file, size, caption))
    return PictureFolder(concept, tuple(pictures), tuple(unreadable))


def _caption_of(image: Path, extension: str, siblings: Container[str], prompt: str) -> Caption:
    file = caption_file(image, extension, siblings)
    if file is None:
        return Caption(prompt, "missing")
    try:
        caption = _known_caption(file)
    except OSError:
        return Caption(prompt, "unreadable")
    return caption if caption.flaw is None else Caption(prompt, caption.flaw)
