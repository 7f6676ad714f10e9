"""The pictures of a training run: put into buckets, balanced, kept back, and dealt out in batches."""

from __future__ import annotations

import random
from collections import Counter
from math import lcm
from typing import TYPE_CHECKING

from msgspec import Struct

from lora_bridge.dataset_parts import DatasetPart, read_parts, refuse_broken
from lora_bridge.picture_folders import Picture, PictureFolder, Subset
from lora_bridge.regularization import Rotation, balance_regularization
from lora_bridge.run_length import schedule_of
from lora_bridge.validation_split import split_for_validation

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Sequence
    from pathlib import Path

    from lora_bridge.buckets import Fit, Size
    from lora_bridge.protocol_types import ConceptSource, Problem, TrainConfig
    from lora_bridge.run_length import Schedule

__all__ = ["Dataset", "DatasetPart", "Picture", "PictureFolder", "Sample", "Subset"]


class Sample(Struct, frozen=True):
    """A picture as it is shown: fitted into its bucket and seen `repeats` times an epoch."""

    picture: Picture
    fit: Fit
    repeats: int
    """Of a regularization picture: as its folder says. An epoch balances them, see `Deal.epoch`."""
    regularization: bool
    subset: Subset
    part: int
    """Its number in `Dataset.parts`. Samples of different parts are never in one batch."""

    @property
    def is_enlarged(self) -> bool:
        """The picture is made larger to fill its bucket."""
        return self.fit.resized.area > self.picture.size.area


class Deal(Struct, frozen=True):
    """What the epochs of a part are dealt from."""

    training: tuple[Sample, ...]
    regularization: tuple[Sample, ...]
    rotation: Rotation

    @property
    def period(self) -> int:
        """After how many epochs the number of samples in each bucket is that of the first."""
        buckets = {sample.fit.bucket for sample in self.regularization}
        return self.rotation.period if len(buckets) > 1 else 1

    def epoch(self, epoch: int) -> Iterator[tuple[Sample, int]]:
        """What an epoch, counted from 1, shows, and how often."""
        yield from ((sample, sample.repeats) for sample in self.training)
        yield from self.balanced(epoch)

    def balanced(self, epoch: int) -> Iterator[tuple[Sample, int]]:
        """The regularization of an epoch, and how often it is shown."""
        for sample, times in zip(self.regularization, self.rotation.repeats(epoch), strict=True):
            if times:
                yield sample, times

    def shown(self, epochs: int) -> Iterator[Sample]:
        """What any of the first `epochs` epochs shows."""
        yield from self.training
        for sample, is_shown in zip(self.regularization, self.rotation.shown(epochs), strict=True):
            if is_shown:
                yield sample


class Dataset(Struct, frozen=True):
    """Everything that epochs are made of. Made by `read_dataset`."""

    config: TrainConfig
    parts: tuple[DatasetPart, ...]
    samples: tuple[Sample, ...]
    """Every one that any epoch of the run shows."""
    validation: tuple[Sample, ...]
    """What is kept back for the validation loss; no epoch shows it."""
    unfit: tuple[Picture, ...]
    """Pictures that are too small or too long for any bucket."""
    oddities: tuple[Problem, ...]
    """What was odd about the choice of folders."""
    deals: tuple[Deal, ...]
    """By part: what its epochs are dealt from."""

    def folders(self) -> tuple[PictureFolder, ...]:
        """The folders of all parts."""
        return tuple(folder for part in self.parts for folder in part.folders)

    def everything(self) -> tuple[Sample, ...]:
        """All that is shown to the model, in training or to validate."""
        return self.samples + self.validation

    def bucket_counts(self, epoch: int = 1) -> dict[Size, int]:
        """Samples times repeats by bucket, regularization included, in order of size."""
        counts: Counter[Size] = Counter()
        for deal in self.deals:
            counts += count_by_bucket(deal.epoch(epoch))
        return dict(sorted(counts.items()))

    def without(self, broken: Container[Path]) -> Dataset:
        """The dataset that remains when some pictures turn out not to be readable to the end.

        Raises ProblemError `broken_images` where the config refuses them.
        """
        parts = tuple(part.without(broken) for part in self.parts)
        refuse_broken(self.config, parts)
        return _assemble(self.config, parts, self.oddities)


