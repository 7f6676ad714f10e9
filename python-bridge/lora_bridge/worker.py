"""Answers short questions: one JSON object a line in, one a line out, until the input ends.

Questions about single pictures are answered beside each other and perhaps in another order; all others one
after the other.
"""

from __future__ import annotations

import logging
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

import msgspec

from lora_bridge.events import MAX_LINE_BYTES, PROTOCOL_VERSION
from lora_bridge.failures import problem_of
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import (
    BucketRequest,
    CaptionerRequest,
    IdentifyRequest,
    InspectRequest,
    MemoryRequest,
    PictureRequest,
    PlaceRequest,
    PlanRequest,
    ProbeRequest,
    Problem,
    ShowRequest,
    WorkerHello,
    WorkerRequest,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from lora_bridge.protocol import ProtocolStreams

_logger = logging.getLogger(__name__)

_OF_A_PICTURE = PictureRequest | ShowRequest
_MOST_THREADS = 8
"""Pillow decodes and encodes without Python's lock; each holds a whole picture in memory."""


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
    replies = _Replies(streams.replies)
    pictures = ThreadPoolExecutor(min(os.cpu_count() or 1, _MOST_THREADS), "picture")
    try:
        replies.send(hello)
        for line in _lines(streams.requests):
            request = read_request(line)
            if isinstance(request, _OF_A_PICTURE):
                pictures.submit(replies.answer, request)
            elif request is not None:
                replies.answer(request)
            replies.require_reader()
        pictures.shutdown()
        replies.require_reader()
    except (KeyboardInterrupt, BrokenPipeError):
        pass  # the app is gone or wants us gone: nobody is left to answer
    finally:
        pictures.shutdown(cancel_futures=True)
    return 0


class _Replies:
    """The stream of answers, which several threads write to."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._turn = Lock()
        self._failure: OSError | None = None

    def send(self, message: msgspec.Struct) -> None:
        with self._turn:
            _send(self._stream, message)

    def answer(self, request: WorkerRequest | _Refusal) -> None:
        try:
            self.send(reply_to(request))
        except OSError as error:
            self._failure = error

    def require_reader(self) -> None:
        """Raises what kept an answer from being sent: BrokenPipeError where nobody reads."""
        if self._failure is not None:
            raise self._failure


def read_request(line: bytes) -> WorkerRequest | _Refusal | None:
    """What a line asks, or why it cannot be answered; None, and a line in the log, for one without an id."""
    try:
        return msgspec.json.decode(line, type=WorkerRequest)
    except msgspec.DecodeError as error:
        problem = ProblemError("bad_request", f"The request cannot be understood: {error}").problem
    try:
        return _Refusal(re=msgspec.json.decode(line, type=_Addressed).id, error=problem)
    except msgspec.DecodeError as error:
        _logger.error("Not a request: %s: %r", error, line[:200])
        return None


def reply_to(request: WorkerRequest | _Refusal) -> msgspec.Struct:
    """The reply to a request: what it asks for, or why that cannot be had."""
    if isinstance(request, _Refusal):
        return request
    try:
        return _Answer(re=request.id, ok=_answer(request))
    except ProblemError as error:
        return _Refusal(re=request.id, error=error.problem)
    except Exception as error:
        _logger.exception("Request %d failed", request.id)
        return _Refusal(re=request.id, error=problem_of(error))


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
        case CaptionerRequest():
            from lora_bridge.captioner import identify_captioner

            return identify_captioner(request.path)
        case ProbeRequest():
            from lora_bridge.probe import probe

            return probe()
        case PictureRequest():
            from lora_bridge.thumbnails import examine_picture

            return examine_picture(Path(request.path), Path(request.thumbnail))
        case ShowRequest():
            from lora_bridge.thumbnails import show_picture

            return show_picture(
                Path(request.path), Path(request.target), request.side, cropped=request.cropped
            )
        case PlaceRequest():
            from lora_bridge.plan_buckets import place_sizes

            return place_sizes(request.config, request.sizes)


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
