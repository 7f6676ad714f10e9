"""Which optimizer a config asks for, and whether it is there. It is asked while typing: no torch."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Literal

from msgspec import Struct

from lora_bridge.class_source import is_installed, signature_of
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem
from lora_bridge.schedule_choice import require_schedule, schedule_warnings
from lora_bridge.written_arguments import check_arguments, parse_arguments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.protocol_types import TrainConfig

Family = Literal["plain", "own_rate", "schedule_free", "adafactor"]
"""How it handles the learning rate. `own_rate`: it finds one itself and multiplies it with the one given."""

_LABEL = "Optimizer extra arguments"
_GIVEN = frozenset({"params", "lr"})
_LOW_RATE = 0.1
_HIGH_OWN_RATE = 4.0
"""Above it an optimizer that finds its rate is driven past what it has found."""
_HIGH_RATE, _LOW_USUAL_RATE = 1e-3, 1e-6
_SIGN_STEPS = ("Lion", "PagedLion")
"""Whose steps have one length, so that they bear a third of the usual rates (Chen et al. 2023)."""

PACKAGES = {
    "bitsandbytes": "bitsandbytes==0.50.2",
    "dadaptation": "dadaptation==3.2",
    "lion_pytorch": "lion-pytorch==0.2.5",
    "prodigyopt": "prodigyopt==1.1.2",
    "prodigyplus": "prodigy-plus-schedule-free==2.0.1",
    "pytorch_optimizer": "pytorch_optimizer==4.1.0",
    "schedulefree": "schedulefree==1.4.1",
}
"""What pip is asked for, by the module's first name."""


class _Row(Struct, frozen=True):
    path: str
    """module.Class"""
    flat: bool = False
    """Every number is updated by one rule, so that all weights can be one parameter: one launch instead of
    thousands. Those that look at a matrix's shape, or at blocks of it, get the matrices."""
    family: Family = "plain"
    shown: dict[str, object] = {}
    """Defaults that the class does not have; the user's arguments go over them, and files tell them."""
    fixed: dict[str, object] = {}
    """What the name itself says."""


_NESTEROV: dict[str, Any] = {"shown": {"momentum": 0.9}, "fixed": {"nesterov": True}}
_ROWS = {
    "AdamW": _Row("torch.optim.AdamW", flat=True),
    "SGDNesterov": _Row("torch.optim.SGD", flat=True, **_NESTEROV),
    "Lion": _Row("lion_pytorch.Lion", flat=True),
    "AdamW8bit": _Row("bitsandbytes.optim.AdamW8bit"),
    "PagedAdamW": _Row("bitsandbytes.optim.PagedAdamW"),
    "PagedAdamW8bit": _Row("bitsandbytes.optim.PagedAdamW8bit"),
    "PagedAdamW32bit": _Row("bitsandbytes.optim.PagedAdamW32bit"),
    "Lion8bit": _Row("bitsandbytes.optim.Lion8bit"),
    "PagedLion8bit": _Row("bitsandbytes.optim.PagedLion8bit"),
    "SGDNesterov8bit": _Row("bitsandbytes.optim.SGD8bit", **_NESTEROV),
    "AdEMAMix8bit": _Row("bitsandbytes.optim.AdEMAMix8bit"),
    "PagedAdEMAMix8bit": _Row("bitsandbytes.optim.PagedAdEMAMix8bit"),
    "Adafactor": _Row(
        "transformers.optimization.Adafactor", family="adafactor", shown={"relative_step": True}
    ),
    "Prodigy": _Row("prodigyopt.Prodigy", flat=True, family="own_rate"),
    "DAdaptation": _Row("dadaptation.experimental.DAdaptAdamPreprint", flat=True, family="own_rate"),
    "DAdaptAdamPreprint": _Row("dadaptation.experimental.DAdaptAdamPreprint", flat=True, family="own_rate"),
    "DAdaptAdanIP": _Row("dadaptation.experimental.DAdaptAdanIP", flat=True, family="own_rate"),
    "DAdaptAdaGrad": _Row("dadaptation.DAdaptAdaGrad", flat=True, family="own_rate"),
    "DAdaptAdam": _Row("dadaptation.DAdaptAdam", flat=True, family="own_rate"),
    "DAdaptAdan": _Row("dadaptation.DAdaptAdan", flat=True, family="own_rate"),
    "DAdaptLion": _Row("dadaptation.DAdaptLion", flat=True, family="own_rate"),
    "DAdaptSGD": _Row("dadaptation.DAdaptSGD", flat=True, family="own_rate"),
    "AdamWScheduleFree": _Row("schedulefree.AdamWScheduleFree", flat=True, family="schedule_free"),
    "RAdamScheduleFree": _Row("schedulefree.RAdamScheduleFree", flat=True, family="schedule_free"),
    "SGDScheduleFree": _Row("schedulefree.SGDScheduleFree", flat=True, family="schedule_free"),
    "prodigyplus.ProdigyPlusScheduleFree": _Row(
        "prodigyplus.ProdigyPlusScheduleFree", family="schedule_free"
    ),
}
_BY_NAME = {name.lower(): row for name, row in _ROWS.items()} | {
    row.path.lower(): row for row in _ROWS.values() if not row.fixed
}
_FLAT_IN_TORCH = frozenset(
    "adadelta adagrad adam adamax adamw asgd nadam radam rmsprop rprop sgd".split()  # noqa: SIM905
)
_UNFIT_IN_TORCH = {
    "lbfgs": "computes the loss several times a step",
    "sparseadam": "takes sparse gradients only",
    "optimizer": "is only what the others build on",
}


