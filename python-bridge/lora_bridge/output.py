"""The folder that a training's files go to."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lora_bridge import system
from lora_bridge.export import kohya_tensors, write_lora
from lora_bridge.failures import problem_of
from lora_bridge.metadata import file_metadata
from lora_bridge.precision import DTYPES
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CheckpointEvent, Problem, WarningEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import UnsetType

    from lora_bridge.metadata import RunFacts
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink

_HEADER_BYTES_PER_TENSOR = 200
_METADATA_BYTES = 1 << 16
_MEBIBYTE = 1 << 20


class OutputFolder:
    """Makes the folder and proves that it can be written to. Raises `output_dir_unusable` or OSError."""

    def __init__(self, config: TrainConfig, sink: Sink) -> None:
        self._config = config
        self._sink = sink
        self._folder = Path(config.output_dir)
        self._dtype = DTYPES[config.save_precision]
        self._checkpoints: list[Path] = []
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except (FileExistsError, NotADirectoryError) as error:
            raise ProblemError(
                "output_dir_unusable",
                f"The output folder {self._folder} cannot be made, because there is a file of that name.",
                "Choose another output folder.",
            ) from error
        with tempfile.TemporaryFile(dir=self._folder) as probe:
            probe.write(b"\0")

    def require_room(self, networks: Sequence[Network], facts: RunFacts) -> None:
        """Raise ProblemError `disk_full` unless all files of the run fit on the disk."""
        tensors = [value for network in networks for _, _, value in network.tensors()]
        numbers = sum(value.numel() for value in tensors)
        size = numbers * self._dtype.itemsize + len(tensors) * _HEADER_BYTES_PER_TENSOR + _METADATA_BYTES
        every = self._config.save_every_n_epochs
        files = 1 + ((facts.schedule.epochs - 1) // every if every else 0)
        free = shutil.disk_usage(self._folder).free
        if free < files * size:
            what = "the LoRA of this run needs" if files == 1 else f"the {files} LoRAs of this run need"
            raise ProblemError(
                "disk_full",
                f"The disk of {self._folder} has {_mebibytes(free)} free, but {what} "
                f"{_mebibytes(files * size)}.",
                "Make room, save less often (Save every N epochs), or choose a folder on another disk.",
            )

    def save_epoch(self, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int) -> None:
        """Write `<name>-000001.safetensors`. A failure is only warned of: the training is worth more."""
        self._save_on_the_way(f"{epoch:06d}", networks, facts, step, epoch)

    def save_step(self, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int) -> None:
        """Write `<name>-step00000001.safetensors`, as Kohya calls it. A failure is only warned of."""
        self._save_on_the_way(f"step{step:08d}", networks, facts, step, epoch)

    def _save_on_the_way(
        self, mark: str, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int
    ) -> None:
        file = self._folder / f"{self._config.output_name}-{mark}.safetensors"
        try:
            self._checkpoints.append(self._save(file, networks, facts, step, epoch, final=False))
        except (OSError, ProblemError) as error:
            problem = problem_of(error)
            message = f"{file} was not saved: {problem.message}"
            self._warn("checkpoint_failed", message, problem.hint)

    def save_final(self, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int) -> list[Path]:
        """Write `<name>.safetensors`; returns it and the epochs' files, the newest first.

        Where it cannot be written it is saved elsewhere; the error that is raised says where.
        """
        name = f"{self._config.output_name}.safetensors"
        try:
            saved = self._save(self._folder / name, networks, facts, step, epoch, final=True)
        except (OSError, ProblemError) as error:
            rescued = self._rescue(name, networks, facts, step, epoch)
            if rescued is None:
                raise
            problem = problem_of(error)
            message = f"{problem.message} The LoRA was saved as {rescued} instead."
            raise ProblemError(problem.code, message, "Move it to where you want it.") from error
        return [saved, *reversed(self._checkpoints)]

    def _rescue(
        self, name: str, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int
    ) -> Path | None:
        """Save in the first other folder that takes it: hours of training are in this file."""
        for folder in (Path(self._config.logging_dir), system.data_dir() / "rescued"):
            with suppress(OSError, ProblemError):
                folder.mkdir(parents=True, exist_ok=True)
                return self._save(folder / name, networks, facts, step, epoch, final=True)
        return None

    def _save(
        self,
        file: Path,
        networks: Sequence[Network],
        facts: RunFacts,
        step: int,
        epoch: int,
        *,
        final: bool,
    ) -> Path:
        temporary = file.with_name(f".{file.name}.{os.getpid()}.tmp")
        try:
            write_lora(
                temporary, kohya_tensors(networks, self._dtype), file_metadata(facts, file, step, epoch)
            )
        except OSError as error:
            # A write that fails says no name, or that of the temporary file.
            error.filename = str(file)
            raise
        file = self._make_way(file)
        temporary.replace(file)
        size = file.stat().st_size
        self._sink.emit(CheckpointEvent(path=str(file), bytes=size, step=step, epoch=epoch, final=final))
        return file

    def _make_way(self, file: Path) -> Path:
        """Rename an older file of that name; where it cannot be moved, the new one gets another name."""
        if not file.exists():
            return file
        changed = datetime.fromtimestamp(file.stat().st_mtime).astimezone()
        older = _unused(file, f"previous-{changed:%Y%m%d-%H%M%S}")
        try:
            file.rename(older)
        except OSError:
            newer = _unused(file, f"new-{datetime.now().astimezone():%Y%m%d-%H%M%S}")
            message = f"{file.name} is there already and in use, so the new LoRA is called {newer.name}."
            self._warn("previous_in_use", message, "Close what uses the older file, then rename both.")
            return newer
        message = f"There was a {file.name} already; it is now called {older.name}."
        self._warn("previous_kept", message, "Delete it when you no longer need it.")
        return file

    def _warn(self, code: str, message: str, hint: str | UnsetType) -> None:
        self._sink.emit(WarningEvent(problem=Problem(code=code, message=message, hint=hint)))


def _mebibytes(size: int) -> str:
    """To one digit while that is needed to tell it from nothing."""
    return f"{size / _MEBIBYTE:,.1f} MiB" if size < 10 * _MEBIBYTE else f"{size / _MEBIBYTE:,.0f} MiB"


def _unused(file: Path, mark: str) -> Path:
    """`name.mark.safetensors`, or with a number where that is taken."""
    free = file.with_name(f"{file.stem}.{mark}.safetensors")
    number = 1
    while free.exists():
        number += 1
        free = file.with_name(f"{file.stem}.{mark}-{number}.safetensors")
    return free
