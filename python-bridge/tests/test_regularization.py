"""Regularization: Kohya's balance in the first epoch, every picture in turn after it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lora_bridge.regularization import balance_regularization

repeats_of_pictures = st.lists(st.integers(1, 9), min_size=1, max_size=30)


@pytest.mark.parametrize("turns", [True, False])
@pytest.mark.parametrize(
    ("num_train", "repeats", "used"),
    [
        (400, [1] * 1000, [1] * 400 + [0] * 600),
        (400, [1] * 100, [4] * 100),
        (10, [7] * 5, [7, 7, 0, 0, 0]),
        (5, [1, 1], [3, 2]),
        (7, [2, 1, 1], [3, 2, 2]),
        (5, [], []),
        (0, [1, 1], [0, 0]),
    ],
)
def test_the_first_epoch_is_kohyas(num_train: int, repeats: list[int], used: list[int], turns: bool) -> None:
    assert balance_regularization(num_train, repeats, turns=turns).repeats(1) == used


def kohyas(num_train: int, repeats: list[int]) -> list[int]:
    """`DreamBoothDataset.__init__`, word for word but for its names."""
    registered = [0] * len(repeats)
    n = 0
    first_loop = True
    while n < num_train:
        for index, times in enumerate(repeats):
            if first_loop:
                registered[index] = times
                n += times
            else:
                registered[index] += 1
                n += 1
            if n >= num_train:
                break
        first_loop = False
    return registered


@given(st.integers(0, 300), repeats_of_pictures)
def test_any_first_epoch_is_kohyas(num_train: int, repeats: list[int]) -> None:
    assert balance_regularization(num_train, repeats, turns=True).repeats(1) == kohyas(num_train, repeats)


@given(st.integers(1, 300), repeats_of_pictures)
def test_each_epoch_has_as_many_and_all_pictures_are_used_alike(num_train: int, repeats: list[int]) -> None:
    rotation = balance_regularization(num_train, repeats, turns=True)
    epochs = [rotation.repeats(epoch) for epoch in range(1, rotation.period + 1)]
    assert {sum(epoch) for epoch in epochs} == {sum(kohyas(num_train, repeats))}
    shown = [sum(times) for times in zip(*epochs, strict=True)]
    assert rotation.repeats(rotation.period + 1) == epochs[0]
    if num_train <= sum(repeats):
        # In proportion to their repeats.
        assert len({total / times for total, times in zip(shown, repeats, strict=True)}) == 1
    else:
        assert {total - rotation.period * times for total, times in zip(shown, repeats, strict=True)} == {
            shown[0] - rotation.period * repeats[0]
        }


@given(st.integers(1, 60), repeats_of_pictures, st.integers(1, 12), st.booleans())
def test_what_is_shown_is_known_beforehand(
    num_train: int, repeats: list[int], epochs: int, turns: bool
) -> None:
    rotation = balance_regularization(num_train, repeats, turns=turns)
    seen = [False] * len(repeats)
    for epoch in range(1, epochs + 1):
        seen = [old or times > 0 for old, times in zip(seen, rotation.repeats(epoch), strict=True)]
    assert rotation.shown(epochs) == seen


def test_the_next_epoch_goes_on_where_the_last_ended() -> None:
    rotation = balance_regularization(4, [1] * 6, turns=True)
    assert [rotation.repeats(epoch) for epoch in (1, 2, 3, 4)] == [
        [1, 1, 1, 1, 0, 0],
        [1, 1, 0, 0, 1, 1],
        [0, 0, 1, 1, 1, 1],
        [1, 1, 1, 1, 0, 0],
    ]


def test_kohyas_epochs_are_all_the_same() -> None:
    rotation = balance_regularization(4, [1] * 6, turns=False)
    assert rotation.period == 1
    assert rotation.repeats(9) == rotation.repeats(1)