class OptimizerChoice(Struct, frozen=True):
    """An optimizer and how it is called."""

    module: str
    name: str
    flat: bool
    family: Family
    arguments: dict[str, object]
    """As files tell them: the user's over the defaults of the name."""
    fixed: dict[str, object]

    @property
    def sets_rate(self) -> bool:
        """It takes no learning rate at all."""
        return self.family == "adafactor" and bool(self.arguments["relative_step"])

    @property
    def averages(self) -> bool:
        """It trains with other weights than those that are to be kept, and needs no schedule."""
        return self.family == "schedule_free" and self.arguments.get("use_schedulefree", True) is not False

    @property
    def one_rate(self) -> bool:
        """All parts have the first one's rate."""
        return self.family == "own_rate"


def part_rates(config: TrainConfig) -> dict[LoraPart, float]:
    """The learning rate of each part of SDXL that is trained; 0 leaves a part as it is.

    Raises ProblemError `nothing_learned` where that is all of them.
    """
    first = config.text_encoder_lr
    rates: dict[LoraPart, float] = {
        "unet": config.learning_rate if config.unet_lr is None else config.unet_lr,
        "text_encoder_1": first,
        "text_encoder_2": first if config.text_encoder2_lr is None else config.text_encoder2_lr,
    }
    trained: dict[LoraPart, float] = {part: rate for part, rate in rates.items() if rate > 0}
    if not trained:
        raise ProblemError(
            "nothing_learned",
            "All learning rates are 0, so nothing will be learned.",
            "Give Learning rate a number above 0; 0.0001 is usual.",
        )
    return trained


def choose_optimizer(config: TrainConfig) -> OptimizerChoice:
    """What the config asks for, with its arguments parsed. Raises ProblemError."""
    name = config.optimizer.strip()
    arguments = parse_arguments(_LABEL, config.optimizer_args)
    row = _BY_NAME.get(name.lower())
    if row is None:
        row = _named_row(name)
    arguments = {**row.shown, **arguments}
    if row.family == "adafactor" and arguments.get("warmup_init", False):
        arguments["relative_step"] = True
    module, _, class_name = row.path.rpartition(".")
    return OptimizerChoice(module, class_name, row.flat, row.family, arguments, row.fixed)


def require_optimizer(config: TrainConfig) -> None:
    """Raises ProblemError where the optimizer or the schedule cannot be had as the config asks for them."""
    part_rates(config)
    choice = choose_optimizer(config)
    top = choice.module.partition(".")[0]
    if not is_installed(top):
        raise ProblemError(
            "package_missing",
            f"Optimizer {config.optimizer} needs the Python package {_package(top)}, which is not installed.",
            f'Install it: "{sys.executable}" -m pip install {PACKAGES.get(top, top)}',
        )
    signature = signature_of(choice.module, choice.name)
    if signature is not None:
        check_arguments(_LABEL, choice.arguments, signature, {*_GIVEN, *choice.fixed})
    require_schedule(config, sets_rate=choice.sets_rate)


