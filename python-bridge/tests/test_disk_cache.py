"""What is kept on disk for the next run."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import load
from training_support import ListSink, warnings_of

from lora_bridge import disk_cache
from lora_bridge.disk_cache import DiskCache, cache_key, content_hash, prune
from lora_bridge.protocol_types import WarningEvent

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

KEY = cache_key("a picture")
TENSORS = {
    "latent": torch.arange(24.0).view(2, 3, 4).transpose(0, 1),
    "hidden": torch.linspace(-1, 1, 7, dtype=torch.bfloat16),
    "scalar": torch.tensor(3.5),
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path))
    return tmp_path / "cache"


def file_of(folder: Path, key: str = KEY) -> Path:
    return folder / "latents" / key[:2] / f"{key}.safetensors"


def test_what_was_written_is_read_bit_for_bit(folder: Path) -> None:
    with DiskCache("latents", ListSink()) as cache:
        assert cache.read(KEY) is None
        cache.write(KEY, TENSORS)
    read = DiskCache("latents", ListSink()).read(KEY)
    torch.testing.assert_close(read, TENSORS, rtol=0, atol=0)
    assert DiskCache("texts", ListSink()).read(KEY) is None
    assert [file.name for file in folder.rglob("*") if file.is_file()] == [f"{KEY}.safetensors"]


def test_keys_do_not_run_together() -> None:
    assert len({cache_key("ab", "c"), cache_key("a", "bc"), cache_key("abc"), cache_key("ab", "c", "")}) == 4
    assert cache_key("ü", "\n") == cache_key("ü", "\n")


def test_content_is_what_counts(tmp_path: Path) -> None:
    one, other = tmp_path / "a.png", tmp_path / "b.png"
    one.write_bytes(b"x" * 3_000_000)
    other.write_bytes(b"x" * 3_000_000)
    before = content_hash(one)
    assert before == content_hash(other)
    other.write_bytes(b"x" * 2_999_999 + b"y")
    os.utime(other, ns=(1, 1))
    assert content_hash(other) != before


@pytest.mark.parametrize("damage", ["flipped", "cut", "emptied", "no header", "no sum"])
def test_a_damaged_file_is_removed(folder: Path, damage: str) -> None:
    cache = DiskCache("latents", ListSink())
    cache.write(KEY, TENSORS)
    file = file_of(folder)
    content = bytearray(file.read_bytes())
    if damage == "flipped":
        content[-3] ^= 1
    elif damage == "cut":
        del content[-5:]
    elif damage == "emptied":
        content.clear()
    elif damage == "no header":
        content[:8] = b"\xff" * 8
    else:
        content = content.replace(b"crc32", b"crc33")
    file.write_bytes(content)
    assert cache.read(KEY) is None
    assert not file.exists()
    cache.write(KEY, TENSORS)
    assert cache.read(KEY) is not None


def test_what_was_used_longest_ago_goes_first(folder: Path) -> None:
    keys = [cache_key(str(number)) for number in range(4)]
    tensors = {"latent": torch.zeros(1000)}
    cache = DiskCache("latents", ListSink())
    for age, key in enumerate(keys):
        cache.write(key, tensors)
        os.utime(file_of(folder, key), (1000 + age, 1000 + age))
    assert cache.read(keys[0]) is not None  # so that the second is the oldest
    size = file_of(folder, keys[0]).stat().st_size
    with DiskCache("texts", ListSink(), limit=3 * size) as other:
        other.write(KEY, tensors)
        assert len(list(folder.rglob("*.safetensors"))) == 5
    assert [cache.read(key) is not None for key in keys] == [True, False, False, True]


def test_reading_alone_prunes_nothing(folder: Path) -> None:
    DiskCache("latents", ListSink()).write(KEY, TENSORS)
    with DiskCache("latents", ListSink(), limit=0) as cache:
        assert cache.read(KEY) is not None
    assert file_of(folder).exists()


def test_what_a_killed_process_left_goes_once_it_is_old(folder: Path) -> None:
    young, old = folder / "latents" / ".a.1.tmp", folder / "latents" / ".b.1.tmp"
    young.parent.mkdir(parents=True)
    for file in (young, old):
        file.write_bytes(b"half")
    days_ago = time.time() - 2 * 86400
    os.utime(old, (days_ago, days_ago))
    prune(folder, 0)
    assert young.exists()
    assert not old.exists()


def test_a_full_disk_is_told_once_and_no_more_is_tried(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[Path] = []

    def full(path: Path, _content: bytes) -> None:
        tries.append(path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk_cache, "write_atomically", full)
    sink = ListSink()
    with DiskCache("latents", sink) as cache:
        cache.write(KEY, TENSORS)
        cache.write(cache_key("b"), TENSORS)
    assert warnings_of(sink) == ["cache_not_written"]
    assert len(tries) == 1
    message = sink.of(WarningEvent)[0].problem.message
    assert str(folder / "latents") in message
    assert "No space left" in message


def test_a_folder_that_cannot_be_made_is_told(folder: Path) -> None:
    folder.write_text("in the way")
    sink = ListSink()
    with DiskCache("latents", sink) as cache:
        assert cache.read(KEY) is None
        cache.write(KEY, TENSORS)
    assert warnings_of(sink) == ["cache_not_written"]


@pytest.mark.usefixtures("folder")
def test_a_write_that_another_process_forestalled_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    sink = ListSink()
    cache = DiskCache("latents", sink)
    cache.write(KEY, TENSORS)

    def busy(_path: Path, _content: bytes) -> None:
        raise PermissionError(13, "Access is denied")

    monkeypatch.setattr(disk_cache, "write_atomically", busy)
    cache.write(KEY, TENSORS)
    assert sink.events == []
    assert cache.read(KEY) is not None


def test_what_another_process_removes_while_it_is_read_stays_removed(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache = DiskCache("latents", ListSink())
    cache.write(KEY, TENSORS)
    kept = file_of(folder)

    def load_after_removal(content: bytes) -> dict[str, Tensor]:
        kept.unlink()
        return load(content)

    monkeypatch.setattr(disk_cache, "load", load_after_removal)
    assert cache.read(KEY) is not None
    assert not kept.exists()


_WRITER = """
import torch
from lora_bridge.disk_cache import DiskCache, cache_key

class Sink:
    def emit(self, event):
        raise AssertionError(event)

with DiskCache("latents", Sink(), limit=300_000) as cache:
    for number in range(60):
        key = cache_key(str(number % 20))
        cache.write(key, {"latent": torch.full((5000,), float(number % 20))})
        read = cache.read(key)
        assert read is None or float(read["latent"].sum()) == 5000 * (number % 20), number
        if number % 10 == 9:
            cache.__exit__(None, None, None)
"""


def test_two_processes_at_once_do_each_other_no_harm(folder: Path) -> None:
    places = os.pathsep.join(sys.path)
    writers = [
        subprocess.Popen(
            [sys.executable, "-c", _WRITER], env={**os.environ, "PYTHONPATH": places}, stderr=subprocess.PIPE
        )
        for _ in range(2)
    ]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors.decode()
    cache = DiskCache("latents", ListSink())
    left = [file.stem for file in folder.rglob("*.safetensors")]
    assert left
    assert all(cache.read(key) is not None for key in left)
    assert sum(file.stat().st_size for file in folder.rglob("*") if file.is_file()) <= 300_000
