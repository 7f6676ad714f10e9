"""Arguments as Kohya writes them: `weight_decay=0.1 betas=0.9,0.99 decouple=True`."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Container

    from lora_bridge.class_source import Signature

_NEXT_PAIR = re.compile(r"\s+(?=[A-Za-z_]\w*\s*=)")
_PAIR = re.compile(r"(?P<key>[A-Za-z_]\w*)\s*=\s*(?P<value>.+)", re.DOTALL)


def parse_arguments(label: str, text: str) -> dict[str, object]:
    """The pairs in the field that is labelled `label`; values are Python literals.

    Raises ProblemError `bad_argument`, which names the field and the pair.
    """
    arguments: dict[str, object] = {}
    for pair in _NEXT_PAIR.split(text.strip()) if text.strip() else []:
        match = _PAIR.fullmatch(pair)
        if match is None:
            raise ProblemError(
                "bad_argument",
                f"{label} has “{pair}”, which is not of the form key=value.",
                "Write key=value, with blanks between the pairs, such as weight_decay=0.1 betas=0.9,0.99.",
            )
        key, value = match["key"], match["value"].strip()
        if key in arguments:
            raise ProblemError("bad_argument", f"{label} has {key} twice.", "Leave one of them out.")
        arguments[key] = _literal(label, key, value)
    return arguments


def check_arguments(
    label: str, arguments: dict[str, object], signature: Signature, ours: Container[str]
) -> None:
    """Raises ProblemError `unknown_argument` or `missing_argument`; `ours` are given by other fields."""
    known = [name for name in signature.parameters if name not in ours]
    for name in arguments:
        if name in ours:
            raise ProblemError(
                "unknown_argument",
                f"{label} has {name}, which other fields decide.",
                "Leave it out.",
            )
        if name not in known and not signature.takes_any:
            raise ProblemError(
                "unknown_argument",
                f"{label} has {name}, which {signature.name} does not know.",
                f"It knows {', '.join(known)}." if known else "It takes none.",
            )
    missing = [name for name in known if name in signature.required and name not in arguments]
    if missing:
        raise ProblemError(
            "missing_argument",
            f"{signature.name} needs {' and '.join(missing)}, which {label} does not have.",
            f"Write {' '.join(f'{name}=…' for name in missing)} there.",
        )


def _literal(label: str, key: str, value: str) -> object:
    try:
        # A comma at the end would make a tuple of one: "a=1, b=2" is no tuple but a slip.
        if not value.endswith(","):
            return ast.literal_eval(value)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        pass
    raise ProblemError(
        "bad_argument",
        f"{label} has “{key}={value}”, and {value} is not a value.",
        "Values are numbers such as 0.1 or 1e-8, several with commas (0.9,0.99), True, False, None, "
        "or 'text' in quotes.",
    )
