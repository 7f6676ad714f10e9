"""What a library's class or function takes, read from its source.

Nothing is imported, so that it can be asked while typing: torch alone takes seconds.
"""

from __future__ import annotations

import ast
import re
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterator


class Signature(Struct, frozen=True):
    """The parameters of a class or function after `self` and the first."""

    name: str
    """As the source spells it."""
    parameters: tuple[str, ...]
    required: frozenset[str]
    takes_any: bool
    """It has `**kwargs`."""


def is_installed(module: str) -> bool:
    """Whether the package that has `module` is there; it may still fail to load."""
    try:
        return find_spec(module.partition(".")[0]) is not None
    except (ImportError, ValueError):
        return False


@lru_cache(maxsize=64)
def signature_of(module: str, name: str) -> Signature | None:
    """What `module.name` takes; its case does not matter. None where the source does not tell."""
    for file in _sources(module):
        text = file.read_text(encoding="utf-8", errors="replace")
        if re.search(rf"^(class|def) {re.escape(name)}\b", text, re.MULTILINE | re.IGNORECASE):
            found = _signature_in(ast.parse(text), name)
            if found is not None:
                return found
    return None


def _sources(module: str) -> Iterator[Path]:
    """The files of a module, its own before those of the packages in it."""
    top, *rest = module.split(".")
    spec = find_spec(top) if is_installed(top) else None
    if spec is None:
        return
    places = [Path(place) for place in spec.submodule_search_locations or ()]
    if not places and spec.origin:
        yield Path(spec.origin)
    for place in places:
        at = place.joinpath(*rest)
        if at.is_dir():
            yield from sorted(at.rglob("*.py"), key=lambda file: (len(file.parts), file))
        elif at.with_suffix(".py").is_file():
            yield at.with_suffix(".py")


def _signature_in(tree: ast.Module, name: str) -> Signature | None:
    for node in tree.body:
        if isinstance(node, ast.FunctionDef) and node.name.lower() == name.lower():
            return _signature(node.name, node.args, skipped=1)
        if isinstance(node, ast.ClassDef) and node.name.lower() == name.lower():
            for member in node.body:
                if isinstance(member, ast.FunctionDef) and member.name == "__init__":
                    return _signature(node.name, member.args, skipped=2)
    return None


def _signature(name: str, arguments: ast.arguments, skipped: int) -> Signature:
    positional = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    without_default = positional[: len(positional) - len(arguments.defaults)][skipped:]
    keyword = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    return Signature(
        name=name,
        parameters=(*positional[skipped:], *(argument.arg for argument, _ in keyword)),
        required=frozenset(
            [*without_default, *(argument.arg for argument, default in keyword if default is None)]
        ),
        takes_any=arguments.kwarg is not None,
    )
