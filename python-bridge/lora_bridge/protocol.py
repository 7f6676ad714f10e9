"""The worker's end of its standard streams: JSON lines, kept apart from whatever else this process prints."""

from __future__ import annotations

import os
from typing import BinaryIO, NamedTuple


class ProtocolStreams(NamedTuple):
    """Unbuffered bytes in both directions."""

    requests: BinaryIO
    replies: BinaryIO


def claim_streams() -> ProtocolStreams:
    """Take standard input and output for the protocol. To be called before anything else is imported.

    Afterwards descriptor 1 is standard error, so a print of ours, of a library in C or of a child lands in
    the log, and descriptor 0 is empty, so that no child can swallow a request. Children do not inherit the
    copies.
    """
    streams = ProtocolStreams(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb", buffering=0))
    os.dup2(2, 1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    return streams
