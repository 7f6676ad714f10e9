"""The judge of the mutants: only a test that says no counts, and only where it said yes before."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import mutants
import pytest
from mutant_list import Mutant
from mutants import BRIDGE, MutantsError, run_mutants

MUTANT = Mutant(
    "no-square", "The error is not squared.", "loss.py", "mse_loss", "l1_loss", ("tests/test_a.py::test_b",)
)
PASSED = ""


def outcome(tag: str, message: str) -> str:
    return f'<{tag} message="{message}">details</{tag}>'


def answer(monkeypatch: pytest.MonkeyPatch, sound: str, faulty: str) -> list[str]:
    """Let pytest report an outcome on the code as it is and another on a fault; what it ran on is kept."""
    sources: list[str] = []

    def run(command: list[str], *, cwd: Path, **_options: Any) -> SimpleNamespace:
        source = (cwd / "lora_bridge" / "loss.py").read_text(encoding="utf-8")
        sources.append(source)
        found = faulty if "l1_loss" in source else sound
        (report,) = (option.partition("=")[2] for option in command if option.startswith("--junitxml"))
        case = f'<testcase classname="tests.test_a" name="test_b">{found}</testcase>'
        Path(report).write_text(f"<testsuites><testsuite>{case}</testsuite></testsuites>", encoding="utf-8")
        return SimpleNamespace(returncode=1 if found else 0, stdout="", stderr="")

    monkeypatch.setattr(mutants.subprocess, "run", run)
    return sources


def test_a_test_that_says_no_catches_a_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    original = (BRIDGE / "lora_bridge" / "loss.py").read_text(encoding="utf-8")
    for message in ("assert 1 == 2", "AssertionError: Tensor-likes are not close!", "Failed: DID NOT RAISE"):
        sources = answer(monkeypatch, PASSED, outcome("failure", message))
        (result,) = run_mutants([MUTANT])
        assert (result.caught_by, result.flaw) == ("tests/test_a.py::test_b", "")
        assert sources == [original, original.replace("mse_loss", "l1_loss")]
    assert (BRIDGE / "lora_bridge" / "loss.py").read_text(encoding="utf-8") == original


@pytest.mark.parametrize(
    ("found", "flaw"),
    [
        (PASSED, "SURVIVED"),
        (outcome("failure", "NameError: name 'x' is not defined"), "INVALID"),
        (outcome("failure", "RuntimeError: sizes"), "INVALID"),
        (outcome("error", "AssertionError in a fixture"), "INVALID"),
        (outcome("skipped", "assert "), "INVALID"),
    ],
)
def test_anything_else_catches_nothing(monkeypatch: pytest.MonkeyPatch, found: str, flaw: str) -> None:
    answer(monkeypatch, PASSED, found)
    (result,) = run_mutants([MUTANT])
    assert result.caught_by is None
    assert result.flaw.startswith(flaw)


def test_a_fault_that_no_test_can_be_run_with_catches_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(_command: list[str], *, cwd: Path, **_options: Any) -> SimpleNamespace:
        faulty = "l1_loss" in (cwd / "lora_bridge" / "loss.py").read_text(encoding="utf-8")
        return SimpleNamespace(returncode=4 if faulty else 0, stdout="", stderr="SyntaxError")

    monkeypatch.setattr(mutants.subprocess, "run", run)
    (result,) = run_mutants([MUTANT])
    assert result.caught_by is None
    assert "SyntaxError" in result.flaw


@pytest.mark.parametrize("found", [outcome("failure", "assert 1 == 2"), outcome("skipped", "no GPU")])
def test_tests_that_do_not_pass_without_a_fault_prove_nothing(
    monkeypatch: pytest.MonkeyPatch, found: str
) -> None:
    sources = answer(monkeypatch, found, outcome("failure", "assert 1 == 2"))
    with pytest.raises(MutantsError, match="without any fault"):
        run_mutants([MUTANT])
    assert len(sources) == 1
