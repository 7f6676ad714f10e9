"""sha256 of large files, computed while other things are done."""

from __future__ import annotations

import hashlib
from concurrent.futures import Future
from threading import Thread
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


class WholeHash:
    """Begins at once, in a thread of its own that keeps no process alive."""

    def __init__(self, file: Path) -> None:
        self._found: Future[str | None] = Future()
        Thread(target=self._compute, args=(file,), name=f"hash of {file.name}", daemon=True).start()

    def value(self) -> str | None:
        """64 hexadecimal digits, waited for; None where the file could not be read to its end.

        Raises whatever else went wrong in the thread.
        """
        return self._found.result()

    def _compute(self, file: Path) -> None:
        try:
            with file.open("rb") as stream:
                digest = hashlib.file_digest(stream, "sha256").hexdigest()
        except OSError:
            self._found.set_result(None)
        except BaseException as error:  # noqa: BLE001 - told to who waits for it, who would wait for ever
            self._found.set_exception(error)
        else:
            self._found.set_result(digest)
