"""Which learning-rate schedule a config asks for. It is asked while typing: no torch."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from msgspec import Struct

from lora_bridge.class_source import is_installed, signature_of
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem
from lora_bridge.written_arguments import check_arguments, parse_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import TrainConfig

_LABEL = "LR scheduler extra arguments"
_TRANSFORMERS = "transformers.optimization."
_FUNCTIONS = {
    "constant": _TRANSFORMERS + "get_constant_schedule",
    "constant_with_warmup": _TRANSFORMERS + "get_constant_schedule_with_warmup",
    "linear": _TRANSFORMERS + "get_linear_schedule_with_warmup",
    "cosine": _TRANSFORMERS + "get_cosine_schedule_with_warmup",
    "cosine_with_restarts": _TRANSFORMERS + "get_cosine_with_hard_restarts_schedule_with_warmup",
    "cosine_with_min_lr": _TRANSFORMERS + "get_cosine_with_min_lr_schedule_with_warmup",
    "polynomial": _TRANSFORMERS + "get_polynomial_decay_schedule_with_warmup",
    "inverse_sqrt": _TRANSFORMERS + "get_inverse_sqrt_schedule",
    "warmup_stable_decay": _TRANSFORMERS + "get_wsd_schedule",
    "piecewise_constant": "diffusers.optimization.get_piecewise_constant_schedule",
}
_NUMBER = r"\d*\.?\d+(?:[eE][-+]?\d+)?"
_WITHOUT_WARMUP = frozenset({"constant", "piecewise_constant", "adafactor"})


class ScheduleChoice(Struct, frozen=True):
    """A function or class that makes a schedule for an optimizer, and what the user adds to its arguments."""

    module: str
    name: str
    arguments: dict[str, object]


def warmup_steps(config: TrainConfig, total_steps: int) -> int:
    """Steps over which the rate rises, at most all; 0 where the schedule has no warm-up."""
    if config.lr_scheduler_type.strip() or config.lr_scheduler in _WITHOUT_WARMUP:
        return 0
    steps = config.lr_warmup_steps or total_steps * config.lr_warmup // 100
    return min(steps, total_steps)


def choose_schedule(config: TrainConfig) -> ScheduleChoice:
    """The schedule of `lr_scheduler_type`, else that of `lr_scheduler`. Raises ProblemError."""
    arguments = parse_arguments(_LABEL, config.lr_scheduler_args)
    path = config.lr_scheduler_type.strip() or _FUNCTIONS[config.lr_scheduler]
    if not all(part.isidentifier() for part in path.split(".")):
        raise _unknown(path, "That is no name of a class.")
    module, _, name = path.rpartition(".")
    module = module or "torch.optim.lr_scheduler"
    if name.lower() == "reducelronplateau":
        raise _unknown(path, "It needs a loss that does not change by chance.")
    signature = signature_of(module, name)
    if signature is None and module == "torch.optim.lr_scheduler" and is_installed("torch"):
        raise _unknown(path, f"torch.optim.lr_scheduler has no {name}.")
    return ScheduleChoice(module, name if signature is None else signature.name, arguments)


def settings(config: TrainConfig, total_steps: int) -> dict[str, object]:
    """What the fields of the config say to the function of `lr_scheduler`."""
    warmup = warmup_steps(config, total_steps)
    match config.lr_scheduler:
        case "constant_with_warmup":
            return {"num_warmup_steps": warmup}
        case "inverse_sqrt":
            return {"num_warmup_steps": warmup, "timescale": config.lr_scheduler_timescale or None}
        case "linear" | "cosine" | "cosine_with_restarts" | "cosine_with_min_lr" | "polynomial":
            shape = {
                "cosine_with_restarts": {"num_cycles": config.lr_scheduler_num_cycles},
                # One cycle is half a wave, as Kohya counts them.
                "cosine_with_min_lr": {
                    "num_cycles": config.lr_scheduler_num_cycles / 2,
                    "min_lr_rate": config.lr_scheduler_min_lr_ratio,
                },
                "polynomial": {"power": config.lr_scheduler_power},
            }.get(config.lr_scheduler, {})
            return {"num_warmup_steps": warmup, "num_training_steps": total_steps, **shape}
        case "warmup_stable_decay":
            decay = min(config.lr_decay_steps or total_steps // 10, total_steps - warmup)
            return {
                "num_warmup_steps": warmup,
                "num_decay_steps": decay,
                "num_stable_steps": total_steps - warmup - decay,
                "num_cycles": config.lr_scheduler_num_cycles / 2,
                "min_lr_ratio": config.lr_scheduler_min_lr_ratio,
            }
        case _:
            return {}


def require_schedule(config: TrainConfig, *, sets_rate: bool) -> None:
    """Raises ProblemError where the schedule cannot be had; `sets_rate`: the optimizer has its own."""
    if sets_rate:
        return
    own_class = bool(config.lr_scheduler_type.strip())
    if config.lr_scheduler == "adafactor" and not own_class:
        raise ProblemError(
            "bad_schedule",
            "LR Scheduler is adafactor, which is for the optimizer Adafactor while it sets its own rate.",
            "Choose another scheduler, or the optimizer Adafactor without relative_step=False.",
        )
    choice = choose_schedule(config)
    if not is_installed(choice.module):
        top = choice.module.partition(".")[0]
        raise ProblemError(
            "package_missing",
            f"LR Scheduler type {config.lr_scheduler_type} needs the Python package {top}, "
            "which is not installed.",
            "Install it, or choose another scheduler.",
        )
    signature = signature_of(choice.module, choice.name)
    if signature is not None:
        ours = {"optimizer", "last_epoch"}
        if not own_class:
            ours |= settings(config, 1).keys() | {"num_training_steps"}
        check_arguments(_LABEL, choice.arguments, signature, ours)
    if config.lr_scheduler == "piecewise_constant" and not own_class:
        _require_rules(choice.arguments["step_rules"])


def schedule_warnings(config: TrainConfig, *, averages: bool, sets_rate: bool) -> Iterator[Problem]:
    """A schedule or a warm-up that is not used."""
    kind = config.lr_scheduler_type.strip() or config.lr_scheduler
    if sets_rate:
        if kind != "adafactor":
            yield Problem(
                code="schedule_ignored",
                message=f"LR Scheduler is {kind}, but {config.optimizer} has a schedule of its own.",
                hint="Choose adafactor.",
            )
        return
    if averages and kind != "constant":
        yield Problem(
            code="schedule_ignored",
            message=f"LR Scheduler is {kind}, but {config.optimizer} needs none: the rate stays as it is.",
            hint="Choose constant.",
        )
    warmup = f"{config.lr_warmup_steps} steps" if config.lr_warmup_steps else f"{config.lr_warmup} %"
    asked = config.lr_warmup_steps > 0 or config.lr_warmup > 0
    if asked and averages:
        yield Problem(
            code="warmup_ignored",
            message=f"LR warmup is {warmup}, but {config.optimizer} has a warm-up of its own.",
            hint="Set LR warmup to 0, and write warmup_steps=100 in Optimizer extra arguments "
            "where the optimizer knows that.",
        )
    elif asked and (config.lr_scheduler_type.strip() or kind in _WITHOUT_WARMUP):
        yield Problem(
            code="warmup_ignored",
            message=f"LR warmup is {warmup}, but the {kind} scheduler has none.",
            hint="Choose constant_with_warmup, or set LR warmup to 0.",
        )


def _require_rules(rules: object) -> None:
    """`1:10,0.1:20,0.01`: the rate times 1 until step 10, times 0.1 until step 20, then times 0.01."""
    match = re.fullmatch(rf"({_NUMBER}:\d+,)*{_NUMBER}", rules) if isinstance(rules, str) else None
    steps = [int(step) for step in re.findall(r":(\d+),", match[0])] if match else []
    if match is None or any(before >= after for before, after in pairwise([0, *steps])):
        raise ProblemError(
            "bad_schedule",
            f"{_LABEL} has step_rules={rules!r}, which piecewise_constant cannot read.",
            "Write step_rules='1:10,0.1:20,0.01' for the rate times 1 until step 10, "
            "times 0.1 until step 20, and times 0.01 from there.",
        )


def _unknown(name: str, why: str) -> ProblemError:
    return ProblemError(
        "bad_schedule",
        f"LR Scheduler type is {name}, which cannot be used. {why}",
        "Write a class of torch.optim.lr_scheduler, such as CosineAnnealingLR, or module.path.Class.",
    )
