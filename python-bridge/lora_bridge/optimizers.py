"""Optimizers of other libraries, behind one shape. Their types are unknown: `Any` stays in here."""

from __future__ import annotations

import copy
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any, cast

import torch

from lora_bridge.optimizer_choice import choose_optimizer, part_rates
from lora_bridge.problems import ProblemError
from lora_bridge.schedules import make_schedule, refused_schedule

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from lora_bridge.optimizer_choice import OptimizerChoice
    from lora_bridge.protocol_types import TrainConfig

_FUSED = frozenset({"torch.optim.Adam", "torch.optim.AdamW"})
"""Not SGD: where its first step is left out on the device, its momentum begins with what lay in memory."""

_REHEARSED = 20_000
"""Steps of a schedule that are gone through before a run; these take a fraction of a second."""


class Stepper:
    """A library's optimizer and the schedule of its rate."""

    def __init__(
        self,
        parameters: Sequence[Sequence[nn.Parameter]],
        rates: Sequence[float],
        choice: OptimizerChoice,
        config: TrainConfig,
        total_steps: int,
    ) -> None:
        """Groups of parameters and the rate of each. Raises ProblemError."""
        self._choice = choice
        self._optimizer = _make(parameters, rates, choice, config)
        self._base_rates = [] if choice.sets_rate else [group["lr"] for group in self._optimizer.param_groups]
        self._skips_on_device = _is_fused(choice) and bool(self._optimizer.defaults["fused"])
        self._schedule = make_schedule(self._optimizer, choice, config, total_steps)
        if hasattr(self._optimizer, "train"):
            self._optimizer.train()

    def step(self, finite: Tensor) -> list[float]:
        """Step unless the 0-d `finite` is false; the rates that the groups were updated with.

        torch's fused optimizers decide that on the device. All others wait for it here.
        """
        optimizer = self._optimizer
        rates = [self._rate_before(group) for group in optimizer.param_groups]
        if self._skips_on_device:
            # They leave everything as it is where this is 1; torch.amp.GradScaler relies on it.
            optimizer.found_inf = (~finite).float()
            optimizer.grad_scale = None
            optimizer.step()
            self._next_rate()
        elif bool(finite) and not self._stands_still():
            optimizer.step()
            rates = list(map(self._rate_after, optimizer.param_groups, rates))
            self._next_rate()
        else:
            with warnings.catch_warnings():
                # torch suspects a slip where the first step of all is left out.
                warnings.filterwarnings("ignore", r"Detected call of `lr_scheduler\.step")
                self._next_rate()
        return rates

    @property
    def averages(self) -> bool:
        """The parameters that are trained are not those that are to be kept."""
        return self._choice.averages

    def to_averages(self) -> None:
        """Let the parameters be those that are to be kept."""
        self._optimizer.eval()

    def to_training(self) -> None:
        """Undo `to_averages`, but for what its arithmetic rounds."""
        self._optimizer.train()

    def description(self) -> str:
        """As Kohya's metadata has it: `module.Class(key=value,...)`."""
        kind = cast("Any", type(self._optimizer))
        name = f"{kind.__module__}.{kind.__name__}"
        arguments = ",".join(f"{key}={value}" for key, value in self._choice.arguments.items())
        return f"{name}({arguments})" if arguments else name

    def state(self) -> dict[str, Any]:
        """All that optimizer and schedule remember, for `load_state`."""
        schedule = None if self._schedule is None else self._schedule.state_dict()
        return {"optimizer": self._optimizer.state_dict(), "schedule": schedule, "rates": self._base_rates}

    def load_state(self, state: dict[str, Any]) -> None:
        """Go on from what `state` gave. Where rates or arguments are others now, the new ones count.

        Raises ProblemError `state_unfit`.
        """
        saved = state["optimizer"]
        try:
            # It may keep and change what it is given.
            self._optimizer.load_state_dict(copy.deepcopy(saved))
        except (ValueError, KeyError, RuntimeError) as error:
            raise ProblemError(
                "state_unfit",
                f"The saved state does not fit the optimizer: {error}",
                "Set Optimizer, Network Rank and what is trained as they were, or begin anew.",
            ) from error
        self._restore_formats(saved["state"])
        if self._schedule is not None and state["schedule"] is not None:
            self._schedule.load_state_dict(state["schedule"])
        if state["rates"] != self._base_rates:
            self._rebase(state["rates"])
        for group in self._optimizer.param_groups:
            group.update({key: value for key, value in self._choice.arguments.items() if key in group})

    def _restore_formats(self, saved: dict[int, dict[str, Any]]) -> None:
        """torch gives numbers the format of their parameter; some optimizers keep theirs in another."""
        parameters = [parameter for group in self._optimizer.param_groups for parameter in group["params"]]
        for index, values in saved.items():
            own = self._optimizer.state[parameters[index]]
            for key, value in values.items():
                if isinstance(value, torch.Tensor) and own[key].dtype != value.dtype:
                    own[key] = value.to(own[key].device)

    def _rebase(self, before: Sequence[float]) -> None:
        """Bring the rates from those of the saved run to those of this one, wherever the schedule is."""
        for group, old, new in zip(self._optimizer.param_groups, before, self._base_rates, strict=True):
            group["lr"] = group["lr"] / old * new
            group["initial_lr"] = new
        if self._schedule is not None:
            self._schedule.base_lrs = list(self._base_rates)

    def _next_rate(self) -> None:
        if self._schedule is not None:
            try:
                self._schedule.step()
            # It may be any class of the user's choice.
            except Exception as error:
                raise refused_schedule(type(self._schedule).__name__, error) from error

    def _stands_still(self) -> bool:
        """At a rate of 0 those that multiply it leave all as it is, or fail: DAdaptSGD divides by it."""
        return self._choice.one_rate and self._optimizer.param_groups[0]["lr"] == 0

    def _rate_before(self, group: dict[str, Any]) -> float:
        if self._choice.sets_rate:
            return 0.0
        # D-Adaptation and Prodigy multiply the rate by the distance that they estimate.
        return float(group["lr"]) * float(group.get("d", 1.0))

    def _rate_after(self, group: dict[str, Any], before: float) -> float:
        if self._choice.sets_rate:
            return float(self._optimizer._get_lr(group, self._optimizer.state[group["params"][0]]))
        return float(group["scheduled_lr"]) if "scheduled_lr" in group else before


