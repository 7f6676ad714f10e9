"""Names and numbers in sentences for a person."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

_NAMES_SHOWN = 5
_MEBIBYTE = 1 << 20


def listed(names: Sequence[str]) -> str:
    """`a, b and 3 more`."""
    shown = ", ".join(names[:_NAMES_SHOWN])
    text = shown if len(names) <= _NAMES_SHOWN else f"{shown} and {len(names) - _NAMES_SHOWN} more"
    return readable(text)


def pictures(number: int) -> str:
    """`1 picture`, `2 pictures`."""
    return "1 picture" if number == 1 else f"{number} pictures"


def mebibytes(size: int) -> str:
    """To one digit while that is needed to tell it from nothing."""
    return f"{size / _MEBIBYTE:,.1f} MiB" if size < 10 * _MEBIBYTE else f"{size / _MEBIBYTE:,.0f} MiB"


def readable(name: str) -> str:
    """A file's name as text: the bytes of one that is not UTF-8 are spelled out."""
    return name.encode("utf-8", "backslashreplace").decode("utf-8")


def is_text(name: str) -> bool:
    """Whether a file's name is text, which can be told to anybody."""
    return readable(name) == name
