"""CLIP's tokenizer as set-up makes it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pytest
from clip_tokenizer import make_clip_tokenizer
from made_folder import make_folder
from pinned_wheel import PinnedWheel
from transformers import CLIPTokenizer

if TYPE_CHECKING:
    from collections.abc import Callable


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clip") / "clip-tokenizer"
    assert make_clip_tokenizer(out)
    return out


def load(folder: Path) -> Any:
    return cast("Any", CLIPTokenizer).from_pretrained(folder)


def test_gives_clips_ids(folder: Path) -> None:
    tokenizer = load(folder)
    assert len(tokenizer) == 49408
    assert tokenizer("a photo of a cat").input_ids == [49406, 320, 1125, 539, 320, 2368, 49407]


def test_lower_cases_and_keeps_unicode(folder: Path) -> None:
    tokenizer = load(folder)
    ids = tokenizer("A Photo of CAFÉ 日本").input_ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == "a photo of café 日本"


def test_is_not_made_twice(folder: Path) -> None:
    before = (folder / "vocab.json").stat()
    assert not make_clip_tokenizer(folder)
    assert (folder / "vocab.json").stat() == before


def test_refuses_a_wheel_with_another_hash() -> None:
    wheel = PinnedWheel("open_clip_torch==3.3.0", "0" * 64)
    with pytest.raises(RuntimeError, match=r"open_clip_torch==3\.3\.0 could not be downloaded"):
        wheel.read("open_clip/bpe_simple_vocab_16e6.txt.gz")


def fill_with(text: str) -> Callable[[Path], None]:
    def fill(folder: Path) -> None:
        (folder / "file").write_text(text)

    return fill


def test_a_maker_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    out = tmp_path / "out"
    make_folder(out, "1", fill_with("old"))

    def fail(folder: Path) -> None:
        (folder / "file").write_text("half")
        raise OSError("no space")

    with pytest.raises(OSError, match="no space"):
        make_folder(out, "2", fail)
    assert (out / "file").read_text() == "old"
    assert list(tmp_path.iterdir()) == [out]


def test_another_version_replaces_the_folder(tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert make_folder(out, "1", fill_with("old"))
    assert make_folder(out, "2", fill_with("new"))
    assert (out / "file").read_text() == "new"
    assert list(tmp_path.iterdir()) == [out]


def test_runs_as_a_script(folder: Path) -> None:
    script = Path(__file__).parents[2] / "build" / "clip_tokenizer.py"
    done = subprocess.run(
        [sys.executable, script, "--out", folder], capture_output=True, text=True, check=True
    )
    assert "already there" in done.stdout
