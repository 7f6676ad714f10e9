"""The buckets of a run, and the pictures of one: how each is resized and what is cut away. No torch."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from lora_bridge.buckets import Size, bucket_rules
from lora_bridge.dataset import count_by_bucket, read_dataset
from lora_bridge.protocol_types import Bucket, BucketPicture, BucketPictures, Place, Places
from lora_bridge.views import centred_view, crop_moves

if TYPE_CHECKING:
    from collections.abc import Sequence

    from lora_bridge.buckets import Fit
    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.protocol_types import BucketParameters, TrainConfig


def planned_buckets(dataset: Dataset) -> list[Bucket]:
    """In order of size; those that the first epoch shows."""
    batches: Counter[Size] = Counter()
    short: set[Size] = set()
    for part, deal in zip(dataset.parts, dataset.deals, strict=True):
        for size, count in count_by_bucket(deal.epoch(1)).items():
            batches[size] += -(-count // part.batch_size)
            if count < part.batch_size:
                short.add(size)
    images = Counter(sample.fit.bucket for sample in dataset.samples)
    enlarged = Counter(sample.fit.bucket for sample in dataset.samples if sample.is_enlarged)
    return [
        Bucket(
            resolution=size,
            count=count,
            images=images[size],
            batches=batches[size],
            short=size in short,
            enlarged=enlarged[size],
        )
        for size, count in dataset.bucket_counts().items()
    ]


def bucket_pictures(
    config: TrainConfig, resolution: tuple[int, int], offset: int, limit: int
) -> BucketPictures:
    """`limit` pictures of a bucket from `offset` on, in the order of the folders.

    Raises ProblemError as reading the dataset does.
    """
    dataset = read_dataset(config)
    size = Size(*resolution)
    samples = [sample for sample in dataset.samples if sample.fit.bucket == size]
    shown = {
        (id(sample.subset), sample.picture.path): times
        for deal in dataset.deals
        for sample, times in deal.epoch(1)
    }
    return BucketPictures(
        total=len(samples),
        pictures=[
            _picture(sample, shown.get((id(sample.subset), sample.picture.path), 0))
            for sample in samples[offset : offset + limit]
        ],
    )


def place_sizes(config: BucketParameters, sizes: Sequence[tuple[int, int]]) -> Places:
    """Where pictures of these sizes come, wherever they lie. Raises ProblemError as `bucket_rules` does."""
    rules = bucket_rules(config)
    fits = [(size, rules.fit(Size(*size))) for size in sizes]
    return Places(places=[_place(Size(*size), fit) for size, fit in fits if fit is not None])


def _place(size: Size, fit: Fit) -> Place:
    return Place(
        size=size,
        bucket=fit.bucket,
        resized=fit.resized,
        crop=(fit.left, fit.top),
        enlarged=fit.resized.area > size.area,
    )


def _picture(sample: Sample, repeats: int) -> BucketPicture:
    view = centred_view(sample)
    return BucketPicture(
        path=str(sample.picture.path),
        size=sample.picture.size,
        resized=view.resized,
        crop=(view.left, view.top),
        crop_moves=crop_moves(sample),
        repeats=repeats,
        regularization=sample.regularization,
        enlarged=sample.is_enlarged,
    )
