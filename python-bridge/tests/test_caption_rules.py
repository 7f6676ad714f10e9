"""What is made of captions: Kohya's order, with its faults left out."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace
from plain_captions import PLAIN_CAPTIONS

from lora_bridge.caption_rules import (
    CaptionRules,
    make_caption,
    plain_caption,
    possible_captions,
)
from lora_bridge.captions import Caption

if TYPE_CHECKING:
    from collections.abc import Callable


def rules(**changes: Any) -> CaptionRules:
    return replace(PLAIN_CAPTIONS, **changes)


def made(
    chosen: CaptionRules, *lines: str, seed: int = 0, epoch: int = 1, step: int = 1, total: int = 100
) -> str:
    return make_caption(chosen, Caption(lines, None), random.Random(seed), epoch, step, total)


def all_made(chosen: CaptionRules, *lines: str, times: int = 400, **place: int) -> Counter[str]:
    return Counter(made(chosen, *lines, seed=seed, **place) for seed in range(times))


def test_without_rules_a_caption_is_its_first_line() -> None:
    assert made(PLAIN_CAPTIONS, "a {b|c} , d,,", "second") == "a {b|c} , d,,"
    assert made(PLAIN_CAPTIONS) == ""


def test_prefix_and_suffix_come_with_a_blank() -> None:
    around = rules(prefix="a photo of", suffix="in the sun")
    assert made(around, "me") == "a photo of me in the sun"
    assert made(around) == "a photo of in the sun"
    assert made(rules(prefix="only")) == "only"


def test_every_line_has_prefix_and_suffix() -> None:
    chosen = rules(prefix="x", suffix="y", wildcard=True)
    assert all_made(chosen, "one", "two", "three").keys() == {"x one y", "x two y", "x three y"}


@pytest.mark.parametrize(
    ("text", "possible"),
    [
        ("{red|green|blue} car", {"red car", "green car", "blue car"}),
        ("{a|b}{c|d}", {"ac", "ad", "bc", "bd"}),
        ("{a|} car", {"a car", " car"}),
        ("{one}", {"one"}),
        ("{{a|b}}", {"{a|b}"}),
        ("{{ {a|b} }}", {"{ a }", "{ b }"}),
        ("{a{{|b}", {"a{", "b"}),
        ("{}", {"{}"}),
        ("{open|car", {"{open|car"}),
        ("a|b}", {"a|b}"}),
        # Choices do not nest.
        ("{a|{b|c}", {"a", "{b", "c"}),
    ],
)
def test_wildcards(text: str, possible: set[str]) -> None:
    assert all_made(rules(wildcard=True), text).keys() == possible


def test_choices_are_equally_likely_lines_too() -> None:
    counts = all_made(rules(wildcard=True), "{a|b}", "c", times=4000)
    assert counts["c"] == pytest.approx(2000, abs=150)
    assert counts["a"] == pytest.approx(1000, abs=130)


def test_choices_in_prefix_and_suffix_are_made_too() -> None:
    assert all_made(rules(wildcard=True, prefix="{a|b}"), "x").keys() == {"a x", "b x"}


def test_dropout_by_rate() -> None:
    counts = all_made(rules(dropout_rate=0.25, prefix="with"), "me", times=4000)
    assert counts.keys() == {"", "with me"}
    assert counts[""] == pytest.approx(1000, abs=130)
    assert all_made(rules(dropout_rate=1.0), "me").keys() == {""}


def test_dropout_by_epoch_counted_from_1() -> None:
    every = rules(dropout_every_n_epochs=3)
    assert [made(every, "me", epoch=epoch) for epoch in range(1, 8)] == ["me", "me", "", "me", "me", "", "me"]
    assert made(rules(dropout_every_n_epochs=1), "me") == ""


def test_shuffling_moves_all_tags_alike() -> None:
    counts = all_made(rules(shuffle=True), " a ,b,  c", times=6000)
    assert len(counts) == 6
    assert all(count == pytest.approx(1000, abs=130) for count in counts.values())
    assert "b, c, a" in counts


def test_empty_tags_are_no_tags() -> None:
    assert all_made(rules(shuffle=True), "a,,b, ,").keys() == {"a, b", "b, a"}
    assert made(rules(shuffle=True), " , ,") == ""


def test_kept_tokens_stay_in_front() -> None:
    kept = all_made(rules(shuffle=True, keep_tokens=2), "a, b, c, d")
    assert kept.keys() == {"a, b, c, d", "a, b, d, c"}
    assert made(rules(shuffle=True, keep_tokens=9), "a, b") == "a, b"
    # What the prefix says is in front of them.
    assert all_made(rules(shuffle=True, keep_tokens=1, prefix="p,"), "a, b").keys() == {"p, a, b", "p, b, a"}


def test_the_separator_of_kept_tokens() -> None:
    chosen = rules(shuffle=True, keep_tokens=1, keep_tokens_separator="|||")
    assert all_made(chosen, "x, y ||| a, b").keys() == {"x, y, a, b", "x, y, b, a"}
    assert all_made(chosen, "x, y ||| a, b ||| z").keys() == {"x, y, a, b, z", "x, y, b, a, z"}
    assert all_made(chosen, "||| a, b ||| y ||| z").keys() == {"a, b, y, z", "b, a, y, z"}
    # Where it is not, the number of kept tokens counts.
    assert all_made(chosen, "x, a, b").keys() == {"x, a, b", "x, b, a"}


def test_the_separator_of_kept_tokens_is_never_shown() -> None:
    assert made(rules(keep_tokens_separator="|||"), "x,y ||| a, b") == "x, y, a, b"
    assert made(rules(keep_tokens_separator="|||"), "x,y , a, b") == "x,y , a, b"


def test_the_secondary_separator_binds() -> None:
    chosen = rules(shuffle=True, secondary_separator=";;;")
    assert all_made(chosen, "a;;;b, c").keys() == {"a,b, c", "c, a,b"}
    assert made(rules(secondary_separator=";;;"), "a;;;b, c") == "a,b, c"


def test_another_separator_divides_and_commas_join() -> None:
    assert all_made(rules(shuffle=True, separator=";"), "a, b; c").keys() == {"a, b, c", "c, a, b"}


def test_tags_are_left_out_each_by_itself() -> None:
    counts = all_made(rules(tag_dropout_rate=0.25, keep_tokens=1), "x, a, b", times=4000)
    assert counts.keys() == {"x, a, b", "x, a", "x, b", "x"}
    assert counts["x, a, b"] == pytest.approx(4000 * 0.75**2, abs=150)
    assert counts["x"] == pytest.approx(4000 * 0.25**2, abs=70)
    assert made(rules(tag_dropout_rate=1.0), "a, b") == ""


@pytest.mark.parametrize("duration", [8.0, 0.8])
def test_warm_up_shows_more_tags_from_step_to_step(duration: float) -> None:
    chosen = rules(token_warmup_min=2, token_warmup_step=duration)
    shown = [made(chosen, "a, b, c, d, e, f", step=step, total=10).count(",") + 1 for step in range(1, 11)]
    # floor((steps done) * (6 - 2) / 8) + 2
    assert shown == [2, 2, 3, 3, 4, 4, 5, 5, 6, 6]


def test_warm_up_leaves_kept_tags_alone_and_asks_for_no_more_than_there_are() -> None:
    chosen = rules(token_warmup_step=50.0, keep_tokens_separator="|||")
    assert made(chosen, "x, y ||| a, b ||| z") == "x, y, a, z"
    assert made(rules(token_warmup_step=50.0, token_warmup_min=5), "a, b") == "a, b"
    assert made(rules(token_warmup_step=0.001), "a, b") == "a, b"


def test_the_same_chance_draws_the_same() -> None:
    chosen = rules(shuffle=True, tag_dropout_rate=0.3, dropout_rate=0.1, wildcard=True)
    text = "{a|b|c}, d, e, f, g, h"
    assert [made(chosen, text, seed=seed) for seed in range(50)] == [
        made(chosen, text, seed=seed) for seed in range(50)
    ]


@pytest.mark.parametrize(
    ("changes", "lines", "possible"),
    [
        ({}, ("a, b",), {"a, b"}),
        ({}, (), {""}),
        ({"prefix": "p", "suffix": "s"}, ("a", "b"), {"p a s"}),
        ({"dropout_rate": 0.1}, ("a",), {"a", ""}),
        ({"dropout_every_n_epochs": 2}, ("a",), {"a", ""}),
        ({"secondary_separator": ";;;"}, ("a;;;b",), {"a,b"}),
        ({"shuffle": True}, ("a, b",), None),
        ({"shuffle": True, "dropout_rate": 0.5}, (" only ,",), {"only", ""}),
        ({"shuffle": True, "keep_tokens": 1}, ("a , b",), {"a, b"}),
        ({"tag_dropout_rate": 0.1}, ("a",), None),
        ({"tag_dropout_rate": 0.1, "keep_tokens": 1}, ("a",), {"a"}),
        ({"token_warmup_step": 0.5}, ("a, b",), None),
        ({"token_warmup_step": 0.5}, ("a",), {"a"}),
        ({"wildcard": True}, ("a",), {"a"}),
        ({"wildcard": True}, ("a", "b"), None),
        ({"wildcard": True}, ("{a|b}",), None),
        ({"wildcard": True, "suffix": "{a|b}"}, ("a",), None),
    ],
)
def test_captions_that_can_be_listed_are(
    changes: dict[str, Any], lines: tuple[str, ...], possible: set[str] | None
) -> None:
    chosen = rules(**changes)
    assert possible_captions(chosen, Caption(lines, None)) == possible
    drawn = {
        text
        for epoch in (1, 2)
        for step in (1, 60)
        for text in all_made(chosen, *lines, times=100, epoch=epoch, step=step)
    }
    assert drawn == possible if possible is not None else len(drawn) > 1


def test_a_plain_caption_has_no_chance_in_it() -> None:
    chosen = rules(shuffle=True, dropout_rate=1.0, tag_dropout_rate=1.0, wildcard=True, token_warmup_step=9.0)
    caption = Caption(("{a|b} ,c, d", "second"), None)
    assert plain_caption(replace(chosen, prefix="p,"), caption) == "p, a, c, d"


def _odd_text(chance: random.Random) -> str:
    parts = [
        "{",
        "}",
        "|",
        "{{",
        "}}",
        ",",
        ";;;",
        "|||",
        " ",
        "\n",
        "😀",
        "שלום",
        "a",
        "tag",
        "\\",
        "\t",
        "(b:1.2)",
    ]
    return "".join(chance.choice(parts) for _ in range(chance.randrange(60)))


def _odd_rules(chance: random.Random) -> CaptionRules:
    some: Callable[..., Any] = chance.choice
    return rules(
        shuffle=some([False, True]),
        keep_tokens=some([0, 1, 200]),
        keep_tokens_separator=some(["", "|||"]),
        secondary_separator=some(["", ";;;"]),
        wildcard=some([False, True]),
        prefix=some(["", "{a|b}", "😀,"]),
        suffix=some(["", "}"]),
        dropout_rate=some([0.0, 0.5]),
        dropout_every_n_epochs=some([0, 2]),
        tag_dropout_rate=some([0.0, 0.5]),
        token_warmup_min=some([1, 7]),
        token_warmup_step=some([0.0, 0.5, 3.0, 1e7]),
    )


def test_whatever_a_caption_says_something_is_made_of_it() -> None:
    chance = random.Random(1)
    for _ in range(2000):
        chosen = _odd_rules(chance)
        lines = tuple(line for line in (_odd_text(chance).strip() for _ in range(3)) if line)
        caption = Caption(lines, None)
        possible = possible_captions(chosen, caption)
        for step in (1, 2, 100):
            text = make_caption(chosen, caption, chance, epoch=step, step=step, total_steps=100)
            assert possible is None or text in possible
            # What stands in for braces is put back.
            assert text.encode("utf-8").decode("utf-8") == text