def read_dataset(config: TrainConfig, concepts: list[ConceptSource] | None = None) -> Dataset:
    """Read the folders of a config or of its dataset TOML, or `concepts` instead of them.

    Raises ProblemError for parameters that contradict each other and for folders that cannot be read.
    """
    return _assemble(config, *read_parts(config, concepts))


def epoch_batches(dataset: Dataset, seed: int, epoch: int) -> list[list[Sample]]:
    """The batches of an epoch, counted from 1, each of one part and one bucket.

    Short ones are kept, as Kohya does.
    """
    order = random.Random(seed + epoch)
    batches: list[list[Sample]] = []
    for part, deal in zip(dataset.parts, dataset.deals, strict=True):
        buckets: dict[Size, list[Sample]] = {}
        for sample, times in deal.epoch(epoch):
            buckets.setdefault(sample.fit.bucket, []).extend([sample] * times)
        for _, samples in sorted(buckets.items()):
            order.shuffle(samples)
            size = part.batch_size
            batches += [samples[start : start + size] for start in range(0, len(samples), size)]
    order.shuffle(batches)
    return batches


def count_by_bucket(shown: Iterable[tuple[Sample, int]]) -> Counter[Size]:
    """How many samples there are of each bucket."""
    counts: Counter[Size] = Counter()
    for sample, times in shown:
        counts[sample.fit.bucket] += times
    return counts


def run_schedule(config: TrainConfig, parts: Sequence[DatasetPart], deals: Sequence[Deal]) -> Schedule:
    """How long a run is that deals `deals` in the batches of `parts`."""
    training = [count_by_bucket((sample, sample.repeats) for sample in deal.training) for deal in deals]

    def batches_of(epoch: int) -> int:
        return sum(
            -(-count // part.batch_size)
            for part, known, deal in zip(parts, training, deals, strict=True)
            for count in (known + count_by_bucket(deal.balanced(epoch))).values()
        )

    return schedule_of(config, batches_of, lcm(*(deal.period for deal in deals)))


def _assemble(config: TrainConfig, parts: tuple[DatasetPart, ...], oddities: tuple[Problem, ...]) -> Dataset:
    unfit: list[Picture] = []
    validation: list[Sample] = []
    deals: list[Deal] = []
    for number, part in enumerate(parts):
        samples = _fitted(part, number, unfit)
        regularization = [sample for sample in samples if sample.regularization]
        training = [sample for sample in samples if not sample.regularization]
        kept_back = split_for_validation(
            [sample.picture.path for sample in training], part.validation_split, part.validation_seed
        )
        validation += [sample for index, sample in enumerate(training) if index in kept_back]
        training = [sample for index, sample in enumerate(training) if index not in kept_back]
        rotation = balance_regularization(
            sum(sample.repeats for sample in training),
            [sample.repeats for sample in regularization],
            turns=not config.kohya_exact,
        )
        deals.append(Deal(tuple(training), tuple(regularization), rotation))
    schedule = run_schedule(config, parts, deals)
    shown = tuple(sample for deal in deals for sample in deal.shown(schedule.epochs))
    return Dataset(config, parts, shown, tuple(validation), tuple(unfit), oddities, tuple(deals))


def _fitted(part: DatasetPart, number: int, unfit: list[Picture]) -> list[Sample]:
    """The samples of a part; what fits into no bucket goes to `unfit`."""
    samples: list[Sample] = []
    for folder in part.folders:
        source = folder.source
        for picture in folder.pictures:
            fit = part.rules.fit(picture.size)
            if fit is None:
                unfit.append(picture)
            else:
                samples.append(
                    Sample(picture, fit, source.repeats, source.regularization, folder.subset, number)
                )
    return samples
