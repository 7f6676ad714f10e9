"""What a training run will do, computed by the code that will do it. It is asked while typing: no torch."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from msgspec import Struct

from lora_bridge.dataset import Dataset, read_dataset
from lora_bridge.plan_warnings import plan_warnings
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Bucket, Concept, Plan
from lora_bridge.sample_prompts import parse_prompts

if TYPE_CHECKING:
    from lora_bridge.protocol_types import ConceptSource, TrainConfig


class Schedule(Struct, frozen=True):
    """How many batches, steps and epochs a run has."""

    batches_per_epoch: int
    steps_per_epoch: int
    epochs: int
    """The last one may be cut short by `max_train_steps`."""
    total_steps: int


def make_plan(config: TrainConfig, concepts: list[ConceptSource] | None = None) -> Plan:
    """Plan a run over the config's folders, or over `concepts` instead of them.

    Raises ProblemError for parameters that contradict each other or cannot be understood and for folders that
    cannot be trained on.
    """
    parse_prompts(config)
    return plan_of(config, read_dataset(config, concepts))


def plan_of(config: TrainConfig, dataset: Dataset) -> Plan:
    """The plan for a dataset that is already read. Raises ProblemError `no_images` when nothing is left."""
    require_pictures(dataset)
    schedule = make_schedule(config, dataset)
    return Plan(
        buckets=[Bucket(resolution=size, count=count) for size, count in dataset.bucket_counts().items()],
        concepts=[
            Concept(
                folder=folder.source.folder,
                prompt=folder.source.prompt,
                repeats=folder.source.repeats,
                regularization=folder.source.regularization,
                images=len(folder.pictures),
            )
            for folder in dataset.folders
        ],
        images=sum(not sample.regularization for sample in dataset.samples),
        regularization_images=sum(sample.regularization for sample in dataset.samples),
        batches_per_epoch=schedule.batches_per_epoch,
        steps_per_epoch=schedule.steps_per_epoch,
        epochs=schedule.epochs,
        total_steps=schedule.total_steps,
        warnings=plan_warnings(config, dataset),
    )


def make_schedule(config: TrainConfig, dataset: Dataset) -> Schedule:
    """Batches are buckets cut up, steps are batches accumulated; `max_train_steps` above 0 wins."""
    counts = dataset.bucket_counts().values()
    batches = sum(math.ceil(count / config.train_batch_size) for count in counts)
    steps = math.ceil(batches / config.gradient_accumulation_steps)
    if config.max_train_steps > 0:
        return Schedule(batches, steps, math.ceil(config.max_train_steps / steps), config.max_train_steps)
    return Schedule(batches, steps, config.epoch, config.epoch * steps)


def require_pictures(dataset: Dataset) -> None:
    """Raise ProblemError `no_images`, naming the folders, when a kind of pictures has none to use."""
    for regularization in (False, True):
        folders = [each for each in dataset.folders if each.source.regularization == regularization]
        if any(sample.regularization == regularization for sample in dataset.samples):
            continue
        if not folders and regularization:
            continue
        names = ", ".join(folder.source.folder for folder in folders) or "the dataset"
        broken = sum(len(folder.unreadable) for folder in folders)
        found = f"its {broken} pictures cannot be read" if broken else "it has no pictures that can be used"
        raise ProblemError(
            "no_images",
            f"There is nothing to train on in {names}: {found}.",
            "Add pictures: png, jpg, webp, bmp or avif.",
        )
