"""Which folders of pictures a config means: Kohya's `<repeats>_<prompt>` folders, or a folder by itself."""

from __future__ import annotations

import re
from pathlib import Path

from lora_bridge.images import IMAGE_EXTENSIONS
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import ConceptSource, Problem, TrainConfig

_KOHYA_FOLDER = re.compile(r"(\d+)_(.+)")
_LAYOUT_HINT = "Choose the folder that holds <repeats>_<instance> <class>, as Dataset Preparation makes it."


def find_concepts(config: TrainConfig) -> tuple[list[ConceptSource], list[Problem]]:
    """The folders to train on, in order, and what was odd about them.

    Raises ProblemError `folder_missing`, `folder_unreadable` or `no_images`.
    """
    concepts, warnings = _find_in(Path(config.train_data_dir), regularization=False)
    if config.reg_data_dir.strip():
        more, odd = _find_in(Path(config.reg_data_dir), regularization=True)
        concepts += more
        warnings += odd
    return concepts, warnings


def list_folder(folder: Path) -> list[Path]:
    """What is in a folder, sorted. Raises ProblemError `folder_missing` or `folder_unreadable`."""
    try:
        return sorted(folder.iterdir())
    except (FileNotFoundError, NotADirectoryError) as error:
        raise ProblemError("folder_missing", f"There is no folder {folder}.", _LAYOUT_HINT) from error
    except OSError as error:
        reason = error.strerror or str(error)
        hint = "Check that you may open it."
        raise ProblemError(
            "folder_unreadable", f"The folder {folder} cannot be read: {reason}.", hint
        ) from error


def is_image(file: Path) -> bool:
    """Whether the name is that of a picture and not of a hidden file."""
    return file.suffix.lower() in IMAGE_EXTENSIONS and not file.name.startswith(".")


def _find_in(parent: Path, *, regularization: bool) -> tuple[list[ConceptSource], list[Problem]]:
    children = list_folder(parent)
    loose = sum(is_image(child) for child in children)
    concepts: list[ConceptSource] = []
    warnings: list[Problem] = []
    for child in children:
        if child.name.startswith(".") or not child.is_dir():
            continue
        repeats, prompt = _parse_name(child.name)
        if repeats >= 1:
            concepts.append(_concept(child, prompt, repeats, regularization=regularization))
        elif any(is_image(file) for file in list_folder(child)):
            warnings.append(_ignored(child))
    if not concepts and loose:
        repeats, prompt = _parse_name(parent.name)
        concept = _concept(parent, prompt, max(repeats, 1), regularization=regularization)
        return [concept], [*warnings, _leaf(concept)]
    if not concepts:
        raise ProblemError(
            "no_images",
            f"The folder {parent} holds neither pictures nor <repeats>_<name> folders.",
            _LAYOUT_HINT,
        )
    if loose:
        warnings.append(
            Problem(
                code="loose_images",
                message=f"{loose} pictures lie directly in {parent} and are not used.",
                hint="Only the pictures in its <repeats>_<name> folders are.",
            )
        )
    return concepts, warnings


def _parse_name(name: str) -> tuple[int, str]:
    """Repeats and prompt of a folder name; 0 repeats where it has no number."""
    match = _KOHYA_FOLDER.fullmatch(name)
    return (int(match[1]), match[2].strip()) if match else (0, name)


def _concept(folder: Path, prompt: str, repeats: int, *, regularization: bool) -> ConceptSource:
    return ConceptSource(folder=str(folder), prompt=prompt, repeats=repeats, regularization=regularization)


def _ignored(folder: Path) -> Problem:
    return Problem(
        code="folder_ignored",
        message=f"The folder {folder} is not used: its name does not begin with a number of repeats.",
        hint="Rename it to <repeats>_<name>, such as 10_" + folder.name.removeprefix("0_") + ".",
    )


def _leaf(concept: ConceptSource) -> Problem:
    times = "once" if concept.repeats == 1 else f"{concept.repeats} times"
    return Problem(
        code="leaf_folder",
        message=f"{concept.folder} holds pictures itself, so it is taken as one concept, "
        f"“{concept.prompt}”, each picture {times} an epoch.",
        hint="Kohya expects its parent folder here.",
    )
