"""One folder of pictures: what a config means by it, and the pictures, captions and masks that are in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct, UnsetType

from lora_bridge.caption_rules import CaptionRules, caption_rules
from lora_bridge.captions import Caption, caption_file, folder_caption, read_caption
from lora_bridge.concepts import is_folder, is_image, list_folder
from lora_bridge.file_memory import FileMemory
from lora_bridge.images import UNREADABLE, edited_size, upright_size
from lora_bridge.views import PictureRules, picture_rules
from lora_bridge.wording import is_text

if TYPE_CHECKING:
    from collections.abc import Container, Mapping

    from lora_bridge.buckets import Size
    from lora_bridge.protocol_types import ConceptSource, TrainConfig

_known_size = FileMemory(upright_size)
_known_caption = FileMemory(read_caption)


class Subset(Struct, frozen=True):
    """A folder of pictures and what a config, or a place in a dataset TOML, says of them."""

    source: ConceptSource
    captions: CaptionRules
    pictures: PictureRules
    masks: str | None
    """The folder of their masks; only with masked loss."""
    preserves_output: bool
    """Their target is what the base model says without the LoRA."""


class Picture(Struct, frozen=True):
    """A readable picture with its caption."""

    path: Path
    size: Size
    caption: Caption
    mask: Path | None
    """None where there is none, or none that can be read: the whole picture counts."""


class PictureFolder(Struct, frozen=True):
    """A subset with what was found in its folder."""

    subset: Subset
    pictures: tuple[Picture, ...]
    unreadable: tuple[Path, ...]

    @property
    def source(self) -> ConceptSource:
        return self.subset.source

    def without(self, broken: Container[Path]) -> PictureFolder:
        """The folder when some of its pictures turn out not to be readable to the end."""
        return PictureFolder(
            self.subset,
            tuple(picture for picture in self.pictures if picture.path not in broken),
            self.unreadable + tuple(each.path for each in self.pictures if each.path in broken),
        )


def make_subset(config: TrainConfig, source: ConceptSource, *, preserves_output: bool = False) -> Subset:
    """A subset as `config` says. Raises ProblemError for rules that cannot be understood."""
    masks = config.conditioning_data_dir.strip()
    return Subset(
        source,
        caption_rules(config),
        picture_rules(config),
        masks if masks and config.masked_loss else None,
        preserves_output,
    )


def read_folder(subset: Subset) -> PictureFolder:
    """What is in a subset's folder, in order of names. Reads headers and captions, each only when it changed.

    Raises ProblemError `folder_missing` or `folder_unreadable` for the folder and for that of the masks.
    """
    files = list_folder(Path(subset.source.folder))
    names = {file.name for file in files}
    masks = _masks_by_stem(subset)
    pictures: list[Picture] = []
    unreadable: list[Path] = []
    chosen = names if isinstance(subset.source.files, UnsetType) else set(subset.source.files)
    for file in files:
        if not is_image(file) or file.name not in chosen:
            continue
        size = _size_of(file)
        if size is None:
            unreadable.append(file)
            continue
        caption = _caption_of(file, subset.captions.extension, names, subset.source.prompt)
        mask = masks.get(file.stem)
        readable = mask is not None and _size_of(mask) is not None
        pictures.append(Picture(file, size, caption, mask if readable else None))
    return PictureFolder(subset, tuple(pictures), tuple(unreadable))


def _masks_by_stem(subset: Subset) -> Mapping[str, Path]:
    """The masks of a subset: those in the folder of masks, or in its folder of the same name."""
    if subset.masks is None:
        return {}
    folder = Path(subset.masks)
    own = folder / Path(subset.source.folder).name
    files = list_folder(own if is_folder(own) else folder)
    return {file.stem: file for file in reversed(files) if is_image(file)}


def _size_of(file: Path) -> Size | None:
    # A name that is not text could not be told to anybody.
    if not is_text(file.name):
        return None
    try:
        size = edited_size(file, _known_size(file))
    except UNREADABLE:
        return None
    return size if size.area else None


def _caption_of(image: Path, extension: str, siblings: Container[str], prompt: str) -> Caption:
    file = caption_file(image, extension, siblings)
    if file is None:
        return folder_caption(prompt, "missing")
    try:
        caption = _known_caption(file)
    except OSError:
        return folder_caption(prompt, "unreadable")
    return caption if caption.flaw is None else folder_caption(prompt, caption.flaw)
