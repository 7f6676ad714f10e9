"""Folders that set-up makes: whole or not there, and made again only when what makes them has changed."""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_STAMP = ".made-by"


def hash_of_files(files: Iterable[Path]) -> str:
    """One hash over the contents of the makers' sources, whatever the line ends of the checkout."""
    digest = hashlib.sha256()
    for file in files:
        source = file.read_bytes().replace(b"\r\n", b"\n")
        digest.update(f"{file.name} {len(source)}\n".encode() + source)
    return digest.hexdigest()


def make_folder(out: Path, version: str, fill: Callable[[Path], None]) -> bool:
    """Let `fill` make the contents of `out`, unless `out` already is of this version. True when it was made.

    The work happens in a temporary folder beside `out` that takes its name at the end: a run that is cut off
    leaves the old folder, or none.
    """
    stamp = out / _STAMP
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == version:
        return False
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{out.name}-", dir=out.parent) as temporary:
        new, old = Path(temporary, "new"), Path(temporary, "old")
        new.mkdir()
        fill(new)
        (new / _STAMP).write_text(version, encoding="utf-8")
        if out.exists():
            shutil.move(out, old)
        new.rename(out)
    return True
