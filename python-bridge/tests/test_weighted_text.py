"""A1111's weights of words, taken apart as its own documentation says."""

from __future__ import annotations

import math
import random
from itertools import pairwise

import pytest

from lora_bridge.weighted_text import HEAVIEST, weigh


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("normal text", [("normal text", 1.0)]),
        ("an (important) word", [("an ", 1.0), ("important", 1.1), (" word", 1.0)]),
        ("(unbalanced", [("unbalanced", 1.1)]),
        ("[unbalanced", [("unbalanced", 1 / 1.1)]),
        (r"\(literal\]", [("(literal]", 1.0)]),
        ("(unnecessary)(parens)", [("unnecessaryparens", 1.1)]),
        (
            "a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
            [
                ("a ", 1.0),
                ("house", 1.3 * 1.1 * 1.1),
                (" ", 1.1),
                ("on", 1.0),
                (" a ", 1.1),
                ("hill", 0.55),
                (", sun, ", 1.1),
                ("sky", 1.1**4),
                (".", 1.1),
            ],
        ),
        (r"a \\ (b\) c:2)", [("a \\ ", 1.0), ("b) c", 2.0)]),
        (
            "(a: 1.5 ) (b:+2) (c:.5) (d:-1)",
            [("a", 1.5), (" ", 1), ("b", 2), (" ", 1), ("c", 0.5), (" ", 1), ("d", -1)],
        ),
        ("time 12:30, x:2)", [("time 12:30, x:2)", 1.0)]),
        ("plain ) and ]", [("plain ) and ]", 1.0)]),
        ("(a:1.2.3)", [("a:1.2.3", 1.1)]),
        ("(a:nan) (b:) (c:1e5)", [("a:nan", 1.1), (" ", 1.0), ("b:", 1.1), (" ", 1.0), ("c:1e5", 1.1)]),
        ("[a:0.5]", [("a:0.5", 1 / 1.1)]),
        ("two\n(lines:2)", [("two\n", 1.0), ("lines", 2.0)]),
        ("(😀:3)", [("😀", 3.0)]),
        ("(a:0)", [("a", 0.0)]),
        ("", []),
        ("([])", []),
    ],
)
def test_brackets_are_weights(text: str, pieces: list[tuple[str, float]]) -> None:
    found = weigh(text)
    assert [piece.text for piece in found] == [piece for piece, _ in pieces]
    assert [piece.weight for piece in found] == pytest.approx([weight for _, weight in pieces])


@pytest.mark.parametrize(
    ("text", "weight"),
    [
        ("(" * 10_000 + "a", HEAVIEST),
        ("[" * 10_000 + "a", 0.0),
        ("(a:99999999999)", HEAVIEST),
        ("(a:-99)", -HEAVIEST),
        ("((" + "(" * 10_000 + "a" + ")" * 10_000 + ":0) b)", 0.0),
    ],
)
def test_no_weight_grows_without_end(text: str, weight: float) -> None:
    first = weigh(text)[0]
    assert (first.text, first.weight) == ("a", pytest.approx(weight, abs=1e-9))


def test_any_text_has_weights_that_are_numbers() -> None:
    chance = random.Random(3)
    parts = ["(", ")", "[", "]", ":", "\\", "1.2", "-", ".", "word ", "\n", "😀", "ע", " "]
    for _ in range(2000):
        text = "".join(chance.choices(parts, k=chance.randrange(80)))
        pieces = weigh(text)
        assert all(math.isfinite(piece.weight) and abs(piece.weight) <= HEAVIEST for piece in pieces)
        assert all(one.weight != other.weight for one, other in pairwise(pieces))
        words = text.count("word")
        assert sum(piece.text.count("word") for piece in pieces) == words
