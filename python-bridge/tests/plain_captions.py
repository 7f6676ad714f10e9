"""Rules of captions that change nothing."""

from __future__ import annotations

from lora_bridge.caption_rules import CaptionRules

PLAIN_CAPTIONS = CaptionRules(
    extension=".txt",
    separator=",",
    shuffle=False,
    keep_tokens=0,
    keep_tokens_separator="",
    secondary_separator="",
    wildcard=False,
    prefix="",
    suffix="",
    dropout_rate=0.0,
    dropout_every_n_epochs=0,
    tag_dropout_rate=0.0,
    token_warmup_min=1,
    token_warmup_step=0.0,
)
