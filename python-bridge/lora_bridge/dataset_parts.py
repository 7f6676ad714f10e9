"""The parts of a dataset: folders that share buckets and batches, found and read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from lora_bridge.buckets import BucketRules, bucket_rules, bucket_warnings
from lora_bridge.caption_rules import caption_warnings, require_captions
from lora_bridge.concepts import find_concepts
from lora_bridge.dataset_sources import FolderSource, PartSource
from lora_bridge.dataset_toml import read_dataset_toml
from lora_bridge.picture_folders import PictureFolder, Subset, make_subset, read_folder
from lora_bridge.problems import ProblemError
from lora_bridge.process_rules import world_size
from lora_bridge.protocol_types import Problem
from lora_bridge.views import view_warnings
from lora_bridge.wording import listed, pictures

if TYPE_CHECKING:
    from collections.abc import Container, Generator, Sequence
    from pathlib import Path

    from lora_bridge.protocol_types import ConceptSource, TrainConfig


class DatasetPart(Struct, frozen=True):
    """Folders that share buckets and batches: all of a config, or one of the `[[datasets]]` of a TOML."""

    rules: BucketRules
    batch_size: int
    """Of all processes together."""
    validation_split: float
    validation_seed: int
    folders: tuple[PictureFolder, ...]

    def without(self, broken: Container[Path]) -> DatasetPart:
        """The part when some of its pictures turn out not to be readable to the end."""
        return replace(self, folders=tuple(folder.without(broken) for folder in self.folders))


def read_parts(
    config: TrainConfig, concepts: list[ConceptSource] | None
) -> tuple[tuple[DatasetPart, ...], tuple[Problem, ...]]:
    """The parts that a config means, or one of `concepts` instead, and what was odd about it.

    Raises ProblemError for what cannot be found, read or understood, with the place in a dataset TOML.
    """
    if concepts is not None:
        oddities: list[Problem] = []
        sources = [_part_of(config, concepts)]
    elif config.dataset_config.strip():
        sources, oddities = read_dataset_toml(config)
    else:
        found, oddities = find_concepts(config)
        sources = [_part_of(config, found)]
    parts: list[DatasetPart] = []
    for source in sources:
        subsets, doubles = _distinct(source)
        oddities += doubles
        parts.append(_read_part(source, subsets))
    oddities += _about_rules(sources)
    refuse_broken(config, parts)
    return tuple(parts), tuple(oddities)


def refuse_broken(config: TrainConfig, parts: Sequence[DatasetPart]) -> None:
    """Raise ProblemError `broken_images` for pictures that cannot be read, where the config says so."""
    broken = [file for part in parts for folder in part.folders for file in folder.unreadable]
    if not broken or config.broken_images == "skip":
        return
    raise ProblemError(
        "broken_images",
        f"{pictures(len(broken))} cannot be read: {listed([str(file) for file in broken])}.",
        "Repair or remove them, or set Broken pictures to skip.",
    )


def _part_of(config: TrainConfig, concepts: list[ConceptSource]) -> PartSource:
    return PartSource(config, [FolderSource(config, concept) for concept in concepts])


def _distinct(source: PartSource) -> tuple[list[Subset], list[Problem]]:
    """The subsets of a part, and what is left out: a folder counts once in a part, as with Kohya."""
    subsets: dict[str, Subset] = {}
    doubles: list[Problem] = []
    for folder in source.folders:
        path = _without_detours(folder.concept.folder)
        if path in subsets:
            where = f" in {folder.place}" if folder.place else ""
            doubles.append(
                Problem(
                    code="folder_twice",
                    message=f"{folder.concept.folder} is asked for again{where}, which is not used: its "
                    f"pictures are already shown {_times(subsets[path])}.",
                    hint="Give the first the repeats of both, or remove one.",
                )
            )
            continue
        with _naming(folder.place):
            require_captions(folder.config)
            subsets[path] = make_subset(
                folder.config, folder.concept, preserves_output=folder.preserves_output
            )
    return list(subsets.values()), doubles


def _without_detours(folder: str) -> str:
    """The same text for every way to write a folder's path."""
    try:
        return os.path.normcase(os.path.realpath(folder))
    except (OSError, ValueError):
        # No path at all, as its reading will say.
        return folder


def _times(subset: Subset) -> str:
    what = "as regularization" if subset.source.regularization else "for training"
    return f"{what} with {subset.source.repeats} repeats"


def _read_part(source: PartSource, subsets: list[Subset]) -> DatasetPart:
    with _naming(source.place):
        rules = bucket_rules(source.config)
    return DatasetPart(
        rules,
        source.config.train_batch_size * world_size(source.config),
        source.config.validation_split,
        source.config.validation_seed,
        tuple(read_folder(subset) for subset in subsets),
    )


def _about_rules(sources: list[PartSource]) -> list[Problem]:
    """What is odd about the parameters as they apply to parts and folders, each said once."""
    found: dict[str, Problem] = {}
    for source in sources:
        for problem in bucket_warnings(source.config):
            found.setdefault(problem.message, _at(source.place, problem))
        for folder in source.folders:
            for problem in (*caption_warnings(folder.config), *view_warnings(folder.config)):
                found.setdefault(problem.message, _at(folder.place, problem))
    return list(found.values())


def _at(place: str, problem: Problem) -> Problem:
    return replace(problem, message=f"{place}: {problem.message}") if place else problem


@contextmanager
def _naming(place: str) -> Generator[None, None, None]:
    """A problem with what is asked for in a dataset TOML begins with its place there."""
    try:
        yield
    except ProblemError as error:
        problem = _at(place, error.problem)
        hint = problem.hint if isinstance(problem.hint, str) else None
        raise ProblemError(problem.code, problem.message, hint) from error
