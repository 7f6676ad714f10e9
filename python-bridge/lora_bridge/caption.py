"""The caption job: one text file beside each picture of a folder."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

from PIL import Image

from lora_bridge.blip import Captioner
from lora_bridge.captions import read_caption
from lora_bridge.concepts import is_image
from lora_bridge.files import write_atomically
from lora_bridge.images import UNREADABLE, load_picture, why_unreadable
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CaptionEvent, PhaseEvent
from lora_bridge.sink import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import CaptionConfig
    from lora_bridge.sink import Sink


class _Outcome(NamedTuple):
    outcome: Literal["written", "skipped", "failed"]
    text: str = ""
    reason: str = ""


class _Reporter:
    """Tells the sink what became of each picture, and how fast it goes."""

    def __init__(self, config: CaptionConfig, sink: Sink, total: int) -> None:
        self._extension = config.caption_extension
        self._sink = sink
        self._total = total
        self._done = 0
        self._described = 0
        self._start = time.monotonic()

    def start_clock(self) -> None:
        """The model is loaded: from here on time counts for the speed."""
        self._start = time.monotonic()
        self._sink.emit(PhaseEvent(phase="captioning", done=self._done, total=self._total))

    def tell(self, image: Path, outcome: _Outcome) -> None:
        self._done += 1
        self._described += outcome.outcome != "skipped"
        speed = self._described / max(time.monotonic() - self._start, 1e-3)
        self._sink.emit(
            CaptionEvent(
                image=str(image),
                caption_file=str(image.with_suffix(self._extension)),
                outcome=outcome.outcome,
                text=outcome.text,
                reason=outcome.reason,
                done=self._done,
                total=self._total,
                images_per_second=speed,
                eta_seconds=(self._total - self._done) / speed if speed else 0.0,
            )
        )


def run(config: CaptionConfig, sink: Sink) -> Ending:
    """Caption the pictures of a folder, not of its subfolders, in the order of their names.

    Each caption is in its file before it is reported. A picture that cannot be read or of which BLIP says
    nothing is reported as failed and gets no file. Raises ProblemError for settings that contradict each
    other, a folder without pictures and a model that cannot be used, OSError for a caption that cannot be
    written; those written before stay.
    """
    if config.caption_extension.lower() in Image.registered_extensions():
        raise ProblemError(
            "caption_extension",
            f"Caption file extension is {config.caption_extension}: captions would replace pictures.",
            "Choose an extension of text files; .txt is usual.",
        )
    folder = Path(config.image_dir)
    images = list_images(folder)
    report = _Reporter(config, sink, len(images))
    todo: list[Path] = []
    for image in images:
        file = image.with_suffix(config.caption_extension)
        if config.existing == "skip" and file.exists():
            report.tell(image, _kept(file))
        else:
            todo.append(image)
    if not todo:
        return Ending("completed", [])
    sink.emit(PhaseEvent(phase="loading_model", done=0, total=0))
    captioner = Captioner(config)
    report.start_clock()
    for first in range(0, len(todo), config.batch_size):
        if sink.stop_requested():
            return Ending("stopped", [folder])
        for image, outcome in _caption(todo[first : first + config.batch_size], captioner, config):
            report.tell(image, outcome)
    return Ending("completed", [folder])


def _kept(file: Path) -> _Outcome:
    """A caption that is there already, as training will read it."""
    try:
        caption = read_caption(file)
    except OSError as error:
        return _Outcome("failed", reason=f"Its caption cannot be read: {error.strerror}.")
    reason = "" if caption.flaw is None else f" That is {caption.flaw}."
    return _Outcome("skipped", caption.text, f"It has a caption already.{reason}")


def list_images(folder: Path) -> list[Path]:
    """The pictures of a folder, sorted by name. Raises ProblemError `folder_missing` or `no_images`."""
    if not folder.is_dir():
        raise ProblemError(
            "folder_missing", f"There is no folder {folder}.", "Choose the folder of your pictures."
        )
    images = sorted(filter(is_image, folder.iterdir()))
    if not images:
        raise ProblemError(
            "no_images",
            f"There are no pictures in {folder}.",
            "Choose a folder that holds jpg, png, webp, heic or other pictures itself, not in subfolders.",
        )
    return images


def _caption(
    images: list[Path], captioner: Captioner, config: CaptionConfig
) -> Iterator[tuple[Path, _Outcome]]:
    """What becomes of each picture of one batch."""
    pictures: dict[Path, Image.Image] = {}
    for image in images:
        try:
            pictures[image] = load_picture(image)
        except UNREADABLE as error:
            yield image, _Outcome("failed", reason=why_unreadable(error))
    if not pictures:
        return
    for image, said in zip(pictures, captioner.describe([*pictures.values()]), strict=True):
        if not said:
            yield image, _Outcome("failed", reason="BLIP said nothing.")
            continue
        file = image.with_suffix(config.caption_extension)
        if config.existing == "skip" and file.exists():
            # Somebody wrote it meanwhile: by hand, in the app or outside.
            yield image, _kept(file)
            continue
        text = " ".join(part for part in (config.prefix.strip(), said, config.postfix.strip()) if part)
        write_atomically(file, f"{text}\n".encode())
        yield image, _Outcome("written", text)