def optimizer_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What is odd about the rates, the optimizer and the schedule. Raises as `require_optimizer` does."""
    choice = choose_optimizer(config)
    rates = list(part_rates(config).values())
    finds_rate = choice.one_rate or choice.name == "ProdigyPlusScheduleFree"
    if finds_rate and rates[0] <= _LOW_RATE:
        yield Problem(
            code="rate_too_low",
            message=f"{config.optimizer} finds its learning rate itself and multiplies it by yours, "
            f"{rates[0]:g}.",
            hint="Set Learning rate to 1.",
        )
    if finds_rate and rates[0] > _HIGH_OWN_RATE:
        yield Problem(
            code="rate_too_high",
            message=f"{config.optimizer} finds its learning rate itself and multiplies it by yours, "
            f"{rates[0]:g}: it will overshoot.",
            hint="Set Learning rate to 1.",
        )
    if not finds_rate and not choice.sets_rate:
        yield from _unusual_rates(config, choice)
    if choice.one_rate and len(set(rates)) > 1:
        yield Problem(
            code="one_rate_for_all",
            message=f"{config.optimizer} has one learning rate for all parts: {rates[0]:g} is used, "
            "the others are not.",
            hint="Give all the same, or 0 to those that should stay as they are.",
        )
    if choice.sets_rate:
        yield Problem(
            code="rate_ignored",
            message="Adafactor sets its learning rate by itself, so yours are not used.",
            hint=f"For yours, write relative_step=False scale_parameter=False in {_LABEL}.",
        )
    if choice.family == "adafactor" and config.max_grad_norm > 0:
        yield Problem(
            code="clipped_twice",
            message="Adafactor limits its steps itself, and so does "
            f"Max grad norm ({config.max_grad_norm:g}).",
            hint="Set Max grad norm to 0.",
        )
    yield from schedule_warnings(config, averages=choice.averages, sets_rate=choice.sets_rate)


def _unusual_rates(config: TrainConfig, choice: OptimizerChoice) -> Iterator[Problem]:
    """Rates that destroy what the model knows, or teach it nothing."""
    steps_alike = choice.name.startswith(_SIGN_STEPS)
    highest = _HIGH_RATE / 3 if steps_alike else _HIGH_RATE
    if choice.name.lower().startswith("sgd"):
        return  # its steps are as long as the gradients, which differ from model to model
    rates = part_rates(config)
    too_high = sorted({rate for rate in rates.values() if rate > highest})
    if too_high:
        yield Problem(
            code="rate_too_high",
            message=f"A learning rate of {too_high[-1]:g} is more than {config.optimizer} usually bears "
            f"({highest:.1g}): the LoRA burns in within a few steps and the pictures fall apart.",
            hint="0.0001 to 0.0003 is usual. A rate of 1 is for optimizers that find it themselves, such as "
            "Prodigy.",
        )
    if max(rates.values()) < _LOW_USUAL_RATE:
        yield Problem(
            code="rate_too_low",
            message=f"With a learning rate of {max(rates.values()):g} the LoRA learns next to nothing.",
            hint="0.0001 to 0.0003 is usual.",
        )


def _named_row(name: str) -> _Row:
    """For a name that is not in the table: one of torch.optim, or module.path.Class."""
    parts = name.split(".")
    if not all(part.isidentifier() for part in parts):
        raise _unknown(name, "That is no name of a class.")
    module, class_name = ".".join(parts[:-1]) or "torch.optim", parts[-1]
    in_torch = module == "torch.optim"
    if in_torch and class_name.lower() in _UNFIT_IN_TORCH:
        raise _unknown(name, f"torch.optim.{class_name} {_UNFIT_IN_TORCH[class_name.lower()]}.")
    signature = signature_of(module, class_name)
    if signature is None and in_torch and is_installed("torch"):
        raise _unknown(name, f"torch.optim has no {class_name}.")
    spelled = class_name if signature is None else signature.name
    return _Row(f"{module}.{spelled}", flat=in_torch and spelled.lower() in _FLAT_IN_TORCH)


def _unknown(name: str, why: str) -> ProblemError:
    return ProblemError(
        "unknown_optimizer",
        f"Optimizer is {name}, which cannot be used. {why}",
        "Choose one of the list, a class of torch.optim, or write module.path.Class.",
    )


def _package(top: str) -> str:
    return PACKAGES.get(top, top).partition("==")[0]
