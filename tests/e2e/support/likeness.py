"""Prints how much each of some pictures shows Nova rather than any woman, as the tiny world's judge sees them.

python likeness.py PICTURE...: one JSON list of numbers; 1 for Nova, -1 for the average woman, 0 half-way.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

world = Path(__file__).parents[3] / "build" / "tiny-world"
sys.path.append(str(world))

from judge import likeness_to_nova, load_judge  # noqa: E402
from PIL import Image  # noqa: E402
from portrait import SIZE  # noqa: E402

judge = load_judge()
nova = likeness_to_nova(judge)
pictures = [Image.open(file).convert("RGB").resize((SIZE, SIZE)) for file in sys.argv[1:]]
print(json.dumps(nova.measure(judge, pictures).tolist()))
