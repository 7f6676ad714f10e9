"""The worker: every line answered or logged, and nothing that ends it but the end of its input."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
from io import BytesIO
from pathlib import Path
from typing import Any, BinaryIO, cast

import msgspec
import pytest
from job_support import golden
from PIL import Image

from lora_bridge import identify
from lora_bridge.events import MAX_LINE_BYTES
from lora_bridge.protocol import ProtocolStreams
from lora_bridge.protocol_types import Probe
from lora_bridge.worker import read_request, reply_to, serve


def answer(line: bytes) -> dict[str, Any]:
    return json.loads(msgspec.json.encode(reply_to(cast("Any", read_request(line)))))


def talk(lines: bytes) -> list[dict[str, Any]]:
    """What the worker writes when these bytes are all that it gets to read."""
    replies = BytesIO()
    assert serve(ProtocolStreams(BytesIO(lines), replies)) == 0
    return [json.loads(line) for line in replies.getvalue().splitlines()]


def request(kind: str, **fields: object) -> bytes:
    return json.dumps({"type": kind, "id": 7, **fields}).encode() + b"\n"


def test_tells_what_a_run_needs_of_memory(project: Path) -> None:
    config = {**golden("requests.jsonl")[0]["config"], "train_data_dir": str(project / "img")}
    config["reg_data_dir"] = ""
    card = {"kind": "cuda", "name": "Card", "memoryBytes": 1 << 40}
    answered = answer(request("memory", config=config, device=card))
    assert answered["ok"]["fits"] is True
    assert answered["ok"]["memoryBytes"] == 1 << 40


def test_says_hello_first() -> None:
    (hello,) = talk(b"")
    assert hello["type"] == "hello"
    assert hello["protocolVersion"] == 1


def test_answers_with_the_id_of_the_question() -> None:
    reply = answer(request("identify", path="stabilityai/stable-diffusion-xl-base-1.0"))
    assert reply == {"re": 7, "ok": {"kind": "hub", "format": "hub", "problem": None}}


def test_tells_of_this_machine() -> None:
    reply = answer(request("probe"))
    assert msgspec.convert(reply["ok"], Probe).devices[-1].kind == "cpu"


def test_examines_pictures(tmp_path: Path) -> None:
    picture, thumbnail = tmp_path / "a.png", tmp_path / "cache" / "a.webp"
    Image.new("RGB", (30, 20)).save(picture)
    reply = answer(request("picture", path=str(picture), thumbnail=str(thumbnail)))
    assert reply["ok"] == {"width": 30, "height": 20, "format": "png", "problem": None}
    assert thumbnail.exists()


def test_every_picture_is_answered_before_the_end(tmp_path: Path) -> None:
    picture = {"path": str(tmp_path / "gone.png"), "thumbnail": str(tmp_path / "small.webp")}
    questions = [request("picture", **picture, id=number) for number in range(100)]
    _, *replies = talk(b"".join(questions))
    assert sorted(reply["re"] for reply in replies) == list(range(100))


def test_an_answer_that_cannot_be_sent_is_told() -> None:
    class Full(BytesIO):
        def write(self, line: Any, /) -> int:
            if b"hello" not in bytes(line):
                raise OSError(28, "No space left on device")
            return super().write(line)

    with pytest.raises(OSError, match="No space left"):
        serve(ProtocolStreams(BytesIO(request("probe")), Full()))


def test_a_problem_is_an_answer(tmp_path: Path) -> None:
    config = {**golden("requests.jsonl")[0]["config"], "train_data_dir": str(tmp_path / "nowhere")}
    reply = answer(request("plan", config=config, concepts=None))
    assert reply["error"]["code"] == "folder_missing"
    assert "nowhere" in reply["error"]["message"]


@pytest.mark.parametrize(
    "line",
    [
        request("dance"),
        request("inspect"),
        request("inspect", path=3),
        request("inspect", path="/x", colour="red"),
        b'{"id":7}',
    ],
)
def test_a_question_that_makes_no_sense_is_answered(line: bytes) -> None:
    assert answer(line)["error"]["code"] == "bad_request"
    assert answer(line)["re"] == 7


@pytest.mark.parametrize("line", [b"garbage", b"[1]", b"{", b'{"id":"seven"}', b"\xff\xfe", b"null"])
def test_a_line_without_an_id_is_logged(line: bytes, caplog: pytest.LogCaptureFixture) -> None:
    assert read_request(line) is None
    assert "Not a request" in caplog.text


def test_goes_on_after_rubbish() -> None:
    long = b" " * (MAX_LINE_BYTES + 1) + b'{"id":8}\n'
    replies = talk(b"garbage\n\n" + long + request("identify", path="") + b'{"id":9,"type":"id')
    assert [reply.get("re") for reply in replies] == [None, 7]


def test_a_fault_of_ours_is_answered_and_logged(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_path: str) -> None:
        raise ZeroDivisionError("oh")

    monkeypatch.setattr(identify, "identify", fail)
    with caplog.at_level(logging.ERROR):
        reply = answer(request("identify", path="x"))
    assert reply["error"]["code"] == "unexpected"
    assert "ZeroDivisionError: oh" in reply["error"]["message"]
    assert "Traceback" in caplog.text


def test_an_answer_that_is_too_long_becomes_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    identity = identify.identify("a/b")

    def chatter(_path: str) -> object:
        return msgspec.structs.replace(identity, format="x" * MAX_LINE_BYTES)

    monkeypatch.setattr(identify, "identify", chatter)
    _, reply = talk(request("identify", path="x"))
    assert reply["error"]["code"] == "answer_too_long"


def test_ends_quietly_when_nobody_reads() -> None:
    class Gone(BytesIO):
        def write(self, _data: object, /) -> int:
            raise BrokenPipeError

    gone: BinaryIO = Gone()
    assert serve(ProtocolStreams(BytesIO(request("probe")), gone)) == 0


def test_starts_and_plans_without_torch() -> None:
    code = (
        "import sys; from lora_bridge.__main__ import main; main(['serve']);"
        "print([name for name in ('torch', 'transformers', 'diffusers') if name in sys.modules])"
    )
    config = {**golden("requests.jsonl")[0]["config"], "train_data_dir": "nowhere"}
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=request("plan", config=config, concepts=None)
        + request("memory", config=config, device={"kind": "cuda", "name": "Card", "memoryBytes": 1})
        + request("identify", path="nowhere"),
        capture_output=True,
        cwd=Path(__file__).parents[1],
        check=True,
    )
    assert len(done.stdout.splitlines()) == 4
    assert done.stderr.decode().strip() == "[]"


def test_wrong_arguments_get_the_usage() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "lora_bridge", "fly"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parents[1],
        check=False,
    )
    assert done.returncode == 2
    assert "usage" in done.stderr
