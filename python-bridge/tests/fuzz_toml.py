"""Dataset TOMLs for fuzzed datasets: valid ones, and what becomes of them by changes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Sequence

_ODD_VALUES = (
    *("nan", "inf", "-inf", "-1", "0", "1", "2", "64", "1e308", "99999999999999999999999", "0x10", "1_000"),
    *("true", "false", '""', '" "', '"\\u0000"', '"🎈"', '"../.."', "'''\n\n'''", '"."', '"C:\\\\x"'),
    *("1979-05-27", "07:32:00", "1979-05-27T07:32:00Z", "[]", "[[]]", "[1, 2]", "[nan, nan]", "[64, -64]"),
    *("{}", "{a = 1}", "[{}]", "[64, 64.5]", '["64", "64"]', "9223372036854775808", "0.5", "[1.5, 1e400]"),
)
_ODD_KEYS = ("unknown", '""', "'a b'", '"🎈"', "image_dir", "metadata_file", "a.b.c", "batch_size", '"\\n"')
_DATASET: dict[str, tuple[Any, ...]] = {
    "resolution": (64, [64, 96], [128, 64]),
    "batch_size": (1, 3),
    "enable_bucket": (True, False),
    "bucket_no_upscale": (True, False),
    "bucket_reso_steps": (32, 64),
    "validation_split": (0.0, 0.5),
}
_SUBSET: dict[str, tuple[Any, ...]] = {
    "class_tokens": ("ohwx", "🎈"),
    "num_repeats": (0, 1, 3),
    "is_reg": (True, False),
    "shuffle_caption": (True,),
    "flip_aug": (True,),
    "random_crop": (True,),
    "alpha_mask": (True,),
    "enable_wildcard": (True,),
    "keep_tokens_separator": ("|||",),
    "face_crop_aug_range": ([1.0, 3.0],),
    "conditioning_data_dir": ("masks",),
    "caption_extension": (".txt", ".caption"),
}
_BROKEN = {
    "empty": b"",
    "not TOML": b"[[datasets]\nresolution = ",
    "not UTF-8": b"[[datasets]]\n# gr\xfcn",
    "UTF-16": "[[datasets]]\n".encode("utf-16"),
    "NUL": b"[[datasets]]\n\0",
    "deep": b"a = " + b"[" * 5000,
    "deep tables": b"[" + b"a." * 3000 + b"a]",
    "twice": b"datasets = []\n[[datasets]]\n",
    "JSON": b'{"datasets": []}',
    "huge number": b"a = " + b"9" * 5000,
}


class Toml(NamedTuple):
    """A file and what is odd about it."""

    kind: str
    content: bytes


def draw_toml(chance: random.Random, folders: Sequence[str]) -> Toml:
    """A dataset TOML over folders, valid or not."""
    if chance.random() < 0.1:
        return Toml(*chance.choice([*_BROKEN.items()]))
    lines = _lines(chance, folders)
    kind = "valid"
    if chance.random() < 0.4:
        kind = _mutate(lines, chance)
    content = "\n".join(lines).encode("utf-8", "surrogateescape")
    if chance.random() < 0.1:
        at = chance.randrange(len(content))
        return Toml("of other bytes", content[:at] + bytes([chance.randrange(256)]) + content[at + 1 :])
    return Toml(kind, content)


def _lines(chance: random.Random, folders: Sequence[str]) -> list[str]:
    lines: list[str] = []
    if chance.random() < 0.3:
        lines += [
            "[general]",
            *_some(chance, {**_DATASET, **_SUBSET}, but={"is_reg", "conditioning_data_dir"}),
        ]
    for _ in range(chance.choice((1, 1, 2))):
        lines += ["[[datasets]]", *_some(chance, _DATASET)]
        for _ in range(chance.choice((1, 1, 2, 3))):
            folder = "nowhere" if chance.random() < 0.02 else chance.choice(folders)
            lines += ["[[datasets.subsets]]", f"image_dir = {_text(folder)}", *_some(chance, _SUBSET)]
    return lines


def _some(
    chance: random.Random, keys: dict[str, tuple[Any, ...]], but: frozenset[str] | set[str] = frozenset()
) -> list[str]:
    return [
        f"{key} = {_text(chance.choice(values))}"
        for key, values in keys.items()
        if key not in but and chance.random() < 0.25
    ]


def _mutate(lines: list[str], chance: random.Random) -> str:
    at = chance.randrange(len(lines))
    values = [index for index, line in enumerate(lines) if "=" in line]
    how = chance.choice(("value", "value", "value", "key", "lost line", "moved line", "table"))
    match how:
        case "value":
            at = chance.choice(values)
            lines[at] = f"{lines[at].partition('=')[0]}= {chance.choice(_ODD_VALUES)}"
        case "key":
            lines.insert(at, f"{chance.choice(_ODD_KEYS)} = {chance.choice(_ODD_VALUES)}")
        case "lost line":
            del lines[at]
        case "moved line":
            lines.insert(chance.randrange(len(lines)), lines.pop(at))
        case _:
            lines[at] = chance.choice(("[datasets]", "[[general]]", "[datasets.subsets]", "[[a.b]]", "[[]]"))
    return f"other {how}"


def _text(value: Any) -> str:
    """JSON's text of a value is TOML's too."""
    return json.dumps(value, ensure_ascii=False)
