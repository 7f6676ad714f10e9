"""What is written into a caption file: what a model said, and what was there."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from lora_bridge.protocol_types import CaptionConfig

_SEPARATOR = ","


def new_caption(said: str, config: CaptionConfig) -> str:
    """Between prefix and postfix. `said` is not empty."""
    return " ".join(part for part in (config.prefix.strip(), said, config.postfix.strip()) if part)


def appended(there: str, said: str, config: CaptionConfig) -> str:
    """The caption that is there, then what it does not say yet; unchanged where it says all of it.

    A prefix or postfix that it has already is not written a second time.
    """
    prefix, postfix = config.prefix.strip(), config.postfix.strip()
    bare = there
    for fixed in (prefix, postfix):
        if fixed:
            bare = bare.replace(fixed, _SEPARATOR)
    known = _phrases(there).keys() | _phrases(bare).keys()
    fresh = [phrase for key, phrase in _phrases(said).items() if key not in known]
    if not fresh:
        return there
    parts = (
        "" if prefix in there else prefix,
        ", ".join(fresh),
        "" if postfix in there else postfix,
    )
    return f"{there.rstrip(' ,')}, {' '.join(part for part in parts if part)}"


def _phrases(text: str) -> dict[str, str]:
    """What stands between the commas, by what is compared."""
    phrases: dict[str, str] = {}
    for part in text.split(_SEPARATOR):
        if phrase := " ".join(part.split()):
            phrases.setdefault(phrase.casefold(), phrase)
    return phrases