def try_optimizer(config: TrainConfig, total_steps: int) -> None:
    """Make the optimizer once and go through the schedule, so that refusals are said before the run.

    Raises ProblemError `bad_optimizer` or `bad_schedule`.
    """
    weights = torch.nn.Parameter(torch.zeros(1, 1))
    rate = next(iter(part_rates(config).values()))
    stepper = Stepper([[weights]], [rate], choose_optimizer(config), config, total_steps)
    for _ in range(min(total_steps, _REHEARSED)):
        stepper.step(torch.zeros((), dtype=torch.bool))


def _is_fused(choice: OptimizerChoice) -> bool:
    return f"{choice.module}.{choice.name}" in _FUSED


def _make(
    parameters: Sequence[Sequence[nn.Parameter]],
    rates: Sequence[float],
    choice: OptimizerChoice,
    config: TrainConfig,
) -> Any:
    if choice.one_rate:
        rates = [rates[0]] * len(rates)
    arguments = {**choice.arguments, **choice.fixed}
    groups: list[dict[str, Any]] = [{"params": list(group)} for group in parameters]
    if choice.sets_rate:
        arguments["lr"] = None
    else:
        arguments["lr"] = rates[0]
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate
    if _is_fused(choice) and "foreach" not in arguments:
        arguments.setdefault("fused", True)
    try:
        return getattr(import_module(choice.module), choice.name)(groups, **arguments)
    # Whatever a library says of its arguments, or while it loads, is about the user's choice.
    except Exception as error:
        raise ProblemError(
            "bad_optimizer",
            f"Optimizer {config.optimizer} could not be made: {error}",
            "Check Optimizer extra arguments, or choose another.",
        ) from error
