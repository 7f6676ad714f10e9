"""The list of deliberate faults fits the code that they are planted in."""

from __future__ import annotations

import re

import pytest
from mutant_list import MUTANTS, Mutant
from mutants import BRIDGE, MutantsError, mutated


def test_every_mutant_has_a_name_of_its_own() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS) >= 10


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_one_place_and_is_python(mutant: Mutant) -> None:
    source = mutated(mutant, BRIDGE / "lora_bridge")
    assert source != (BRIDGE / "lora_bridge" / mutant.file).read_text(encoding="utf-8")
    compile(source, mutant.file, "exec")


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_the_tests_that_should_catch_a_mutant_are_there(mutant: Mutant) -> None:
    assert mutant.tests
    for test in mutant.tests:
        file, _, name = test.partition("::")
        assert re.search(rf"^def {name}\(", (BRIDGE / file).read_text(encoding="utf-8"), re.MULTILINE)


@pytest.mark.parametrize("text", ["no such line", "return"])
def test_a_text_that_is_not_there_exactly_once_is_refused(text: str) -> None:
    with pytest.raises(MutantsError, match=r"loss\.py"):
        mutated(Mutant("x", "Does nothing.", "loss.py", text, "pass", ()), BRIDGE / "lora_bridge")
