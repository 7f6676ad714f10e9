"""The state of a training on disk: all that it takes to go on as if it had never stopped.

Noise, crops, captions and the order of pictures depend on seed and step alone, so that weights, optimizer and
counters are the whole of it. A state is a folder that is there whole or not at all.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, cast

import msgspec
import torch
from msgspec import Struct

from lora_bridge import system
from lora_bridge.identity import Identity  # noqa: TC001 - msgspec reads it
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

FOLDER = "resume"
"""Of a job's folder."""
_FORMAT = 1
_ABOUT = "state.json"
_TENSORS = "tensors.pt"
_FILES = (_TENSORS, _ABOUT)
_AUTOMATIC = re.compile(r"step\d{8}")


class About(Struct, frozen=True):
    """What a state is of."""

    step: int
    """Steps that were taken."""
    epoch: int
    """Of the last of them."""
    seed: int
    session_id: int
    started_at: float
    """Of the first start, seconds since 1970."""
    seconds: float
    """That the run has taken so far."""
    checkpoints: list[str]
    """LoRA files that it saved on its way and has not removed again."""
    config: dict[str, object]
    identity: Identity


class _Whole(Struct, frozen=True):
    """`state.json`: written last."""

    format: int
    bytes: int
    sha256: str
    about: About


class SavedState(Struct, frozen=True):
    """A whole state on disk."""

    folder: Path
    about: About

    def tensors(self) -> dict[str, Any]:
        """What was saved. A file that would run code is not loaded."""
        return _torch().load(self.folder / _TENSORS, map_location="cpu", weights_only=True)

    def files(self) -> tuple[bytes, ...]:
        """What `receive_state` makes the same state of, elsewhere."""
        return tuple((self.folder / name).read_bytes() for name in _FILES)


def save_state(folder: Path, name: str, about: About, tensors: dict[str, Any]) -> Path:
    """Write the state `name` into a job's `resume` folder. Raises OSError, and leaves no half state.

    One of the same step and run that is there already, from before a crash, stays: it is the same.
    """
    target = folder / name
    there = _about(target)
    if there is not None and _is_same(there.about, about) and _is_whole(target):
        return target
    temporary = folder / f".{name}.{os.getpid()}.tmp"
    try:
        temporary.mkdir(parents=True)
        file = temporary / _TENSORS
        with file.open("wb") as stream:
            _save_tensors(tensors, stream)
            stream.flush()
            os.fsync(stream.fileno())
        whole = _Whole(_FORMAT, file.stat().st_size, _sha256(file), about)
        with (temporary / _ABOUT).open("wb") as stream:
            stream.write(msgspec.json.encode(whole))
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            shutil.rmtree(target)
        temporary.rename(target)
        system.sync_folder(folder)
    except BaseException as error:
        shutil.rmtree(temporary, ignore_errors=True)
        if isinstance(error, OSError):
            error.filename = str(target)
        raise
    return target


def receive_state(folder: Path, files: Sequence[bytes]) -> SavedState:
    """A state from the files of one on another machine. Raises OSError, and ProblemError `state_damaged`."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in zip(_FILES, files, strict=True):
        (folder / name).write_bytes(content)
    return find_state(str(folder))


def automatic_name(step: int) -> str:
    """Of the state that is kept while it is the newest."""
    return f"step{step:08d}"


def epoch_state_name(epoch: int) -> str:
    """Of the state that is kept beside the LoRA of an epoch, as Kohya calls it."""
    return f"{epoch:06d}-state"


def step_state_name(step: int) -> str:
    """Of the state that is kept beside the LoRA of a step, as Kohya calls it."""
    return f"step{step:08d}-state"


def forget_older(folder: Path, newest: Path | None) -> None:
    """Delete automatic states but `newest`, and what a killed process left half written."""
    for state in _folders(folder):
        half = state.name.startswith(".") and state.name.endswith(".tmp")
        if half or (_AUTOMATIC.fullmatch(state.name) and state != newest):
            remove_state(state)


def remove_state(state: Path) -> None:
    """Delete a state. What cannot be deleted now is no longer found as one."""
    with suppress(OSError):
        (state / _ABOUT).unlink(missing_ok=True)
    shutil.rmtree(state, ignore_errors=True)


def newest_state(folder: Path) -> SavedState | None:
    """The whole state with the most steps in a `resume` folder; damaged ones are passed over."""
    found = [state for each in _folders(folder) if (state := _about(each)) is not None]
    for state in sorted(found, key=lambda state: state.about.step, reverse=True):
        if _is_whole(state.folder):
            return state
    return None


def find_state(place: str) -> SavedState:
    """The state that a person means: of a job's folder, of its `resume` folder, or in one folder.

    Raises ProblemError `state_missing` or `state_damaged`.
    """
    folder = Path(place).expanduser()
    single = _about(folder)
    if single is not None and _is_whole(folder):
        return single
    found = newest_state(folder / FOLDER) or newest_state(folder)
    if found is not None:
        return found
    if single is not None or any(_about(each) for each in (*_folders(folder), *_folders(folder / FOLDER))):
        raise ProblemError(
            "state_damaged",
            f"No state in {folder} is whole.",
            "Choose the folder of another run, or empty the field to begin anew.",
        )
    raise ProblemError(
        "state_missing",
        f"There is no training state in {folder}.",
        "Choose the folder of a run, or one in its resume folder; or empty the field to begin anew.",
    )


def size_of(state: Path) -> int:
    """Bytes of a state on disk."""
    return sum(file.stat().st_size for file in state.iterdir())


def _folders(folder: Path) -> Iterator[Path]:
    with suppress(OSError):
        yield from [entry for entry in folder.iterdir() if entry.is_dir()]


def _about(folder: Path) -> SavedState | None:
    whole = _read(folder)
    return None if whole is None else SavedState(folder, whole.about)


def _read(folder: Path) -> _Whole | None:
    try:
        whole = msgspec.json.decode((folder / _ABOUT).read_bytes(), type=_Whole)
    except (OSError, msgspec.DecodeError):
        return None
    return whole if whole.format == _FORMAT and not folder.name.startswith(".") else None


def _is_whole(folder: Path) -> bool:
    whole, file = _read(folder), folder / _TENSORS
    try:
        return whole is not None and file.stat().st_size == whole.bytes and _sha256(file) == whole.sha256
    except OSError:
        return False


def _is_same(one: About, other: About) -> bool:
    return (one.step, one.session_id, one.config) == (other.step, other.session_id, other.config)


def _sha256(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


class _Remembering:
    """A file that keeps the error of a write: torch passes on one of its own."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.error: OSError | None = None

    def write(self, content: bytes) -> int:
        try:
            return self._stream.write(content)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        self._stream.flush()


def _save_tensors(tensors: dict[str, Any], stream: BinaryIO) -> None:
    remembering = _Remembering(stream)
    try:
        _torch().save(tensors, remembering)
    except RuntimeError as error:
        if remembering.error is None:
            raise
        raise remembering.error from error


def _torch() -> Any:
    """torch's saving, which is largely untyped."""
    return cast("Any", torch)
