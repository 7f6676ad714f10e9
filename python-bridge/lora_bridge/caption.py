"""The caption job: one text file beside each picture of a folder."""

from __future__ import annotations

import time
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from PIL import Image

from lora_bridge.caption_text import appended, new_caption
from lora_bridge.captioner import open_captioner
from lora_bridge.captions import read_caption
from lora_bridge.concepts import is_image
from lora_bridge.failures import problem_of
from lora_bridge.files import write_atomically
from lora_bridge.images import UNREADABLE, load_picture, why_unreadable
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CaptionEvent, PhaseEvent
from lora_bridge.sink import Ending

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

    from lora_bridge.captioner import Captioner
    from lora_bridge.protocol_types import CaptionConfig
    from lora_bridge.sink import Sink


_READERS = 2
"""Threads that read pictures while the model works on those before."""


class _Outcome(NamedTuple):
    outcome: Literal["written", "skipped", "failed", "offered"]
    text: str = ""
    reason: str = ""
    candidates: tuple[str, ...] = ()


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
                candidates=[*outcome.candidates],
                reason=outcome.reason,
                done=self._done,
                total=self._total,
                images_per_second=speed,
                eta_seconds=(self._total - self._done) / speed if speed else 0.0,
            )
        )


def run(config: CaptionConfig, sink: Sink) -> Ending:
    """Caption the pictures of a folder, not of its subfolders, in the order of their names.

    Each caption is in its file before it is reported. A picture that cannot be read or of which the model
    says nothing is reported as failed and gets no file. Raises ProblemError for settings that contradict each
    other, a folder without pictures, a model that cannot be used and `caption_unwritable`, OSError for a full
    disk and a file that is not ours to write; those written before stay.
    """
    if config.caption_extension.lower() in Image.registered_extensions():
        raise ProblemError(
            "caption_extension",
            f"Caption file extension is {config.caption_extension}: captions would replace pictures.",
            "Choose an extension of text files; .txt is usual.",
        )
    folder = Path(config.image_dir)
    images = _chosen(folder, config.images)
    report = _Reporter(config, sink, len(images))
    todo: list[Path] = []
    for image in images:
        file = image.with_suffix(config.caption_extension)
        if config.existing == "skip" and not config.candidates and file.exists():
            report.tell(image, _kept(file))
        else:
            todo.append(image)
    if not todo:
        return Ending("completed", [])
    sink.emit(PhaseEvent(phase="loading_model", done=0, total=0))
    captioner = open_captioner(config)
    report.start_clock()
    with _Reading(todo, captioner, ahead=2 * config.batch_size) as reading:
        while batch := [*islice(reading, config.batch_size)]:
            for image, outcome in _caption(batch, captioner, config):
                report.tell(image, outcome)
            if reading.left and sink.stop_requested():
                return Ending("stopped", [folder])
    return Ending("completed", [folder])


class _Reading:
    """Reads pictures in other threads, a few ahead of who takes them; in their order."""

    def __init__(self, images: list[Path], captioner: Captioner, ahead: int) -> None:
        self.left = len(images)
        self._images = iter(images)
        self._captioner = captioner
        self._threads = ThreadPoolExecutor(_READERS, "reading")
        self._waiting: deque[tuple[Path, Future[Any]]] = deque()
        for image in islice(self._images, ahead):
            self._begin(image)

    def __enter__(self) -> _Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(cancel_futures=True)

    def __iter__(self) -> Iterator[tuple[Path, Future[Any]]]:
        """Each picture, with what the captioner is to see of it or one of UNREADABLE."""
        while self._waiting:
            taken = self._waiting.popleft()
            self.left -= 1
            if (following := next(self._images, None)) is not None:
                self._begin(following)
            yield taken

    def _begin(self, image: Path) -> None:
        self._waiting.append((image, self._threads.submit(self._read, image)))

    def _read(self, image: Path) -> Any:
        return self._captioner.prepare(load_picture(image))


def _chosen(folder: Path, names: list[str] | None) -> list[Path]:
    """The pictures that are asked for, sorted by name, those too that are gone."""
    if names is None:
        return list_images(folder)
    images = {folder / name for name in names}
    for image in sorted(images):
        if image.parent != folder or not is_image(image.with_name(image.name)):
            raise ProblemError(
                "not_in_folder",
                f"{image} is no picture of the folder {folder}.",
                "Choose pictures that lie in the image folder itself.",
            )
    return sorted(images)


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
    batch: list[tuple[Path, Future[Any]]], captioner: Captioner, config: CaptionConfig
) -> Iterator[tuple[Path, _Outcome]]:
    """What becomes of each picture of one batch."""
    prepared: dict[Path, Any] = {}
    for image, read in batch:
        try:
            prepared[image] = read.result()
        except UNREADABLE as error:
            yield image, _Outcome("failed", reason=why_unreadable(error))
    if not prepared:
        return
    said = captioner.describe([*prepared.values()], config.candidates)
    for image, texts in zip(prepared, said, strict=True):
        if any(texts):
            yield image, _settle(image, texts, config)
        else:
            yield image, _Outcome("failed", reason=f"{captioner.name} said nothing.")


def _settle(image: Path, said: list[str], config: CaptionConfig) -> _Outcome:
    """Write what was said of a picture, or offer it."""
    file = image.with_suffix(config.caption_extension)
    if config.existing == "skip" and not config.candidates and file.exists():
        # Somebody wrote it meanwhile: by hand, in the app or outside.
        return _kept(file)
    lines = _lines_there(file) if config.existing == "append" else [""]
    if lines is None:
        return _Outcome("failed", reason=_kept(file).reason)
    there, *others = lines
    texts = [appended(there, each, config) if there else new_caption(each, config) for each in said]
    if config.candidates:
        return _Outcome("offered", candidates=tuple(dict.fromkeys(texts)))
    if there and texts[0] == there:
        return _Outcome("skipped", there, "It says all of that already.")
    _write(file, "\n".join([texts[0], *others]))
    return _Outcome("written", texts[0])


def _lines_there(file: Path) -> list[str] | None:
    """The lines of a caption file, one that is empty where it has none; None where its text is not to be had,
    so that nothing can be added to it."""
    if not file.exists():
        return [""]
    try:
        caption = read_caption(file)
    except OSError:
        return None
    return [*caption.lines] or ([""] if caption.flaw == "empty" else None)


def _write(file: Path, text: str) -> None:
    try:
        write_atomically(file, f"{text}\n".encode())
    except OSError as error:
        if problem_of(error).code != "unexpected":
            raise
        raise ProblemError(
            "caption_unwritable",
            f"The caption {file} could not be written: {error.strerror}.",
            "See what lies at that place. The captions before it were written.",
        ) from error
