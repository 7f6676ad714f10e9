"""Which folders of pictures a config means: Kohya's `<repeats>_<prompt>` folders, or plain ones."""

from __future__ import annotations

import re
from os.path import normcase
from pathlib import Path
from typing import NamedTuple

from lora_bridge.images import IMAGE_EXTENSIONS
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import ConceptSource, Problem, TrainConfig
from lora_bridge.wording import is_text, readable

_KOHYA_FOLDER = re.compile(r"(\d+)_(.*)", re.DOTALL)
_MOST_REPEATS = 100_000
_LAYOUT_HINT = "Choose the folder that holds <repeats>_<instance> <class>, as Dataset Preparation makes it."


def find_concepts(config: TrainConfig) -> tuple[list[ConceptSource], list[Problem]]:
    """The folders to train on, in order, and what was odd about them.

    In a folder with numbered folders, only those count; a folder with pictures in it counts by itself; else
    all folders in it that hold pictures do. What has no number is shown `dataset_repeats` times. Raises
    ProblemError `folder_not_chosen`, `folder_missing`, `folder_unreadable`, `bad_repeats` or `no_images`.
    """
    if not config.train_data_dir.strip():
        raise ProblemError(
            "folder_not_chosen",
            "No image folder is chosen, and no dataset config file.",
            _LAYOUT_HINT,
        )
    concepts, warnings = _find_in(config.train_data_dir, config.dataset_repeats, regularization=False)
    if config.reg_data_dir.strip():
        more, odd = _find_in(config.reg_data_dir, config.dataset_repeats, regularization=True)
        concepts += more
        warnings += odd
    return concepts, warnings


def list_folder(folder: Path) -> list[Path]:
    """What is in a folder, sorted. Raises ProblemError `folder_missing` or `folder_unreadable`."""
    try:
        return sorted(folder.iterdir(), key=lambda path: normcase(path.name))
    except (FileNotFoundError, NotADirectoryError) as error:
        message = f"There is no folder {readable(str(folder))}."
        raise ProblemError("folder_missing", message, _LAYOUT_HINT) from error
    except (OSError, ValueError) as error:
        # ValueError: a path with a zero in it.
        raise _unreadable(folder, error) from error


def is_image(file: Path) -> bool:
    """Whether the name is that of a picture and not of a hidden file."""
    return file.suffix.lower() in IMAGE_EXTENSIONS and not file.name.startswith(".")


def is_folder(path: Path) -> bool:
    """Raises ProblemError `folder_unreadable` where the system cannot tell: a name may be too long."""
    try:
        return path.is_dir()
    except OSError as error:
        raise _unreadable(path, error) from error


class _Name(NamedTuple):
    """What a folder's name says."""

    repeats: int | None
    """None without a number."""
    prompt: str


def _find_in(
    folder: str, plain_repeats: int, *, regularization: bool
) -> tuple[list[ConceptSource], list[Problem]]:
    parent = Path(folder)
    children = list_folder(parent)
    loose = sum(is_image(child) for child in children)
    folders = [child for child in children if not child.name.startswith(".") and is_folder(child)]
    names = {child: _parse_name(child) for child in folders}
    used = [child for child in folders if names[child].repeats]
    if not used and loose:
        used = [parent]
        names[parent] = _parse_name(parent)
    elif all(name.repeats is None for name in names.values()):
        used = [child for child in folders if _holds_pictures(child)]
    if not used:
        raise ProblemError(
            "no_images",
            f"The folder {readable(folder)} holds neither pictures nor folders of pictures to be used.",
            _LAYOUT_HINT,
        )
    concepts = [
        ConceptSource(
            folder=str(child),
            prompt=names[child].prompt,
            repeats=names[child].repeats or plain_repeats,
            regularization=regularization,
        )
        for child in used
    ]
    warnings = [_ignored(child) for child in folders if child not in used and _holds_pictures(child)]
    warnings += [_plain(concept) for concept in concepts if names[Path(concept.folder)].repeats is None]
    if parent in used:
        warnings.append(_leaf(concepts[0]))
    elif loose:
        warnings.append(_loose(loose, parent))
    return concepts, warnings


def _parse_name(folder: Path) -> _Name:
    """Raises ProblemError for a name that no picture could be shown by."""
    if not is_text(folder.name):
        raise ProblemError(
            "folder_unreadable",
            f"The name of the folder {readable(str(folder))} is not UTF-8.",
            "Rename it.",
        )
    match = _KOHYA_FOLDER.fullmatch(folder.name)
    if match is None:
        return _Name(None, folder.name)
    repeats = int(match[1])
    if repeats > _MOST_REPEATS:
        raise ProblemError(
            "bad_repeats",
            f"The name of the folder {folder} asks for {repeats} repeats of each picture in an epoch.",
            f"Begin it with a number of repeats up to {_MOST_REPEATS}, such as 10_{match[2]}.",
        )
    return _Name(repeats, match[2].strip())


def _holds_pictures(folder: Path) -> bool:
    """Also false for a folder that may not be opened: it need not have anything to do with the dataset."""
    try:
        return any(is_image(file) for file in folder.iterdir())
    except OSError:
        return False


def _unreadable(path: Path, error: OSError | ValueError) -> ProblemError:
    reason = (isinstance(error, OSError) and error.strerror) or str(error)
    message = f"The folder {readable(str(path))} cannot be read: {reason}."
    return ProblemError("folder_unreadable", message, "Check that you may open it.")


def _ignored(folder: Path) -> Problem:
    return Problem(
        code="folder_ignored",
        message=f"The folder {folder} is not used: its name does not begin with a number of repeats.",
        hint="Rename it to <repeats>_<name>, such as 10_" + folder.name.removeprefix("0_") + ".",
    )


def _plain(concept: ConceptSource) -> Problem:
    return Problem(
        code="plain_folder",
        message=f"The name of {concept.folder} begins with no number of repeats, so it is taken as “"
        f"{concept.prompt}”, each picture {_times(concept)} an epoch.",
        hint="Repeats of plain folders says how often.",
    )


def _leaf(concept: ConceptSource) -> Problem:
    return Problem(
        code="leaf_folder",
        message=f"{concept.folder} holds pictures itself, so it is taken as one concept, "
        f"“{concept.prompt}”, each picture {_times(concept)} an epoch.",
        hint="Kohya expects its parent folder here.",
    )


def _times(concept: ConceptSource) -> str:
    return "once" if concept.repeats == 1 else f"{concept.repeats} times"


def _loose(number: int, parent: Path) -> Problem:
    return Problem(
        code="loose_images",
        message=f"{number} pictures lie directly in {parent} and are not used.",
        hint="Only the pictures in its <repeats>_<name> folders are.",
    )
