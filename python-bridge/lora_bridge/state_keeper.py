"""Saves the states of a training while it goes, and lets it go on from one."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import msgspec

from lora_bridge.disk_room import Need
from lora_bridge.failures import problem_of
from lora_bridge.file_sizes import state_bytes, states_at_once
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem, StateEvent, WarningEvent
from lora_bridge.run_state import (
    FOLDER,
    About,
    automatic_name,
    forget_older,
    remove_state,
    save_state,
    size_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from lora_bridge.ema import Ema
    from lora_bridge.identity import Identity
    from lora_bridge.metadata import RunFacts
    from lora_bridge.networks import Network
    from lora_bridge.optim import Optimizer
    from lora_bridge.run_state import SavedState
    from lora_bridge.sink import Sink


class StateKeeper:
    """Knows all that must be remembered of a run, and when."""

    def __init__(
        self,
        facts: RunFacts,
        networks: Sequence[Network],
        optimizer: Optimizer,
        ema: Ema | None,
        *,
        identity: Identity,
        job_folder: Path,
        sink: Sink,
    ) -> None:
        self._facts = facts
        self._networks = networks
        self._optimizer = optimizer
        self._ema = ema
        self._identity = identity
        self._sink = sink
        self.folder = job_folder.absolute() / FOLDER
        self._seconds = 0.0
        self._since = self._last = time.monotonic()

    def go_on(self, saved: SavedState) -> None:
        """Let networks, optimizer and average be what they were. Raises ProblemError `state_unfit`."""
        tensors = saved.tensors()
        if tensors["layout"] != self._layout():
            raise ProblemError(
                "state_unfit",
                f"The state in {saved.folder} is of another LoRA than the one that is to be trained.",
                "Set LoRA type, ranks and learning rates as they were, or begin anew.",
            )
        for network, weights in zip(self._networks, tensors["weights"], strict=True):
            network.flat.weights.detach().copy_(weights)
            network.flat.publish()
        self._optimizer.load_state(tensors["optimizer"])
        if self._ema is not None:
            average: dict[str, Any] = tensors["average"] or {"updates": 0, "averages": tensors["weights"]}
            self._ema.load_state(**average)
        self._seconds = saved.about.seconds

    def is_due(self) -> bool:
        """Whether so much time has passed that the state should be saved."""
        minutes = self._facts.config.save_state_every_n_minutes
        return minutes > 0 and time.monotonic() - self._last >= 60 * minutes

    def save(self, step: int, epoch: int, checkpoints: Sequence[Path]) -> bool:
        """Save the state after `step`, in place of the one before. A failure is warned of; whether it worked.

        `checkpoints` are the files that the run has saved on its way and not removed again.
        """
        return self._save(automatic_name(step), step, epoch, checkpoints) is not None

    def keep(self, name: str, step: int, epoch: int, checkpoints: Sequence[Path]) -> None:
        """Save the state after `step` under a name of its own, so that it stays."""
        self._save(name, step, epoch, checkpoints)

    def discard(self, name: str) -> None:
        """Delete a state that was kept by this run, where it is there."""
        remove_state(self.folder / name)

    def forget(self) -> None:
        """Delete the state that is only kept while the run goes on."""
        forget_older(self.folder, None)

    def needs(self, files: int) -> list[Need]:
        """Room for the states that the config asks for, beside so many files on the way."""
        states = states_at_once(self._facts.config, files)
        if states == 0:
            return []
        size = state_bytes(sum(network.flat.weights.numel() for network in self._networks))
        self.folder.mkdir(parents=True, exist_ok=True)
        return [Need(self.folder, states * size, "the states to go on from")]

    def _save(self, name: str, step: int, epoch: int, checkpoints: Sequence[Path]) -> Path | None:
        about = About(
            step=step,
            epoch=epoch,
            seed=self._facts.seed,
            session_id=self._facts.session_id,
            started_at=self._facts.started_at,
            seconds=self._seconds + time.monotonic() - self._since,
            checkpoints=[str(path) for path in checkpoints],
            config=msgspec.to_builtins(self._facts.config),
            identity=self._identity,
        )
        try:
            state = save_state(self.folder, name, about, self._tensors())
            forget_older(self.folder, state)
        except OSError as error:
            problem = problem_of(error)
            message = f"The state after step {step} was not saved: {problem.message}"
            self._sink.emit(
                WarningEvent(problem=Problem(code="state_failed", message=message, hint=problem.hint))
            )
            return None
        finally:
            self._last = time.monotonic()
        self._sink.emit(StateEvent(path=str(state), bytes=size_of(state), step=step, epoch=epoch))
        return state

    def _tensors(self) -> dict[str, Any]:
        return {
            "layout": self._layout(),
            "weights": [network.flat.weights.detach() for network in self._networks],
            "optimizer": self._optimizer.state(),
            "average": None if self._ema is None else self._ema.state(),
        }

    def _layout(self) -> list[list[Any]]:
        """What lies where in the weights."""
        return [
            [network.part, tensor.module, tensor.key, list(tensor.value.shape)]
            for network in self._networks
            for tensor in network.tensors()
        ]
