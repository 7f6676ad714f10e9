"""What is asked of the parameters of captions before a run starts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from plain_captions import PLAIN_CAPTIONS
from training_support import make_config

from lora_bridge.caption_rules import (
    CaptionRules,
    caption_rules,
    caption_warnings,
    require_captions,
)
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path


def test_the_rules_of_a_config(tmp_path: Path) -> None:
    config = make_config(
        tmp_path,
        caption_extension=".caption",
        caption_separator=";",
        shuffle_caption=True,
        keep_tokens=3,
        keep_tokens_separator="|||",
        secondary_separator="+++",
        enable_wildcard=True,
        caption_prefix="p",
        caption_suffix="s",
        caption_dropout_rate=0.1,
        caption_dropout_every_n_epochs=4,
        caption_tag_dropout_rate=0.2,
        token_warmup_min=5,
        token_warmup_step=0.3,
    )
    assert caption_rules(config) == CaptionRules(
        extension=".caption",
        separator=";",
        shuffle=True,
        keep_tokens=3,
        keep_tokens_separator="|||",
        secondary_separator="+++",
        wildcard=True,
        prefix="p",
        suffix="s",
        dropout_rate=0.1,
        dropout_every_n_epochs=4,
        tag_dropout_rate=0.2,
        token_warmup_min=5,
        token_warmup_step=0.3,
    )
    require_captions(config)
    assert caption_rules(make_config(tmp_path)) == PLAIN_CAPTIONS


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"caption_extension": ".PNG"}, "caption_extension", "Caption file extension is .PNG"),
        ({"caption_separator": ""}, "caption_separators", "Caption separator is empty"),
        (
            {"keep_tokens_separator": ","},
            "caption_separators",
            "Caption separator and Keep tokens separator are both “,”",
        ),
        ({"secondary_separator": ","}, "caption_separators", "and Secondary separator are both “,”"),
        (
            {"caption_separator": ";", "secondary_separator": ";;;"},
            "caption_separators",
            "contains Caption separator",
        ),
        (
            {"keep_tokens_separator": "||", "secondary_separator": "|||"},
            "caption_separators",
            "contains Keep tokens separator",
        ),
    ],
)
def test_contradictions_are_refused(tmp_path: Path, changes: dict[str, Any], code: str, said: str) -> None:
    with pytest.raises(ProblemError) as caught:
        require_captions(make_config(tmp_path, **changes))
    assert caught.value.problem.code == code
    assert said in caught.value.problem.message
    assert caught.value.problem.hint


def test_usual_separators_are_no_contradiction(tmp_path: Path) -> None:
    require_captions(make_config(tmp_path, keep_tokens_separator="|||", secondary_separator=";;;"))
    require_captions(make_config(tmp_path, keep_tokens_separator=",,,"))


SHUFFLED = {"shuffle_caption": True, "cache_text_encoder_outputs": False}


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({}, []),
        ({"keep_tokens": 1}, ["tags_stay"]),
        ({"keep_tokens_separator": "|||", "secondary_separator": ";;;"}, ["tags_stay", "tags_stay"]),
        ({**SHUFFLED, "keep_tokens": 1, "secondary_separator": ";;;"}, []),
        ({"token_warmup_min": 2}, ["token_warmup_ignored"]),
        ({"caption_dropout_rate": 1.0}, ["captions_never_shown"]),
        ({"caption_dropout_every_n_epochs": 1}, ["captions_never_shown"]),
        ({**SHUFFLED, "caption_tag_dropout_rate": 1.0}, ["captions_never_shown"]),
        ({"shuffle_caption": True}, ["text_encoders_stay"]),
        ({"enable_wildcard": True}, ["text_encoders_stay"]),
        ({"caption_tag_dropout_rate": 0.5}, ["text_encoders_stay"]),
        ({"token_warmup_step": 0.5}, ["text_encoders_stay"]),
        ({"caption_dropout_rate": 0.5}, []),
        (
            {"cache_text_encoder_outputs": False, "cache_text_encoder_outputs_to_disk": True},
            ["text_cache_ignored"],
        ),
    ],
)
def test_what_a_person_should_know(tmp_path: Path, changes: dict[str, Any], codes: list[str]) -> None:
    warnings = list(caption_warnings(make_config(tmp_path, **changes)))
    assert [warning.code for warning in warnings] == codes
    assert all(warning.message.endswith(".") and warning.hint for warning in warnings)
