"""From a tagger's probabilities to a line of tags.

Source: sd-scripts' finetune/tag_images_by_wd14_tagger.py.
"""

from __future__ import annotations

import csv
import re
from typing import TYPE_CHECKING, Literal, NamedTuple

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import CaptionConfig

_CATEGORIES: dict[str, Literal["general", "character", "rating"]] = {
    "0": "general",
    "4": "character",
    "9": "rating",
}
_SHORTEST_WITH_SPACES = 4
"""Shorter tags are faces, like `>_<`, and keep their underscores."""


class Tag(NamedTuple):
    """One line of `selected_tags.csv`."""

    name: str
    kind: Literal["general", "character", "rating", "other"]


def read_tags(file: Path) -> list[Tag]:
    """In the order of the model's probabilities. Raises OSError, ValueError."""
    with file.open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    if not rows or not {"name", "category"} <= rows[0].keys():
        raise ValueError(f"{file.name} lacks the columns name and category")
    return [Tag(row["name"], _CATEGORIES.get(row["category"], "other")) for row in rows]


class TagRules(NamedTuple):
    """Which tags are written, and how."""

    general_threshold: float
    character_threshold: float
    separator: str
    remove_underscore: bool
    undesired: frozenset[str]
    replacements: dict[str, str]
    rating: Literal["none", "first", "last"]
    character_first: bool
    expand_characters: bool

    def text(self, tags: list[Tag], probabilities: list[float]) -> str:
        """The tags that are likely enough, in the order of the list; empty where there are none."""
        found: dict[str, list[str]] = {"general": [], "character": []}
        thresholds = {"general": self.general_threshold, "character": self.character_threshold}
        likeliest = ""
        highest = -1.0
        for tag, probability in zip(tags, probabilities, strict=True):
            if tag.kind == "rating" and probability > highest:
                likeliest, highest = tag.name, probability
            elif tag.kind in found and probability >= thresholds[tag.kind]:
                found[tag.kind].append(self._written(tag))
        general, character = found["general"], found["character"]
        chosen = [*character, *general] if self.character_first else [*general, *character]
        if not chosen:
            return ""
        if self.rating != "none" and likeliest:
            rating = self._written(Tag(likeliest, "rating"))
            chosen = [rating, *chosen] if self.rating == "first" else [*chosen, rating]
        return self.separator.join(dict.fromkeys(tag for tag in chosen if tag not in self.undesired))

    def _written(self, tag: Tag) -> str:
        name = self._expanded(tag.name) if tag.kind == "character" and self.expand_characters else tag.name
        if self.remove_underscore and len(name) >= _SHORTEST_WITH_SPACES:
            name = name.replace("_", " ")
        return self.replacements.get(name, name)

    def _expanded(self, name: str) -> str:
        """`name_(series)` as two tags."""
        match = re.fullmatch(r"(.+?)_?\(([^()]*)\)", name)
        return name if match is None else f"{match[1]}{self.separator}{match[2]}"


def tag_rules(config: CaptionConfig) -> TagRules:
    """Raises ProblemError `tag_replacement`."""
    undesired = (tag.strip() for tag in config.wd14_undesired_tags.split(","))
    return TagRules(
        general_threshold=config.wd14_general_threshold,
        character_threshold=config.wd14_character_threshold,
        separator=config.wd14_separator,
        remove_underscore=config.wd14_remove_underscore,
        undesired=frozenset(tag for tag in undesired if tag),
        replacements=_replacements(config.wd14_tag_replacement),
        rating=config.wd14_rating_tags,
        character_first=config.wd14_character_tags_first,
        expand_characters=config.wd14_character_tag_expand,
    )


def _replacements(text: str) -> dict[str, str]:
    pairs: dict[str, str] = {}
    for pair in _split(text, ";"):
        if not pair.strip():
            continue
        sides = [_unescaped(side).strip() for side in _split(pair, ",")]
        if len(sides) != 2 or not sides[0]:
            raise ProblemError(
                "tag_replacement",
                f"Tag replacement: “{pair.strip()}” is not one tag and the other, with a comma between them.",
                "Write tag,other;tag,other. A comma or semicolon of a tag itself has a backslash before it.",
            )
        pairs[sides[0]] = sides[1]
    return pairs


def _split(text: str, separator: str) -> list[str]:
    return re.split(rf"(?<!\\){re.escape(separator)}", text)


def _unescaped(text: str) -> str:
    return re.sub(r"\\([,;])", r"\1", text)
