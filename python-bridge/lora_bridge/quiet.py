"""How a process of the bridge behaves: UTF-8, no progress bars, crashes said, no idle thread that spins."""

from __future__ import annotations

import faulthandler
import io
import logging
import os
import sys

_ENVIRONMENT = {
    # Bars are for terminals; ours are events.
    "TQDM_DISABLE": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    # The user's pictures and settings are nobody else's business.
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "DO_NOT_TRACK": "1",
    # Its threads and torch's would wait for one another after a fork.
    "TOKENIZERS_PARALLELISM": "false",
    # Idle threads that spin take the cores from whatever else runs (the sample trains in 18 s instead of 41).
    "OMP_WAIT_POLICY": "PASSIVE",
}


def prepare_streams() -> None:
    """To be called before any library is loaded: they read the environment when they are."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace", line_buffering=True)
    os.environ.update(_ENVIRONMENT)
    faulthandler.enable()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    # It says at each start that it could be faster on CPUs, where nobody uses it.
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)
    logging.captureWarnings(capture=True)
