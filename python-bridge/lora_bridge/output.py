"""The folder that a training's files go to."""

from __future__ import annotations

import glob
import os
import tempfile
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from lora_bridge import system
from lora_bridge.disk_room import Need
from lora_bridge.export import kohya_tensors, write_lora
from lora_bridge.failures import problem_of
from lora_bridge.file_sizes import Amount, lora_bytes
from lora_bridge.metadata import file_metadata
from lora_bridge.precision import DTYPES
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CheckpointEvent, CheckpointRemovedEvent, Problem, WarningEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from msgspec import UnsetType

    from lora_bridge.metadata import RunFacts
    from lora_bridge.networks import Network
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sink import Sink


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
        self._remove_half_files()

    def _remove_half_files(self) -> None:
        """Delete what a run of this name was writing when it was killed."""
        for file in self._folder.glob(f".{glob.escape(self._config.output_name)}*.safetensors.*.tmp"):
            with suppress(OSError):
                file.unlink()

    def need(self, networks: Sequence[Network], on_the_way: int) -> Need:
        """Room for the last file and so many on the way."""
        tensors = [value for network in networks for _, _, value in network.tensors()]
        amount = Amount(sum(value.numel() for value in tensors), len(tensors))
        files = 1 + on_the_way
        what = "the LoRA of this run" if files == 1 else f"the {files} LoRAs of this run"
        return Need(self._folder, files * lora_bytes(self._config, amount), what)

    @property
    def checkpoints(self) -> list[Path]:
        """The files that the run has saved on its way and not removed again, the oldest first."""
        return list(self._checkpoints)

    def adopt(self, checkpoints: Sequence[Path]) -> None:
        """Take over what the run had saved before it was interrupted."""
        self._checkpoints = [file for file in checkpoints if file.exists()]

    def remove_epoch(self, epoch: int | None) -> None:
        """Delete the file of an epoch, where this run saved it."""
        if epoch is not None:
            self._remove(_epoch_mark(epoch))

    def remove_step(self, step: int | None) -> None:
        """Delete the file of a step, where this run saved it."""
        if step is not None:
            self._remove(_step_mark(step))

    def _remove(self, mark: str) -> None:
        file = self._file(mark)
        if file not in self._checkpoints:
            return
        try:
            file.unlink(missing_ok=True)
        except OSError as error:
            problem = problem_of(error)
            self._warn("not_removed", f"{file} was not deleted: {problem.message}", problem.hint)
            return
        self._checkpoints.remove(file)
        self._sink.emit(CheckpointRemovedEvent(path=str(file)))

    def save_epoch(self, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int) -> None:
        """Write `<name>-000001.safetensors`. A failure is only warned of: the training is worth more."""
        self._save_on_the_way(_epoch_mark(epoch), networks, facts, step, epoch)

    def save_step(self, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int) -> None:
        """Write `<name>-step00000001.safetensors`, as Kohya calls it. A failure is only warned of."""
        self._save_on_the_way(_step_mark(step), networks, facts, step, epoch)

    def _save_on_the_way(
        self, mark: str, networks: Sequence[Network], facts: RunFacts, step: int, epoch: int
    ) -> None:
        file = self._file(mark)
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
        return [saved, *self.newest_first()]

    def newest_first(self) -> list[Path]:
        """`checkpoints` from the last to the first."""
        return self._checkpoints[::-1]

    def _file(self, mark: str) -> Path:
        return self._folder / f"{self._config.output_name}-{mark}.safetensors"

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
        try:
            temporary.replace(file)
            system.sync_folder(file.parent)
        except OSError:
            temporary.unlink(missing_ok=True)
            raise
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


def _epoch_mark(epoch: int) -> str:
    return f"{epoch:06d}"


def _step_mark(step: int) -> str:
    return f"step{step:08d}"


def _unused(file: Path, mark: str) -> Path:
    """`name.mark.safetensors`, or with a number where that is taken."""
    free = file.with_name(f"{file.stem}.{mark}.safetensors")
    number = 1
    while free.exists():
        number += 1
        free = file.with_name(f"{file.stem}.{mark}-{number}.safetensors")
    return free
