"""What a training run will do, computed by the code that will do it. It is asked while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.caption_rules import require_captions
from lora_bridge.dataset import Dataset, count_by_bucket, read_dataset, run_schedule
from lora_bridge.memory_rules import require_memory
from lora_bridge.metadata_model_spec import thumbnail_of
from lora_bridge.network_rules import require_network
from lora_bridge.objective_rules import require_objective
from lora_bridge.optimizer_choice import require_optimizer
from lora_bridge.plan_buckets import planned_buckets
from lora_bridge.plan_files import planned_files, room_warnings
from lora_bridge.plan_warnings import plan_warnings
from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import require_processes
from lora_bridge.protocol_types import Concept, Plan
from lora_bridge.run_length import Schedule
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.vae_rules import require_vae
from lora_bridge.views import require_views

if TYPE_CHECKING:
    from lora_bridge.protocol_types import ConceptSource, TrainConfig

__all__ = ["Schedule", "make_plan", "make_schedule", "plan_of", "require_config", "require_pictures"]


def make_plan(config: TrainConfig, concepts: list[ConceptSource] | None = None) -> Plan:
    """Plan a run over the config's folders, or over `concepts` instead of them.

    Raises ProblemError for parameters that contradict each other or cannot be understood and for folders that
    cannot be trained on.
    """
    require_config(config)
    return plan_of(config, read_dataset(config, concepts))


def require_config(config: TrainConfig) -> None:
    """Raise ProblemError for parameters that contradict each other or cannot be understood."""
    require_processes(config)
    parse_prompts(config)
    require_captions(config)
    require_views(config)
    require_objective(config)
    require_optimizer(config)
    require_network(config)
    require_memory(config)
    require_vae(config)
    thumbnail_of(config)


def plan_of(config: TrainConfig, dataset: Dataset) -> Plan:
    """The plan for a dataset that is already read. Raises ProblemError `no_images` when nothing is left."""
    require_pictures(dataset)
    schedule = make_schedule(config, dataset)
    files = planned_files(config, schedule)
    training = [sample for sample in dataset.samples if not sample.regularization]
    return Plan(
        buckets=planned_buckets(dataset),
        concepts=[
            Concept(
                folder=folder.source.folder,
                prompt=folder.source.prompt,
                repeats=folder.source.repeats,
                regularization=folder.source.regularization,
                images=len(folder.pictures),
            )
            for folder in dataset.folders()
        ],
        images=len(training),
        regularization_images=len(dataset.samples) - len(training),
        validation_images=len(dataset.validation),
        batches_per_epoch=schedule.batches_per_epoch,
        steps_per_epoch=schedule.steps_per_epoch,
        steps_without_regularization=_training_steps(config, dataset),
        epochs=schedule.epochs,
        total_steps=schedule.total_steps,
        enlarged_images=sum(sample.is_enlarged for sample in training),
        uncaptioned_images=sum(sample.picture.caption.flaw is not None for sample in training),
        files=files,
        warnings=[*plan_warnings(config, dataset), *room_warnings(files)],
    )


def _training_steps(config: TrainConfig, dataset: Dataset) -> int:
    """Of an epoch without its regularization pictures."""
    batches = sum(
        -(-count // part.batch_size)
        for part, deal in zip(dataset.parts, dataset.deals, strict=True)
        for count in count_by_bucket((sample, sample.repeats) for sample in deal.training).values()
    )
    return -(-batches // config.gradient_accumulation_steps)


def make_schedule(config: TrainConfig, dataset: Dataset) -> Schedule:
    """How long the run is. Exact where epochs differ, as they can when regularization pictures take turns."""
    return run_schedule(config, dataset.parts, dataset.deals)


def require_pictures(dataset: Dataset) -> None:
    """Raise ProblemError `no_images`, naming the folders, when a kind of pictures has none to use."""
    for regularization in (False, True):
        folders = [each for each in dataset.folders() if each.source.regularization == regularization]
        if any(sample.regularization == regularization for sample in dataset.samples):
            continue
        if not folders and regularization:
            continue
        names = (
            ", ".join(folder.source.folder for folder in folders)
            or dataset.config.dataset_config
            or "the dataset"
        )
        broken = sum(len(folder.unreadable) for folder in folders)
        found = f"its {broken} pictures cannot be read" if broken else "it has no pictures that can be used"
        raise ProblemError(
            "no_images",
            f"There is nothing to train on in {names}: {found}.",
            "Add pictures, such as jpg, png, webp or heic files.",
        )
