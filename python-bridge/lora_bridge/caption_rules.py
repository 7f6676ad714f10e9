"""What is made of a caption each time its picture is shown, in the order of sd-scripts' `process_caption`.

Where sd-scripts goes wrong this does not follow it:
- prefix and suffix belong to every line of a caption; there only to its first and its last,
- the separator of kept tokens is never shown to the model; there it stays where nothing is shuffled,
- `a, , b` has two tags and `a,` one; there the empty ones are shuffled with the others,
- prefix, suffix, wildcards and every dropout count with cached text encoder outputs too,
- an empty caption gets no blank beside its prefix or suffix.
"""

from __future__ import annotations

import math
import re
from itertools import permutations
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct
from msgspec.structs import replace

from lora_bridge.images import IMAGE_EXTENSIONS
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator, Sequence

    from lora_bridge.captions import Caption
    from lora_bridge.protocol_types import TrainConfig

_CHOICE = re.compile(r"\{([^}]+)\}")
# What stands for {{ and }} while choices are looked for: no text from a file or a config can hold them.
_OPEN, _CLOSE = "\udc00", "\udc01"


class CaptionRules(Struct, frozen=True):
    """How the captions of a folder are read and varied."""

    extension: str
    separator: str
    """Between the tags of a caption."""
    shuffle: bool
    keep_tokens: int
    keep_tokens_separator: str
    secondary_separator: str
    wildcard: bool
    prefix: str
    suffix: str
    dropout_rate: float
    dropout_every_n_epochs: int
    """0: never."""
    tag_dropout_rate: float
    token_warmup_min: int
    token_warmup_step: float
    """In steps, or below 1 as a share of all. 0: no warm-up."""

    @property
    def varies_tags(self) -> bool:
        """Whether tags are moved or left out."""
        return self.shuffle or self.tag_dropout_rate > 0 or self.token_warmup_step > 0

    @property
    def drops_captions(self) -> bool:
        """Whether pictures are shown without their captions now and then."""
        return self.dropout_rate > 0 or self.dropout_every_n_epochs > 0


def caption_rules(config: TrainConfig) -> CaptionRules:
    """The rules that a config gives to all captions."""
    return CaptionRules(
        extension=config.caption_extension,
        separator=config.caption_separator,
        shuffle=config.shuffle_caption,
        keep_tokens=config.keep_tokens,
        keep_tokens_separator=config.keep_tokens_separator,
        secondary_separator=config.secondary_separator,
        wildcard=config.enable_wildcard,
        prefix=config.caption_prefix,
        suffix=config.caption_suffix,
        dropout_rate=config.caption_dropout_rate,
        dropout_every_n_epochs=config.caption_dropout_every_n_epochs,
        tag_dropout_rate=config.caption_tag_dropout_rate,
        token_warmup_min=config.token_warmup_min,
        token_warmup_step=config.token_warmup_step,
    )


def make_caption(  # noqa: PLR0917 - each is a plain number
    rules: CaptionRules, caption: Caption, chance: random.Random, epoch: int, step: int, total_steps: int
) -> str:
    """The caption as the model reads it in a step of an epoch, both counted from 1.

    Dropout, then wildcards, then the tags: warm-up keeps a growing number of them, they are shuffled, and
    each is left out by chance. Choices `{a|b}` do not nest, `{{` and `}}` are braces.
    """
    if _is_dropped(rules, chance, epoch):
        return ""

    def vary(tags: list[str]) -> list[str]:
        tags = tags[: _tags_shown(rules, len(tags), step, total_steps)]
        if rules.shuffle:
            chance.shuffle(tags)
        if rules.tag_dropout_rate > 0:
            tags = [tag for tag in tags if chance.random() >= rules.tag_dropout_rate]
        return tags

    return _compose(rules, _one_line(rules, caption, chance.choice), vary)


def plain_caption(rules: CaptionRules, caption: Caption) -> str:
    """A caption without chance: whole, its tags in their order, the first of every choice."""
    return _compose(rules, _one_line(rules, caption, _first), list)


def possible_captions(rules: CaptionRules, caption: Caption) -> frozenset[str] | None:
    """Everything that `make_caption` can make of a caption; None where that may be too much to list."""
    if _varies(rules, caption):
        return None
    text = plain_caption(rules, caption)
    return frozenset({text, ""} if rules.drops_captions else {text})


def require_captions(config: TrainConfig) -> None:
    """Raise ProblemError `caption_extension` or `caption_separators` for rules that cannot be followed."""
    rules = caption_rules(config)
    if rules.extension.lower() in IMAGE_EXTENSIONS:
        raise ProblemError(
            "caption_extension",
            f"Caption file extension is {rules.extension}, which is that of pictures.",
            "Choose an extension of text files; .txt is usual.",
        )
    names = {
        "Caption separator": rules.separator,
        "Keep tokens separator": rules.keep_tokens_separator,
        "Secondary separator": rules.secondary_separator,
    }
    if not rules.separator:
        raise _separators("Caption separator is empty, so that tags cannot be told apart.")
    for one, other in permutations([name for name in names if names[name]], 2):
        if names[one] == names[other]:
            raise _separators(f"{one} and {other} are both “{names[one]}”.")
        # The separator of kept tokens is looked for first, and may contain the others.
        if one != "Keep tokens separator" and names[other] in names[one]:
            raise _separators(
                f"{one} “{names[one]}” contains {other} “{names[other]}”, which would split it."
            )


