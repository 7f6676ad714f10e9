"""Answers short questions: one JSON object a line in, one a line out, until the input ends."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from lora_bridge.events import MAX_LINE_BYTES, PROTOCOL_VERSION
from lora_bridge.failures import problem_of
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import (
    BucketRequest,
    IdentifyRequest,
    InspectRequest,
    MemoryRequest,
    PictureRequest,
    PlanRequest,
    ProbeRequest,
    Problem,
    WorkerHello,
    WorkerRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from lora_bridge.protocol import ProtocolStreams

_logger = logging.getLogger(__name__)


class _Addressed(msgspec.Struct):
    """What a line needs so that it can be answered at all."""

    id: int


class _Answer(msgspec.Struct):
    re: int
    ok: msgspec.Struct


class _Refusal(msgspec.Struct):
    re: int
    error: Problem


def serve(streams: ProtocolStreams) -> int:
    """Say hello, then answer every request with its id. Returns the exit code when the input ends."""
    hello = WorkerHello(type="hello", protocol_version=PROTOCOL_VERSION, pid=os.getpid())
    try:
        _send(streams.replies, hello)
        for line in _lines(streams.requests):
            reply = answer_line(line)
            if reply is not None:
                _send(streams.replies, reply)
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # the app is gone or wants us gone: nobody is left to answer
    return 0


def answer_line(line: bytes) -> msgspec.Struct | None:
    """The reply to one line; None, and a line in the log, for one that has no id to answer to."""
    try:
        request_id = msgspec.json.decode(line, type=_Addressed).id
    except msgspec.DecodeError as error:
        _logger.error("Not a request: %s: %r", error, line[:200])
        return None
    try:
        return _Answer(re=request_id, ok=_answer(_parse(line)))
    except ProblemError as error:
        return _Refusal(re=request_id, error=error.problem)
    except Exception as error:
        _logger.exception("Request %d failed", request_id)
        return _Refusal(re=request_id, error=problem_of(error))


def _parse(line: bytes) -> WorkerRequest:
    try:
        return msgspec.json.decode(line, type=WorkerRequest)
    except msgspec.DecodeError as error:
        raise ProblemError("bad_request", f"The request cannot be understood: {error}") from None


def _answer(request: WorkerRequest) -> msgspec.Struct:
    # Imported when first asked for: a plan is wanted at once and needs no torch.
    match request:
        case PlanRequest():
            from lora_bridge.plan import make_plan

            return make_plan(request.config, request.concepts)
        case MemoryRequest():
            from lora_bridge.memory_plan import plan_memory

            return plan_memory(request.config, request.device)
        case BucketRequest():
            from lora_bridge.plan_buckets import bucket_pictures

            return bucket_pictures(request.config, request.resolution, request.offset, request.limit)
        case InspectRequest():
            from lora_bridge.inspection import inspect_lora

            return inspect_lora(request.path)
        case IdentifyRequest():
            from lora_bridge.identify import identify

            return identify(request.path)
        case ProbeRequest():
            from lora_bridge.probe import probe

            return probe()
        case PictureRequest():
            from lora_bridge.thumbnails import examine_picture

            return examine_picture(Path(request.path), Path(request.thumbnail))


def _lines(stream: BinaryIO) -> Iterator[bytes]:
    """Lines that hold something. One that is longer than a line may be is dropped up to its end."""
    while line := stream.readline(MAX_LINE_BYTES + 1):
        if not line.endswith(b"\n") and len(line) > MAX_LINE_BYTES:
            _logger.error("Dropped a line of more than %d bytes.", MAX_LINE_BYTES)
            while line and not line.endswith(b"\n"):
                line = stream.readline(MAX_LINE_BYTES)
        elif line.strip():
            yield line


def _send(stream: BinaryIO, message: msgspec.Struct) -> None:
    line = msgspec.json.encode(message)
    if isinstance(message, _Answer) and len(line) >= MAX_LINE_BYTES:
        problem = Problem(
            code="answer_too_long", message=f"The answer has {len(line)} bytes: more than a line may."
        )
        line = msgspec.json.encode(_Refusal(re=message.re, error=problem))
    rest = memoryview(line + b"\n")
    while rest:
        rest = rest[stream.write(rest) :]
