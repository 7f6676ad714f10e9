"""The sample project: ten photos of Nova, twenty women beside her, and the tiny world's SDXL and BLIP.

python build/make_sample.py --out DIR

The same sources give the same sample; it is made again only when they change.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from made_folder import hash_of_files, make_folder

_HERE = Path(__file__).parent
_WORLD = _HERE / "tiny-world"
sys.path.append(str(_WORLD))

from nova import CAPTIONED_AS, KIND, NAME, class_pictures, nova_photos  # noqa: E402

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

TRAINED = _WORLD / "models"
MODELS = {"sdxl": "base-model", "blip": "blip"}
"""Folders of `TRAINED`, and their names in the sample project."""
SEED = 1
PHOTOS, REGULARIZATION_PICTURES = 10, 20

_DRAWN = "--w 128 --h 128 --s 20 --l 4 --d 1"
SAMPLE = {
    "instancePrompt": NAME,
    "classPrompt": KIND,
    "repeats": 10,
    "photos": "photos",
    "regularization": "reg",
    "baseModel": MODELS["sdxl"],
    "blip": MODELS["blip"],
    # For a tiny model on a CPU: 500 steps in about a minute.
    "parameters": {
        "output_name": NAME,
        "max_resolution": "128,128",
        "train_batch_size": 4,
        "epoch": 10,
        "learning_rate": 0.002,
        "lr_scheduler": "cosine",
        "mixed_precision": "no",
        "network_dim": 8,
        "network_alpha": 8,
        "gradient_checkpointing": False,
        "seed": SEED,
        "sample_every_n_steps": 50,
        "sample_every_n_epochs": 0,
        "sample_at_first": True,
        "sample_prompts": "\n".join(
            [
                f"{CAPTIONED_AS}, smiling, on a blue background {_DRAWN}",
                f"{CAPTIONED_AS} and glasses, on a red background {_DRAWN}",
                f"a {KIND} with glasses on a yellow background {_DRAWN}",
            ]
        ),
    },
    "captioning": {"prefix": f"{NAME} {KIND},", "batch_size": 2, "min_length": 5, "max_length": 60},
}

LICENCE = """\
Copyright the LoRA Atelier authors. Licensed under the Apache License, Version 2.0.

The pictures in photos/ and reg/ are drawn by the project and show nobody. The models in base-model/ and blip/
were trained by the project on such pictures alone.
"""


def make_sample(out: Path) -> bool:
    """Make the sample project unless it is there already. True when it was made."""
    return make_folder(out, hash_of_files(_sources()), _fill)


def _sources() -> list[Path]:
    makers = [Path(__file__), *(_WORLD / name for name in ("nova.py", "portrait.py", "world.py"))]
    models = [file for name in MODELS for file in sorted((TRAINED / name).rglob("*")) if file.is_file()]
    return makers + models


def _fill(folder: Path) -> None:
    _say(1, "pictures")
    _save(nova_photos(PHOTOS, SEED), folder / "photos", NAME)
    _save(class_pictures(REGULARIZATION_PICTURES, SEED), folder / "reg", KIND)
    _say(2, "models")
    for name, target in MODELS.items():
        shutil.copytree(TRAINED / name, folder / target, copy_function=shutil.copyfile)
    (folder / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")
    (folder / "sample.json").write_text(json.dumps(SAMPLE, indent=2) + "\n", encoding="utf-8")


def _save(pictures: Sequence[Image.Image], folder: Path, name: str) -> None:
    folder.mkdir()
    for number, picture in enumerate(pictures, start=1):
        picture.save(folder / f"{name}-{number:02}.png")


def _say(stage: int, what: str) -> None:
    print(f"Sample project {stage}/2: {what}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    out: Path = parser.parse_args().out.resolve()
    try:
        made = make_sample(out)
    except OSError as error:
        sys.exit(f"The sample project could not be made: {error}")
    print(f"Sample project: {'made' if made else 'already there'} ({out})", flush=True)


if __name__ == "__main__":
    main()
