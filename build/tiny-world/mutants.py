"""Plants deliberate faults in copies of the bridge and shows that its tests catch each.

python build/tiny-world/mutants.py [--only NAME]

Takes under four minutes on two cores. Exits with 1 when a fault goes unnoticed.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from xml.etree import ElementTree

from mutant_list import MUTANTS, Mutant

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_HERE = Path(__file__).resolve().parent
_ROOT = _HERE.parents[1]
BRIDGE = _ROOT / "python-bridge"
_WORKERS = 2
_LIMIT_SECONDS = 300
_ASSERTIONS = ("assert ", "AssertionError", "Failed: ")
"""How junit's messages begin where a test itself says no."""


class MutantResult(NamedTuple):
    """What became of a mutant."""

    name: str
    what: str
    caught_by: str | None
    """pytest's id of the test that failed; None where none did, or for no reason that counts."""
    seconds: float
    flaw: str
    """Why it counts as not caught; empty where it was."""


class MutantsError(Exception):
    """The mutants cannot be judged: the list is out of date, or the tests fail without any fault."""


class _Failure(NamedTuple):
    test: str
    reason: str
    is_assertion: bool


def run_mutants(
    mutants: Sequence[Mutant] = MUTANTS, tell: Callable[[MutantResult], None] = lambda _result: None
) -> list[MutantResult]:
    """Judge each mutant by its tests, after these have passed on the code as it is.

    `tell` hears of each result in order. Raises MutantsError where the list does not fit the code, or where
    that code fails.
    """
    for mutant in mutants:
        mutated(mutant, BRIDGE / "lora_bridge")
    tests = list(dict.fromkeys(test for mutant in mutants for test in mutant.tests))
    results: list[MutantResult] = []
    with ThreadPoolExecutor(_WORKERS) as workers:
        for found in workers.map(_without_a_fault, (tests[::2], tests[1::2])):
            if found is not None:
                raise MutantsError(f"{found.test} fails without any fault: {found.reason}")
        for result in workers.map(_judge, mutants):
            results.append(result)
            tell(result)
    return results


def mutated(mutant: Mutant, package: Path) -> str:
    """The source of a mutant's file in `package` with its fault.

    Raises MutantsError where the text to change is not there exactly once.
    """
    source = (package / mutant.file).read_text(encoding="utf-8")
    count = source.count(mutant.text)
    if count != 1:
        raise MutantsError(
            f"The mutant {mutant.name} changes “{mutant.text}”, which is {count} times in {mutant.file}. "
            "Bring mutant_list.py up to date."
        )
    return source.replace(mutant.text, mutant.replacement)


def _judge(mutant: Mutant) -> MutantResult:
    started = time.monotonic()
    found = _first_failure(mutant.tests, mutant)
    seconds = time.monotonic() - started
    if found is None:
        return MutantResult(mutant.name, mutant.what, None, seconds, "SURVIVED")
    if not found.is_assertion:
        flaw = f"INVALID: {found.test} broke off instead of failing: {found.reason}"
        return MutantResult(mutant.name, mutant.what, None, seconds, flaw)
    return MutantResult(mutant.name, mutant.what, found.test, seconds, "")


def _without_a_fault(tests: Sequence[str]) -> _Failure | None:
    return _first_failure(tests, None) if tests else None


def _first_failure(tests: Sequence[str], mutant: Mutant | None) -> _Failure | None:
    """Run tests in order in a copy of the bridge, up to the first that does not pass."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as temporary:
        folder = Path(temporary)
        bridge = folder / BRIDGE.name
        ignored = shutil.ignore_patterns("__pycache__", ".*")
        shutil.copytree(BRIDGE, bridge, ignore=ignored)
        if mutant is not None:
            source = mutated(mutant, bridge / "lora_bridge")
            (bridge / "lora_bridge" / mutant.file).write_text(source, encoding="utf-8", newline="\n")
        return _run_tests(tests, bridge, folder)


def _run_tests(tests: Sequence[str], bridge: Path, folder: Path) -> _Failure | None:
    report = folder / "report.xml"
    options = [f"--junitxml={report}", f"--basetemp={folder / 'pytest'}", "-p", "no:cacheprovider"]
    environment = {
        "ATELIER_DATA_DIR": str(_ROOT / ".atelier"),
        **os.environ,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(str(folder) for folder in (_HERE.parent, _HERE)),
    }
    try:
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-x", "-q", *options, *tests],
            cwd=bridge,
            env=environment,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_LIMIT_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return _Failure(tests[0], f"no end after {_LIMIT_SECONDS} seconds", is_assertion=False)
    if report.exists():
        for case in ElementTree.parse(report).iter("testcase"):
            for outcome in case:
                if outcome.tag in ("failure", "error", "skipped"):
                    return _failure(case, outcome)
    if done.returncode != 0:
        said = (done.stdout + done.stderr).strip()
        return _Failure(tests[0], f"pytest did not run it:\n{said}", is_assertion=False)
    return None


def _failure(case: ElementTree.Element, outcome: ElementTree.Element) -> _Failure:
    file, name = case.get("classname", "").replace(".", "/"), case.get("name", "")
    message = outcome.get("message", "")
    is_assertion = outcome.tag == "failure" and message.startswith(_ASSERTIONS)
    # A file that cannot be imported is a case without a class.
    test = f"{file}.py::{name}" if file else name
    return _Failure(test, message.partition("\n")[0], is_assertion)


def _main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", choices=[mutant.name for mutant in MUTANTS], metavar="NAME")
    only = parser.parse_args().only
    mutants = [mutant for mutant in MUTANTS if only in (None, mutant.name)]
    started = time.monotonic()
    try:
        results = run_mutants(mutants, _print)
    except MutantsError as error:
        print(error, file=sys.stderr)
        return 1
    caught = sum(result.caught_by is not None for result in results)
    print(f"{caught} of {len(results)} faults caught in {time.monotonic() - started:.0f} s")
    return 0 if caught == len(results) else 1


def _print(result: MutantResult) -> None:
    print(f"{result.name:27}{result.seconds:5.1f} s  {result.what}")
    print(f"{'':36}{result.caught_by or result.flaw}", flush=True)


if __name__ == "__main__":
    sys.exit(_main())
