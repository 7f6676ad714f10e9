"""The app's defaults for Python: `npm run generate` writes them from `shared/`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FIXTURES = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "protocol"


def default_config() -> dict[str, Any]:
    """Every parameter of a training by its key. The folders are the caller's to say."""
    return _read("default-config.json")


def default_caption_config() -> dict[str, Any]:
    """Every field of a captioning. The folder is the caller's to say."""
    return _read("default-caption-config.json")


def _read(name: str) -> dict[str, Any]:
    return json.loads((_FIXTURES / name).read_text(encoding="utf-8"))
