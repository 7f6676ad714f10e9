"""What is said of an optimizer and a schedule before anything is loaded."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from training_support import make_config

from lora_bridge import class_source
from lora_bridge.class_source import signature_of
from lora_bridge.optimizer_choice import (
    PACKAGES,
    choose_optimizer,
    optimizer_warnings,
    part_rates,
    require_optimizer,
)
from lora_bridge.problems import ProblemError

BRIDGE = Path(__file__).parents[1]


def listed_optimizers() -> list[str]:
    """Those that the table of parameters offers."""
    table = (BRIDGE.parent / "shared" / "parameters" / "optimizer.ts").read_text(encoding="utf-8")
    match = re.search(r"optimizer: openChoice.*?options: \[(.*?)\]", table, re.DOTALL)
    assert match is not None
    return re.findall(r"'([^']+)'", match[1])


def problem_of(project: Path, **changes: Any) -> tuple[str, str]:
    """The code and all the words of what the config is refused for."""
    with pytest.raises(ProblemError) as raised:
        require_optimizer(make_config(project, **changes))
    problem = raised.value.problem
    return problem.code, f"{problem.message} {problem.hint}"


def warnings_of(project: Path, **changes: Any) -> dict[str, str]:
    config = make_config(project, **changes)
    require_optimizer(config)
    return {problem.code: problem.message for problem in optimizer_warnings(config)}


def test_every_optimizer_of_the_list_is_there(tmp_path: Path) -> None:
    names = listed_optimizers()
    assert len(names) > 20
    for name in names:
        config = make_config(tmp_path, optimizer=name)
        require_optimizer(config)
        choice = choose_optimizer(config)
        signature = signature_of(choice.module, choice.name)
        assert signature is not None, name
        assert signature.name == choice.name


def test_nothing_is_loaded_to_find_out() -> None:
    code = (
        "import sys; sys.path[:0] = ['tests', '../build']\n"
        "from default_config import default_config\n"
        "from lora_bridge.protocol_types import TrainConfig\n"
        "from lora_bridge.optimizer_choice import optimizer_warnings, require_optimizer\n"
        "for name in sys.argv[1:]:\n"
        "    config = TrainConfig(**{**default_config(), 'optimizer': name})\n"
        "    require_optimizer(config); list(optimizer_warnings(config))\n"
        "print(' '.join(sys.modules))"
    )
    command = [sys.executable, "-c", code, *listed_optimizers(), "torch.optim.NAdam"]
    loaded = subprocess.run(command, cwd=BRIDGE, capture_output=True, text=True, check=True).stdout.split()
    assert "lora_bridge.class_source" in loaded
    assert not {"torch", "transformers", "diffusers", "numpy", *PACKAGES} & {*loaded}


def test_packages_are_those_of_the_requirements() -> None:
    required = (BRIDGE / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert {*PACKAGES.values()} <= {*required}


def test_a_package_that_is_missing_is_named_with_the_command_that_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nothing(_name: str) -> None:
        return None

    monkeypatch.setattr(class_source, "find_spec", nothing)
    code, words = problem_of(tmp_path, optimizer="Prodigy", learning_rate=1.0)
    assert code == "package_missing"
    assert "Optimizer Prodigy needs the Python package prodigyopt" in words
    assert f'"{sys.executable}" -m pip install prodigyopt==1.1.2' in words


def test_an_unknown_package_is_missing(tmp_path: Path) -> None:
    code, words = problem_of(tmp_path, optimizer="no_such_package.optim.Fast")
    assert code == "package_missing"
    assert f'"{sys.executable}" -m pip install no_such_package' in words
    code, words = problem_of(tmp_path, lr_scheduler_type="no_such_package.Slow")
    assert code == "package_missing"
    assert "LR Scheduler type no_such_package.Slow needs the Python package no_such_package" in words


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("NoSuchOptimizer", "torch.optim has no NoSuchOptimizer"),
        ("LBFGS", "computes the loss several times"),
        ("torch.optim.SparseAdam", "sparse gradients"),
        ("../evil", "no name of a class"),
        ("a..b", "no name of a class"),
    ],
)
def test_an_unknown_optimizer_is_refused(name: str, word: str, tmp_path: Path) -> None:
    code, words = problem_of(tmp_path, optimizer=name)
    assert code == "unknown_optimizer"
    assert word in words


def test_an_argument_that_the_optimizer_does_not_know_is_refused(tmp_path: Path) -> None:
    code, words = problem_of(tmp_path, optimizer="Prodigy", optimizer_args="d_ceof=2", learning_rate=1.0)
    assert code == "unknown_argument"
    assert "d_ceof, which Prodigy does not know" in words
    assert "d_coef" in words
    for name, argument in (("AdamW", "lr=1"), ("SGDNesterov", "nesterov=False")):
        code, words = problem_of(tmp_path, optimizer=name, optimizer_args=argument)
        assert code == "unknown_argument"
        assert "other fields decide" in words
    # It takes whatever it is given.
    require_optimizer(make_config(tmp_path, optimizer="pytorch_optimizer.CAME", optimizer_args="any=1"))


@pytest.mark.parametrize(
    ("code", "word", "changes"),
    [
        ("bad_schedule", "torch.optim.lr_scheduler has no Slow", {"lr_scheduler_type": "Slow"}),
        ("bad_schedule", "loss", {"lr_scheduler_type": "ReduceLROnPlateau"}),
        ("bad_schedule", "no name of a class", {"lr_scheduler_type": "a b"}),
        ("missing_argument", "CosineAnnealingLR needs T_max", {"lr_scheduler_type": "cosineannealinglr"}),
        (
            "unknown_argument",
            "StepLR does not know",
            {"lr_scheduler_type": "StepLR", "lr_scheduler_args": "step_size=2 gama=0.5"},
        ),
        ("missing_argument", "step_rules", {"lr_scheduler": "piecewise_constant"}),
        (
            "bad_schedule",
            "step_rules='1:20,0.5:10,2'",
            {"lr_scheduler": "piecewise_constant", "lr_scheduler_args": "step_rules='1:20,0.5:10,2'"},
        ),
        (
            "bad_schedule",
            "piecewise_constant cannot read",
            {"lr_scheduler": "piecewise_constant", "lr_scheduler_args": "step_rules='one:10,2'"},
        ),
        (
            "bad_schedule",
            "piecewise_constant cannot read",
            {"lr_scheduler": "piecewise_constant", "lr_scheduler_args": "step_rules=10"},
        ),
        ("bad_schedule", "optimizer Adafactor", {"lr_scheduler": "adafactor"}),
        (
            "bad_schedule",
            "optimizer Adafactor",
            {"lr_scheduler": "adafactor", "optimizer": "Adafactor", "optimizer_args": "relative_step=False"},
        ),
        (
            "unknown_argument",
            "num_training_steps, which other fields decide",
            {"lr_scheduler": "cosine", "lr_scheduler_args": "num_training_steps=3"},
        ),
        ("bad_argument", "LR scheduler extra arguments has", {"lr_scheduler_args": "x"}),
    ],
)
def test_a_schedule_that_cannot_be_had_is_refused(
    code: str, word: str, changes: dict[str, Any], tmp_path: Path
) -> None:
    said = problem_of(tmp_path, **changes)
    assert said[0] == code
    assert word in said[1]


def test_each_part_has_its_rate(tmp_path: Path) -> None:
    def rates(**changes: Any) -> dict[Any, float]:
        return dict(part_rates(make_config(tmp_path, learning_rate=1e-3, **changes)))

    assert rates() == {"unet": 1e-3}
    assert rates(unet_lr=5e-4) == {"unet": 5e-4}
    assert rates(text_encoder_lr=1e-5) == {"unet": 1e-3, "text_encoder_1": 1e-5, "text_encoder_2": 1e-5}
    assert rates(text_encoder_lr=1e-5, text_encoder2_lr=0.0) == {"unet": 1e-3, "text_encoder_1": 1e-5}
    assert rates(unet_lr=0.0, text_encoder2_lr=1e-5) == {"text_encoder_2": 1e-5}


def test_a_training_without_a_rate_is_refused(tmp_path: Path) -> None:
    code, words = problem_of(tmp_path, unet_lr=0.0)
    assert code == "nothing_learned"
    assert "Learning rate" in words
    assert problem_of(tmp_path, learning_rate=0.0)[0] == "nothing_learned"


@pytest.mark.parametrize(
    ("expected", "changes"),
    [
        ("", {}),
        ("", {"optimizer": "Prodigy", "learning_rate": 1.0}),
        ("rate_too_low", {"optimizer": "prodigy", "learning_rate": 0.1}),
        ("rate_too_low", {"optimizer": "DAdaptation", "learning_rate": 1.0, "unet_lr": 1e-4}),
        ("rate_too_low", {"optimizer": "prodigyplus.ProdigyPlusScheduleFree"}),
        ("one_rate_for_all", {"optimizer": "Prodigy", "unet_lr": 1.0, "text_encoder_lr": 0.5}),
        ("", {"optimizer": "Prodigy", "unet_lr": 1.0, "text_encoder_lr": 1.0}),
        (
            "rate_ignored clipped_twice schedule_ignored",
            {"optimizer": "Adafactor", "lr_scheduler": "cosine", "max_grad_norm": 1.0},
        ),
        (
            "rate_ignored",
            {"optimizer": "Adafactor", "lr_scheduler": "adafactor", "max_grad_norm": 0.0},
        ),
        (
            "",
            {"optimizer": "Adafactor", "optimizer_args": "relative_step=False", "max_grad_norm": 0.0},
        ),
        (
            "rate_ignored schedule_ignored",
            {
                "optimizer": "Adafactor",
                "optimizer_args": "relative_step=False warmup_init=True",
                "max_grad_norm": 0.0,
            },
        ),
        ("schedule_ignored", {"optimizer": "AdamWScheduleFree", "lr_scheduler": "cosine"}),
        ("warmup_ignored", {"optimizer": "AdamWScheduleFree", "lr_warmup": 5}),
        ("warmup_ignored", {"lr_warmup": 5}),
        (
            "warmup_ignored",
            {
                "lr_scheduler": "cosine",
                "lr_scheduler_type": "StepLR",
                "lr_scheduler_args": "step_size=5",
                "lr_warmup_steps": 5,
            },
        ),
        ("", {"lr_scheduler": "cosine", "lr_warmup_steps": 5}),
    ],
)
def test_what_is_odd_is_said(expected: str, changes: dict[str, Any], tmp_path: Path) -> None:
    assert set(warnings_of(tmp_path, **changes)) == {*expected.split()}


def test_a_warmup_that_is_not_used_is_told_as_it_was_asked_for(tmp_path: Path) -> None:
    assert "LR warmup is 5 %" in warnings_of(tmp_path, lr_warmup=5)["warmup_ignored"]
    assert "LR warmup is 9 steps" in warnings_of(tmp_path, lr_warmup=5, lr_warmup_steps=9)["warmup_ignored"]


def test_labels_are_those_of_the_form() -> None:
    """The sentences name fields as the form does."""
    table = (BRIDGE.parent / "shared" / "parameters" / "optimizer.ts").read_text(encoding="utf-8")
    modules = ("optimizer_choice.py", "schedule_choice.py")
    sources = "".join((BRIDGE / "lora_bridge" / name).read_text(encoding="utf-8") for name in modules)
    labels = (
        "Optimizer extra arguments",
        "LR scheduler extra arguments",
        "LR Scheduler type",
        "Max grad norm",
    )
    for label in labels:
        assert f"label: '{label}'" in table
        assert label in sources
