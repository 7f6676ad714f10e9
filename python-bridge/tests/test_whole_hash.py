"""Hashes of whole files: found in a thread of their own, whose errors are not lost."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from lora_bridge.whole_hash import WholeHash

if TYPE_CHECKING:
    from pathlib import Path


def test_the_hash_is_of_the_whole_file(tmp_path: Path) -> None:
    content = bytes(range(256)) * 9999
    (tmp_path / "model").write_bytes(content)
    assert WholeHash(tmp_path / "model").value() == hashlib.sha256(content).hexdigest()


def test_a_file_that_cannot_be_read_has_none(tmp_path: Path) -> None:
    assert WholeHash(tmp_path / "gone").value() is None


@pytest.mark.parametrize("error", [MemoryError("no room"), ValueError("a bug"), SystemExit(1)])
def test_what_else_goes_wrong_is_told_to_who_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: BaseException
) -> None:
    def fail(*_arguments: object) -> None:
        raise error

    (tmp_path / "model").write_bytes(b"1")
    monkeypatch.setattr(hashlib, "file_digest", fail)
    whole = WholeHash(tmp_path / "model")
    with pytest.raises(type(error)):
        whole.value()
