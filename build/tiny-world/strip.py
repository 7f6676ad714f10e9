"""One picture of a run's samples, side by side from the first step to the last.

python build/tiny-world/strip.py SAMPLES OUT
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

MOST = 11
_GAP, _LABEL = 8, 26
_INK = "#808080"
"""Readable on white and on black."""
_NAME = re.compile(r"_(?P<step>\d{6})_(?P<prompt>\d{2})_\d+\.png$")


def make_strip(samples: Path) -> Image.Image:
    """A row for each prompt and at most `MOST` columns, the first and the last step among them."""
    pictures: dict[tuple[int, int], Path] = {}
    for file in samples.glob("*.png"):
        if found := _NAME.search(file.name):
            pictures[int(found["prompt"]), int(found["step"])] = file
    if not pictures:
        raise SystemExit(f"There are no samples in {samples}.")
    prompts = sorted({prompt for prompt, _ in pictures})
    whole = {step for _, step in pictures if all((prompt, step) in pictures for prompt in prompts)}
    steps = _spread(sorted(whole))
    with Image.open(next(iter(pictures.values()))) as first:
        width, height = first.size
    strip = Image.new(
        "RGBA", (len(steps) * (width + _GAP) - _GAP, _LABEL + len(prompts) * (height + _GAP) - _GAP)
    )
    draw = ImageDraw.Draw(strip)
    for column, step in enumerate(steps):
        left = column * (width + _GAP)
        draw.text((left + width / 2, 4), f"step {step}", _INK, ImageFont.load_default(15), anchor="ma")
        for row, prompt in enumerate(prompts):
            with Image.open(pictures[prompt, step]) as picture:
                strip.paste(picture, (left, _LABEL + row * (height + _GAP)))
    return strip


def _spread(steps: list[int]) -> list[int]:
    if len(steps) <= MOST:
        return steps
    return [steps[round(number * (len(steps) - 1) / (MOST - 1))] for number in range(MOST)]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("samples", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    make_strip(arguments.samples).save(arguments.out)


if __name__ == "__main__":
    main()
