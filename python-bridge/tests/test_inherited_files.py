"""The bridge lets go of what its parent had open."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest


@pytest.mark.skipif(sys.platform == "win32", reason="Windows inherits only what it is told to")
def test_a_running_bridge_holds_nothing_of_its_parent() -> None:
    reading, writing = os.pipe()
    bridge = subprocess.Popen(
        [sys.executable, "-m", "lora_bridge", "serve"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        pass_fds=(writing,),
    )
    os.close(writing)
    with bridge, os.fdopen(reading, "rb") as pipe:
        assert bridge.stdout is not None
        assert bridge.stdout.readline().startswith(b'{"type":"hello"')
        os.set_blocking(pipe.fileno(), False)
        # The end of the pipe, not "nothing yet": nobody holds its other side.
        assert pipe.read() == b""
        assert bridge.poll() is None
