"""A1111's syntax for the weight of words: `(word:1.2)`, `(word)`, `[word]`, and `\\(` for a plain bracket."""

from __future__ import annotations

import re
from typing import NamedTuple

import numpy as np

_ROUND = 1.1
_SQUARE = 1 / 1.1
HEAVIEST = 10.0
"""No weight is further from 0: brackets in brackets multiply, and a hundred of them would be no number."""
_PART = re.compile(
    r"\\[()\[\]\\]?"  # an escaped character
    r"|:\s*([+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+))\s*\)"  # the end of a bracket that says its weight
    r"|[()\[\]:]|[^\\()\[\]:]+"
)


class WeightedPiece(NamedTuple):
    """A stretch of text whose words weigh the same."""

    text: str
    weight: float


class _Span(NamedTuple):
    """A bracket, by the pieces that are in it."""

    start: int
    end: int
    weight: float


def weigh(text: str) -> list[WeightedPiece]:
    """Take a caption apart, brackets removed; neighbours of one weight are one piece.

    A bracket multiplies the weight of all that is in it: `( )` by 1.1 or what it says, `[ ]` by 1 / 1.1. One
    that is not closed reaches to the end, one that was not opened is text. Weights stay within ±HEAVIEST.
    """
    pieces, spans = _parse(text)
    weights = np.ones(len(pieces))
    for span in spans:
        inside = weights[span.start : span.end]
        np.clip(inside * span.weight, -HEAVIEST, HEAVIEST, out=inside)
    merged: list[WeightedPiece] = []
    for piece, weight in zip(pieces, weights.tolist(), strict=True):
        if merged and merged[-1].weight == weight:
            merged[-1] = WeightedPiece(merged[-1].text + piece, weight)
        else:
            merged.append(WeightedPiece(piece, weight))
    return merged


def _parse(text: str) -> tuple[list[str], list[_Span]]:
    pieces: list[str] = []
    spans: list[_Span] = []
    opened: dict[str, list[int]] = {"(": [], "[": []}
    for match in _PART.finditer(text):
        part, weight = match[0], match[1]
        if part.startswith("\\"):
            pieces.append(part[1:])
        elif part in opened:
            opened[part].append(len(pieces))
        elif weight is not None and opened["("]:
            spans.append(_Span(opened["("].pop(), len(pieces), float(weight)))
        elif part == ")" and opened["("]:
            spans.append(_Span(opened["("].pop(), len(pieces), _ROUND))
        elif part == "]" and opened["["]:
            spans.append(_Span(opened["["].pop(), len(pieces), _SQUARE))
        else:
            pieces.append(part)
    spans += [_Span(start, len(pieces), _ROUND) for start in opened["("]]
    spans += [_Span(start, len(pieces), _SQUARE) for start in opened["["]]
    return pieces, spans
