"""Which pictures are kept back from training."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from training_support import make_config, save_picture

from lora_bridge.dataset import epoch_batches, read_dataset
from lora_bridge.plan import make_plan
from lora_bridge.problems import ProblemError
from lora_bridge.validation_split import split_for_validation


def paths(count: int, folder: str = "2_ohwx") -> list[Path]:
    return [Path("here", folder, f"{index}.png") for index in range(count)]


@given(st.integers(2, 200), st.floats(0.001, 0.9), st.integers(0, 2**32 - 1))
def test_a_share_is_kept_back_and_something_on_either_side(count: int, share: float, seed: int) -> None:
    kept = split_for_validation(paths(count), share, seed)
    assert len(kept) == min(max(round(count * share), 1), count - 1)
    assert kept <= set(range(count))


def test_no_share_keeps_nothing_back() -> None:
    assert split_for_validation(paths(1), 0.0, 0) == frozenset()


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_pictures_cannot_be_split(count: int) -> None:
    with pytest.raises(ProblemError, match="Validation split") as caught:
        split_for_validation(paths(count), 0.1, 0)
    assert caught.value.problem.code == "validation_split"


def test_the_seed_decides() -> None:
    splits = [split_for_validation(paths(40), 0.2, seed) for seed in (0, 0, 1)]
    assert splits[0] == splits[1] != splits[2]


def test_the_split_moves_with_the_project() -> None:
    elsewhere = [Path("elsewhere") / path.relative_to("here") for path in paths(40)]
    assert split_for_validation(elsewhere, 0.2, 3) == split_for_validation(paths(40), 0.2, 3)


@given(st.integers(0, 39), st.integers(0, 99))
def test_a_picture_that_goes_moves_one_other_at_most(gone: int, seed: int) -> None:
    before = paths(40)
    after = [path for index, path in enumerate(before) if index != gone]
    kept_before = {before[index] for index in split_for_validation(before, 0.25, seed)}
    kept_after = {after[index] for index in split_for_validation(after, 0.25, seed)}
    assert len((kept_before ^ kept_after) - {before[gone]}) <= 1


def test_no_epoch_shows_what_was_kept_back(project: Path) -> None:
    save_picture(project / "reg" / "1_person" / "a.png")
    config = make_config(project, validation_split=0.25, reg_data_dir=str(project / "reg"))
    dataset = read_dataset(config)
    (kept,) = dataset.validation
    assert not kept.regularization
    shown = [sample.picture.path for batch in epoch_batches(dataset, 7, 1) for sample in batch]
    assert kept.picture.path not in shown
    # Regularization is balanced against what is left: 3 pictures, twice.
    assert sorted(path.parent.name for path in shown) == ["1_person"] * 6 + ["2_ohwx person"] * 6
    assert dataset.everything() == (*dataset.samples, kept)
    plan = make_plan(config)
    assert (plan.images, plan.validation_images, plan.regularization_images) == (3, 1, 1)
    assert plan.total_steps == 6


def test_a_part_that_cannot_be_split_is_said(tmp_path: Path) -> None:
    save_picture(tmp_path / "img" / "1_a" / "a.png")
    with pytest.raises(ProblemError, match="only one picture"):
        make_plan(make_config(tmp_path, validation_split=0.5))
