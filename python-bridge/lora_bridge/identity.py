"""What a run is made of, so that one that goes on can tell what is no longer as it was."""

from __future__ import annotations

import hashlib
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from msgspec import Struct

from lora_bridge.picture_edits import edit_stamp
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from lora_bridge.dataset import Dataset, Sample
    from lora_bridge.protocol_types import TrainConfig

_EDGE_BYTES = 1 << 16
_LIBRARIES = ("torch", "diffusers", "transformers")
_WEIGHTS = "*.safetensors"
_FILES = ("base_weights", "network_weights", "lycoris_preset")

# What may differ between a run and one that goes on from it without a word: where things are, what is told of
# it, and how long it is.
_FREE = frozenset(
    {
        "output_dir",
        "logging_dir",
        "output_name",
        "training_comment",
        "resume",
        "log_with",
        "ddp_timeout",
        "main_process_ip",
        "main_process_port",
        "gpu_ids",
    }
)


class Identity(Struct, frozen=True):
    """Data, model and libraries of a run."""

    pictures: dict[str, str]
    """By folder and name: size and beginning and end of the file."""
    captions: dict[str, str]
    """By the same name: what it says."""
    model: str
    vae: str
    versions: dict[str, str]
    shown: dict[str, str] = {}
    """By the same name: repeats, rules and buckets that a dataset config asks for."""
    files: dict[str, str] = {}
    """By the parameter that names them: files that decide what is learnt, beside model and VAE."""


def identity_of(config: TrainConfig, dataset: Dataset) -> Identity:
    """Reads 128 KiB of each picture and 1 MiB of each model file. Raises OSError."""
    pictures: dict[str, str] = {}
    captions: dict[str, str] = {}
    shown: dict[str, str] = {}
    for sample in dataset.everything():
        picture = sample.picture
        name = f"{picture.path.parent.name}/{picture.path.name}"
        pictures[name] = f"{_edges(picture.path, _EDGE_BYTES)} {edit_stamp(picture.path)}".rstrip()
        if picture.mask is not None:
            pictures[name] += f" {_edges(picture.mask, _EDGE_BYTES)}"
        if config.dataset_config.strip():
            shown[name] = _how_shown(sample, dataset)
        captions[name] = hashlib.sha256("\n".join(picture.caption.lines).encode()).hexdigest()
    return Identity(
        pictures,
        captions,
        _model(config.pretrained_model_name_or_path),
        _model(config.vae.strip()),
        {library: version(library) for library in _LIBRARIES},
        shown,
        {key: " ".join(map(_model, getattr(config, key).splitlines())) for key in _FILES},
    )


def changes(
    before: Identity, now: Identity, old_config: Mapping[str, object], config: Mapping[str, object]
) -> list[str]:
    """What is not as it was, a sentence each."""
    return [
        *_config_changes(old_config, config),
        *_counted("picture", "are new", now.pictures.keys() - before.pictures.keys()),
        *_counted("picture", "are no longer there", before.pictures.keys() - now.pictures.keys()),
        *_counted("picture", "were edited", _differing(before.pictures, now.pictures)),
        *_counted("caption", "were edited", _differing(before.captions, now.captions)),
        *_counted("picture", "are shown by other rules", _differing(before.shown, now.shown)),
        *(
            f"The file of {key} is another one, or was edited."
            for key in sorted(_differing(before.files, now.files))
        ),
        *(["The base model is another one, or was edited."] if before.model != now.model else []),
        *(["The VAE is another one, or was edited."] if before.vae != now.vae else []),
        *(
            f"{name} was {before.versions.get(name)} and is {number}."
            for name, number in now.versions.items()
            if before.versions.get(name) != number
        ),
    ]


def _config_changes(before: Mapping[str, object], config: Mapping[str, object]) -> Iterator[str]:
    for key, value in config.items():
        if key not in _FREE and key in before and before[key] != value:
            yield f"{key} was {_shown(before[key])} and is {_shown(value)}."


def _shown(value: object) -> str:
    return msgspec.json.encode(value).decode()


def _differing(before: Mapping[str, str], now: Mapping[str, str]) -> set[str]:
    return {name for name in before.keys() & now.keys() if before[name] != now[name]}


def _counted(what: str, became: str, names: set[str]) -> Iterator[str]:
    """`3 pictures are new: a.png, b.png and c.png.`"""
    if len(names) == 1:
        became = became.replace("are", "is", 1) if became.startswith("are") else became.replace("were", "was")
    if names:
        yield f"{len(names)} {what}{'' if len(names) == 1 else 's'} {became}: {listed(sorted(names))}."


def _how_shown(sample: Sample, dataset: Dataset) -> str:
    """All that a dataset config says of a picture, but where it lies."""
    subset, part = sample.subset, dataset.parts[sample.part]
    said = (
        sample.repeats,
        sample.regularization,
        subset.captions,
        subset.pictures,
        subset.preserves_output,
        part.rules,
        part.batch_size,
    )
    return hashlib.sha256(repr(said).encode()).hexdigest()[:16]


def _model(name: str) -> str:
    """A file's or folder's weights by name, size and edges; a hub's model by its name."""
    path = Path(name).expanduser()
    if not name or not path.exists():
        return name
    files = [path] if path.is_file() else sorted(path.rglob(_WEIGHTS))
    return " ".join(f"{file.name}:{_edges(file, 1 << 20)}" for file in files)


def _edges(file: Path, length: int) -> str:
    """The size of a file and a hash of its first and last `length` bytes."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        digest = hashlib.sha256(stream.read(length))
        if size > length:
            stream.seek(max(length, size - length))
            digest.update(stream.read(length))
    return f"{size}-{digest.hexdigest()[:16]}"
