"""Caption files: found, read, and every flaw named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lora_bridge.captions import CaptionFlaw, caption_file, folder_caption, read_caption


@pytest.mark.parametrize(
    ("image", "siblings", "found"),
    [
        ("a.png", {"a.txt", "b.txt"}, "a.txt"),
        ("a.b.png", {"a.txt", "a.b.txt"}, "a.b.txt"),
        ("a.png", {"A.txt"}, None),
        ("a.png", {"a.png"}, None),
        ("me_000_128_128_00.png", {"me.txt"}, "me.txt"),
        ("me_000_128_128_00.png", {"me.txt", "me_000_128_128_00.txt"}, "me_000_128_128_00.txt"),
        ("at_the_sea_0_1_2_3.png", {"at_the_sea.txt", "at.txt"}, "at_the_sea.txt"),
        ("me_000_128_128.png", {"me.txt", ".txt"}, None),
        ("____.png", {".txt"}, None),
        ("\n😀 ‮.png", {"\n😀 ‮.txt"}, "\n😀 ‮.txt"),  # noqa: PLE2502
    ],
)
def test_a_picture_has_the_caption_of_its_stem_or_of_the_picture_it_was_cut_from(
    image: str, siblings: set[str], found: str | None
) -> None:
    file = caption_file(Path("folder") / image, ".txt", siblings)
    assert file == (None if found is None else Path("folder") / found)


def test_a_picture_is_not_its_own_caption() -> None:
    assert caption_file(Path("a.png"), ".png", {"a.png"}) is None
    assert caption_file(Path("a.png"), "", {"a.png", "a"}) == Path("a")


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (b"one", ("one",)),
        (b"\xef\xbb\xbf one \r\n\r\n\ttwo\rthree\n\n", ("one", "two", "three")),
        ("grün 😀\u2028same line".encode(), ("grün 😀\u2028same line",)),
        (b"x" * 2**16, ("x" * 2**16,)),
    ],
)
def test_all_lines_are_kept_that_say_something(
    tmp_path: Path, content: bytes, lines: tuple[str, ...]
) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    caption = read_caption(file)
    assert caption == (lines, None)
    assert caption.text == lines[0]


@pytest.mark.parametrize(
    ("content", "flaw"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b" \n\t\r\n\xc2\xa0", "empty"),
        (b"gr\xfcn", "not UTF-8"),
        (b"cut \xf0\x9f\x98", "not UTF-8"),
        ("a word".encode("utf-16"), "UTF-16 instead of UTF-8"),
        (b"\xfe\xff\x00a", "UTF-16 instead of UTF-8"),
        ("a word".encode("utf-16-le"), "UTF-16 instead of UTF-8"),
        (b"x" * (2**16 + 1), "too large"),
    ],
)
def test_flaws_are_named(tmp_path: Path, content: bytes, flaw: CaptionFlaw) -> None:
    file = tmp_path / "a.txt"
    file.write_bytes(content)
    assert read_caption(file) == ((), flaw)
    assert read_caption(file).text == ""


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_what_cannot_be_read_is_an_error_of_the_system(tmp_path: Path, what: str) -> None:
    file = tmp_path / "a.txt"
    if what == "folder":
        file.mkdir()
    with pytest.raises(OSError, match=r"a\.txt"):
        read_caption(file)


def test_the_folders_prompt_stands_in() -> None:
    assert folder_caption("ohwx person", "empty") == (("ohwx person",), "empty")
    assert folder_caption("", "missing").text == ""
