"""The figures of `quality.py`: printed as they come, and kept for readers."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from pathlib import Path


class Check(NamedTuple):
    """A figure and what it must be."""

    what: str
    figure: str
    must: str
    passed: bool


class Report:
    """The checks, and the curves for whoever picks the best epoch."""

    def __init__(self) -> None:
        self._started = time.monotonic()
        self.checks: list[Check] = []
        self.curve: list[dict[str, float]] = []

    def check(self, what: str, figure: str, must: str, *, passed: bool) -> None:
        """Note a figure."""
        check = Check(what, figure, must, passed)
        self.checks.append(check)
        mark = "ok  " if passed else "FAIL"
        print(f"{mark} {time.monotonic() - self._started:5.0f} s  {what}: {figure} ({must})", flush=True)

    def save(self, file: Path) -> None:
        """As JSON, and as Markdown beside it."""
        content = {"checks": [check._asdict() for check in self.checks], "overfitting": self.curve}
        file.write_text(json.dumps(content, indent=2) + "\n", encoding="utf-8")
        file.with_suffix(".md").write_text(self.markdown(), encoding="utf-8")

    def markdown(self) -> str:
        """Tables of the checks and of the curve."""
        lines = ["# What `npm run quality` measured", "", "| figure | must be | is |", "| --- | --- | --- |"]
        lines += [f"| {one.what} | {one.must} | {one.figure} |" for one in self.checks]
        if self.curve:
            names = list(self.curve[0])
            lines += ["", "The long training, step by step:", ""]
            lines += [f"| {' | '.join(names)} |", "|" + " --- |" * len(names)]
            lines += ["| " + " | ".join(str(point[name]) for name in names) + " |" for point in self.curve]
        return "\n".join(lines) + "\n"
