"""The golden lines that both sides parse, and the worker's streams."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from job_support import GOLDEN, golden

from lora_bridge.protocol_types import (
    BucketPictures,
    CaptionerIdentity,
    Inspection,
    Job,
    JobEvent,
    JobState,
    Memory,
    ModelIdentity,
    PictureFacts,
    Plan,
    Probe,
    WorkerHello,
    WorkerRequest,
)

ANSWERS = {
    "plan": Plan,
    "memory": Memory,
    "bucket": BucketPictures,
    "inspect": Inspection,
    "identify": ModelIdentity,
    "captioner": CaptionerIdentity,
    "probe": Probe,
    "picture": PictureFacts,
}


def decode(line: dict[str, Any], kind: Any) -> Any:
    return msgspec.json.decode(json.dumps(line), type=kind)


def same(value: object, line: dict[str, Any]) -> bool:
    """Whether a parsed value says what the line said: nothing lost, nothing added."""
    return json.loads(msgspec.json.encode(value)) == line


@pytest.mark.parametrize(
    ("file", "kind"),
    [
        ("events.jsonl", JobEvent),
        ("jobs.jsonl", Job),
        ("requests.jsonl", WorkerRequest),
        ("states.jsonl", JobState),
    ],
)
def test_golden_lines_are_understood(file: str, kind: object) -> None:
    for line in golden(file):
        assert same(decode(line, kind), line)


def test_golden_answers_are_understood() -> None:
    for line in golden("answers.jsonl"):
        assert same(decode(line["answer"], ANSWERS[line["type"]]), line["answer"])


def test_golden_hello_is_understood() -> None:
    assert decode(golden("replies.jsonl")[0], WorkerHello).protocol_version == 1


@pytest.mark.parametrize("line", golden("jobs-refused.jsonl"))
def test_wrong_jobs_are_refused(line: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(line, Job)


@pytest.mark.parametrize("line", [*golden("events-refused.jsonl"), *golden("events-future.jsonl")])
def test_wrong_events_are_refused(line: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        decode(line, JobEvent)


def test_every_event_type_has_a_golden_line() -> None:
    known = {kind.__struct_config__.tag for kind in JobEvent.__args__}
    assert {line["type"] for line in golden("events.jsonl")} == known


def test_golden_files_end_their_lines_alike_everywhere() -> None:
    assert not [file.name for file in GOLDEN.iterdir() if b"\r" in file.read_bytes()]


NOISE = r"""
import ctypes, os, subprocess, sys
from lora_bridge.protocol import claim_streams
streams = claim_streams()
print("print")
sys.stdout.write("half a line")
os.write(1, b"descriptor\n")
libc = ctypes.CDLL(None)
libc.puts(b"from C")
libc.fflush(None)
subprocess.run([sys.executable, "-c", "import sys; print('child', repr(sys.stdin.read()))"], check=True)
from tqdm import tqdm
for _ in tqdm(range(3), file=sys.stdout): pass
streams.replies.write(b'{"a":1}\n')
os.write(2, b"read " + streams.requests.readline())
"""


def test_nothing_else_gets_into_the_protocol() -> None:
    done = subprocess.run(
        [sys.executable, "-c", NOISE],
        input=b"a request\n",
        capture_output=True,
        cwd=Path(__file__).parents[1],
        # A job that ran in this process has switched the bars off.
        env={name: value for name, value in os.environ.items() if name != "TQDM_DISABLE"},
        check=True,
    )
    assert done.stdout == b'{"a":1}\n'
    for noise in (b"print", b"half a line", b"descriptor", b"from C", b"child ''", b"3/3", b"read a request"):
        assert noise in done.stderr
