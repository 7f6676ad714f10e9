"""Which folders a config means, and what is said where it could mean something else."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from training_support import make_config, save_picture

from lora_bridge.concepts import find_concepts
from lora_bridge.dataset import read_dataset
from lora_bridge.plan import make_plan
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Iterator

WHERE_LINKS_ARE_FREE = pytest.mark.skipif(sys.platform == "win32", reason="links need a right on Windows")


def concepts_in(tmp_path: Path, *folders: str, **changes: object) -> list[tuple[str, int, str]]:
    """Name, repeats and prompt of what is found where these folders hold a picture each."""
    for folder in folders:
        save_picture(tmp_path / "img" / folder / "a.png")
    found, _ = find_concepts(make_config(tmp_path, **changes))
    return [(Path(each.folder).name, each.repeats, each.prompt) for each in found]


def refusal(tmp_path: Path, **changes: object) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        make_plan(make_config(tmp_path, **changes))
    return caught.value


@pytest.mark.parametrize(
    ("name", "repeats", "prompt"),
    [
        ("10_ohwx person", 10, "ohwx person"),
        ("10_ohwx_person", 10, "ohwx_person"),
        ("3_1girl, blue_hair", 3, "1girl, blue_hair"),
        ("5_", 5, ""),
        ("07_two\nlines", 7, "two\nlines"),
        ("2_\u05d0\u05d1 \U0001f3a8", 2, "\u05d0\u05d1 \U0001f3a8"),
    ],
)
@pytest.mark.skipif(sys.platform == "win32", reason="not all are names on Windows")
def test_everything_after_the_first_underscore_is_the_prompt(
    tmp_path: Path, name: str, repeats: int, prompt: str
) -> None:
    assert concepts_in(tmp_path, name) == [(name, repeats, prompt)]


def test_folders_without_any_number_are_all_taken_and_said(tmp_path: Path) -> None:
    assert concepts_in(tmp_path, "anna", "10", "x_1", dataset_repeats=6) == [
        ("10", 6, "10"),
        ("anna", 6, "anna"),
        ("x_1", 6, "x_1"),
    ]
    (tmp_path / "img" / "no pictures").mkdir()
    plan = make_plan(make_config(tmp_path, dataset_repeats=6))
    assert [concept.repeats for concept in plan.concepts] == [6, 6, 6]
    said = [warning.message for warning in plan.warnings if warning.code == "plain_folder"]
    assert len(said) == 3
    assert all("6 times" in message for message in said)


@pytest.mark.parametrize("numbered", ["2_anna", "0_anna"])
def test_one_number_anywhere_makes_numbers_count(tmp_path: Path, numbered: str) -> None:
    save_picture(tmp_path / "img" / "3_b" / "a.png")
    names = [name for name, _, _ in concepts_in(tmp_path, numbered, "plain")]
    assert names == (["2_anna", "3_b"] if numbered == "2_anna" else ["3_b"])
    _, odd = find_concepts(make_config(tmp_path))
    assert any("plain" in problem.message for problem in odd if problem.code == "folder_ignored")


def test_only_zero_repeats_is_nothing_to_train_on(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "0_anna" / "a.png")
    save_picture(tmp_path / "img" / "plain" / "a.png")
    assert refusal(tmp_path).problem.code == "no_images"


def test_a_folder_with_pictures_is_one_concept_with_the_repeats_asked_for(tmp_path: Path) -> None:
    save_picture(tmp_path / "anna" / "a.png")
    save_picture(tmp_path / "anna" / "rejected" / "b.png")
    config = make_config(tmp_path, train_data_dir=str(tmp_path / "anna"), dataset_repeats=4)
    found, odd = find_concepts(config)
    assert [(each.prompt, each.repeats) for each in found] == [("anna", 4)]
    assert {problem.code for problem in odd} == {"folder_ignored", "plain_folder", "leaf_folder"}


def test_plain_regularization(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "2_a" / "a.png")
    save_picture(tmp_path / "reg" / "woman" / "a.png")
    plan = make_plan(make_config(tmp_path, reg_data_dir=str(tmp_path / "reg")))
    assert [(each.prompt, each.regularization) for each in plan.concepts] == [("a", False), ("woman", True)]


@pytest.mark.parametrize("folder", ["", "  "])
def test_no_folder_is_not_the_current_one(
    tmp_path: Path, folder: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_picture(tmp_path / "1_here" / "a.png")
    monkeypatch.chdir(tmp_path)
    assert refusal(tmp_path, train_data_dir=folder).problem.code == "folder_not_chosen"


def test_a_date_is_not_a_number_of_repeats(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "20240115_holiday" / "a.png")
    error = refusal(tmp_path)
    assert error.problem.code == "bad_repeats"
    assert "20240115" in error.problem.message


def test_the_same_folder_for_both_is_used_once(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "2_a" / "a.png")
    plan = make_plan(make_config(tmp_path, reg_data_dir=str(tmp_path / "img" / ".." / "img")))
    assert [concept.regularization for concept in plan.concepts] == [False]
    assert "folder_twice" in {warning.code for warning in plan.warnings}


@WHERE_LINKS_ARE_FREE
def test_links_in_circles(tmp_path: Path) -> None:
    folder = tmp_path / "img" / "1_a"
    save_picture(folder / "a.png")
    (folder / "circle.png").symlink_to(folder / "circle.png")
    (folder / "a.txt").symlink_to(folder / "a.txt")
    (tmp_path / "img" / "2_circle").symlink_to(tmp_path / "img" / "2_circle")
    (tmp_path / "img" / "3_up").symlink_to(tmp_path / "img")
    plan = make_plan(make_config(tmp_path))
    assert plan.images == 1
    assert {"unreadable_image", "caption_unusable"} <= {warning.code for warning in plan.warnings}
    error = refusal(tmp_path, train_data_dir=str(tmp_path / "img" / "2_circle"))
    assert error.problem.code == "folder_unreadable"


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    os.mkfifo(folder / "pipe.png")
    (folder / "0.txt").unlink()
    os.mkfifo(folder / "0.txt")
    (read,) = read_dataset(make_config(project)).folders()
    assert [file.name for file in read.unreadable] == ["pipe.png"]
    assert read.pictures[0].caption.flaw == "unreadable"


@pytest.mark.skipif(sys.platform != "linux", reason="names are text elsewhere")
def test_names_that_are_no_text(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    (folder / "0.png").rename(Path(os.fsdecode(os.fsencode(folder) + b"/\xff.png")))
    plan = make_plan(make_config(project))
    assert plan.images == 3
    (said,) = [warning.message for warning in plan.warnings if warning.code == "unreadable_image"]
    said.encode("utf-8")
    folder.rename(Path(os.fsdecode(os.fsencode(project / "img") + b"/2_\xff")))
    error = refusal(project)
    assert error.problem.code == "folder_unreadable"
    error.problem.message.encode("utf-8")


def test_a_path_that_is_none(tmp_path: Path) -> None:
    assert refusal(tmp_path, train_data_dir="a\0b").problem.code == "folder_unreadable"
    assert refusal(tmp_path, train_data_dir="a" * 5000).problem.code == "folder_unreadable"


def test_a_folder_that_may_not_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save_picture(tmp_path / "img" / "1_a" / "a.png")
    save_picture(tmp_path / "img" / "lost+found" / "a.png")
    locked = {"lost+found"}
    iterdir = Path.iterdir

    def guarded(folder: Path) -> Iterator[Path]:
        if folder.name in locked:
            raise PermissionError(13, "Permission denied", str(folder))
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", guarded)
    assert make_plan(make_config(tmp_path)).images == 1
    locked.add("1_a")
    error = refusal(tmp_path)
    assert error.problem.code == "folder_unreadable"
    assert "1_a cannot be read: Permission denied." in error.problem.message
