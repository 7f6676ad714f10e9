"""The parameter table's defaults for Python: `npm run generate` writes them from `shared/parameters.ts`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

_FILE = Path(__file__).resolve().parents[1] / "tests" / "fixtures" / "protocol" / "default-config.json"


def default_config() -> dict[str, Any]:
    """Every parameter by its key. The folders are the caller's to say."""
    return json.loads(_FILE.read_text(encoding="utf-8"))