def caption_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What a person should know about the parameters of captions."""
    rules = caption_rules(config)
    if not rules.varies_tags:
        yield from _idle_rules(rules)
    if rules.token_warmup_min > 1 and rules.token_warmup_step == 0:
        yield Problem(
            code="token_warmup_ignored",
            message=f"Token warmup minimum is {rules.token_warmup_min}, but Token warmup steps is 0, so "
            "there is no warm-up.",
            hint="Set Token warmup steps, or set the minimum back to 1.",
        )
    if rules.dropout_rate == 1 or rules.dropout_every_n_epochs == 1 or rules.tag_dropout_rate == 1:
        yield Problem(
            code="captions_never_shown",
            message="Captions are dropped every time, so the LoRA learns no words.",
            hint="Lower Rate of caption dropout and Rate of tag dropout, or raise Dropout caption every n "
            "epochs.",
        )
    if config.cache_text_encoder_outputs and (rules.varies_tags or rules.wildcard):
        yield Problem(
            code="text_encoders_stay",
            message="Where captions change from step to step, the text encoders stay in memory and read them "
            "as they come.",
            hint="Turn Shuffle caption, Enable wildcard, tag dropout and token warm-up off to save their "
            "memory.",
        )
    if config.cache_text_encoder_outputs_to_disk and not config.cache_text_encoder_outputs:
        yield Problem(
            code="text_cache_ignored",
            message="Cache text encoder outputs to disk is on, but Cache text encoder outputs is off, so "
            "nothing is kept.",
            hint="Turn Cache text encoder outputs on too.",
        )


class _Tags(NamedTuple):
    head: list[str]
    free: list[str]
    """May be moved and left out."""
    tail: list[str]


def _idle_rules(rules: CaptionRules) -> Iterator[Problem]:
    """What only acts where tags are moved or left out."""
    idle = {
        "Keep n tokens": rules.keep_tokens > 0,
        "Keep tokens separator": bool(rules.keep_tokens_separator),
        "Secondary separator": bool(rules.secondary_separator),
    }
    for label, is_set in idle.items():
        if is_set:
            yield Problem(
                code="tags_stay",
                message=f"{label} is set, but tags are neither shuffled nor left out, so it keeps nothing.",
                hint="Turn Shuffle caption on, or empty it.",
            )


def _separators(message: str) -> ProblemError:
    return ProblemError("caption_separators", message, "Usual are , and ||| and ;;; in this order.")


def _is_dropped(rules: CaptionRules, chance: random.Random, epoch: int) -> bool:
    by_chance = rules.dropout_rate > 0 and chance.random() < rules.dropout_rate
    every = rules.dropout_every_n_epochs
    return by_chance or (every > 0 and epoch % every == 0)


def _one_line(rules: CaptionRules, caption: Caption, pick: Callable[[Sequence[str]], str]) -> str:
    """A line with prefix and suffix; with wildcards, `pick` takes it, and one of each choice in it."""
    line = pick(caption.lines) if rules.wildcard and caption.lines else caption.text
    text = " ".join(part for part in (rules.prefix, line, rules.suffix) if part)
    if not rules.wildcard:
        return text
    text = text.replace("{{", _OPEN).replace("}}", _CLOSE)
    text = _CHOICE.sub(lambda choice: pick(choice[1].split("|")), text)
    return text.replace(_OPEN, "{").replace(_CLOSE, "}")


def _first(choices: Sequence[str]) -> str:
    return choices[0]


def _compose(rules: CaptionRules, text: str, vary: Callable[[list[str]], list[str]]) -> str:
    if rules.varies_tags or (rules.keep_tokens_separator and rules.keep_tokens_separator in text):
        tags = _split(rules, text)
        text = ", ".join(tags.head + vary(tags.free) + tags.tail)
    if rules.secondary_separator:
        text = text.replace(rules.secondary_separator, rules.separator)
    return text


def _split(rules: CaptionRules, text: str) -> _Tags:
    if rules.keep_tokens_separator and rules.keep_tokens_separator in text:
        head, free, *tail = (_tags(rules, part) for part in text.split(rules.keep_tokens_separator))
        return _Tags(head, free, [tag for tags in tail for tag in tags])
    tags = _tags(rules, text)
    return _Tags(tags[: rules.keep_tokens], tags[rules.keep_tokens :], [])


def _tags(rules: CaptionRules, text: str) -> list[str]:
    tags = (tag.strip() for tag in text.split(rules.separator))
    return [tag for tag in tags if tag]


def _tags_shown(rules: CaptionRules, count: int, step: int, total_steps: int) -> int:
    """How many of the free tags the warm-up shows in a step, counted from 1."""
    steps = rules.token_warmup_step
    if steps < 1:
        steps = math.floor(steps * total_steps)
    done = step - 1
    if done >= steps:
        return count
    return math.floor(done * ((count - rules.token_warmup_min) / steps)) + rules.token_warmup_min


def _varies(rules: CaptionRules, caption: Caption) -> bool:
    """Whether a caption that is not dropped may differ from step to step."""
    text = _one_line(replace(rules, wildcard=False), caption, _first)
    if rules.wildcard and (len(caption.lines) > 1 or "{" in text):
        return True
    free = len(_split(rules, text).free)
    return (
        (rules.shuffle and free > 1)
        or (rules.tag_dropout_rate > 0 and free > 0)
        or (rules.token_warmup_step > 0 and free > rules.token_warmup_min)
    )
