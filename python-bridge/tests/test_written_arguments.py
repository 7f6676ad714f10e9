"""Arguments as they are written in the form."""

from __future__ import annotations

from typing import Any

import pytest

from lora_bridge.problems import ProblemError
from lora_bridge.written_arguments import parse_arguments


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", {}),
        ("  ", {}),
        ("weight_decay=0.1 betas=0.9,0.99 decouple=True", [0.1, (0.9, 0.99), True]),
        ("weight_decay=0  eps=1e-8\nfoo=None", [0, 1e-8, None]),
        ("betas=(0.9, 0.99) rules='a b, c'", [(0.9, 0.99), "a b, c"]),
        ("a = -1 b=[1, 2]", [-1, [1, 2]]),
    ],
)
def test_arguments_are_pythons_values(text: str, expected: Any) -> None:
    assert list(parse_arguments("Field", text).values()) == list(expected)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("weight_decay", "“weight_decay”, which is not of the form key=value"),
        ("0.1 a=2", "“0.1”"),
        ("a=", "“a=”"),
        ("a=0.1, b=2", "“a=0.1,”"),
        ("decouple=true", "“decouple=true”"),
        ("a=__import__('os')", "is not a value"),
        ("a=1 a=2", "a twice"),
        ("=1", "“=1”"),
        ("a=1 2", "“a=1 2”"),
    ],
)
def test_what_is_no_argument_is_refused_by_the_field_and_the_pair(text: str, word: str) -> None:
    with pytest.raises(ProblemError) as raised:
        parse_arguments("Optimizer extra arguments", text)
    assert raised.value.problem.code == "bad_argument"
    assert raised.value.problem.message.startswith("Optimizer extra arguments has ")
    assert word in raised.value.problem.message
