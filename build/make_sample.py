"""The sample project: ten photos, twenty regularization pictures, a tiny SDXL and a tiny BLIP.

python build/make_sample.py --out DIR

CLIP's tokenizer is taken from `clip-tokenizer` beside DIR, and made there where it is missing. The same
sources give the same sample; it is made again only when they change.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from clip_tokenizer import make_clip_tokenizer
from made_folder import hash_of_files, make_folder
from sample_pictures import LICENCE, write_faces, write_photos

SEED = 1
REGULARIZATION_PICTURES = 20

SAMPLE = {
    "instancePrompt": "eileen",
    "classPrompt": "woman",
    "repeats": 2,
    "photos": "photos",
    "regularization": "reg",
    "baseModel": "base-model",
    "blip": "blip",
    # For a tiny model on a CPU: about 50 steps in well under a minute.
    "parameters": {
        "output_name": "eileen",
        "max_resolution": "256,256",
        "train_batch_size": 4,
        "epoch": 5,
        "learning_rate": 0.001,
        "mixed_precision": "no",
        "network_dim": 8,
        "network_alpha": 4,
        "gradient_checkpointing": False,
        "seed": SEED,
    },
    "captioning": {"prefix": "eileen woman,", "batch_size": 2, "min_length": 10, "max_length": 20},
}

_HERE = Path(__file__).parent
_SOURCES = [
    *(_HERE / name for name in ("clip_tokenizer.py", "make_sample.py", "sample_pictures.py")),
    *sorted((_HERE / "tiny_models").glob("*.py")),
    _HERE.parent / "python-bridge" / "requirements.txt",
]


def make_sample(out: Path) -> bool:
    """Make the sample project unless it is there already. True when it was made."""
    tokenizer = out.parent / "clip-tokenizer"

    def fill(folder: Path) -> None:
        make_clip_tokenizer(tokenizer)
        _fill(folder, tokenizer)

    return make_folder(out, hash_of_files(_SOURCES), fill)


def _fill(folder: Path, tokenizer: Path) -> None:
    for name in ("photos", "reg"):
        (folder / name).mkdir()
    _say(1, "photos")
    write_photos(folder / "photos")
    _say(2, "regularization pictures")
    write_faces(folder / "reg", REGULARIZATION_PICTURES, SEED)
    _say(3, "tiny SDXL")
    # Takes seconds to load, and is not needed to find that the sample is there.
    from tiny_models.tiny_blip import make_tiny_blip
    from tiny_models.tiny_sdxl import make_tiny_sdxl

    make_tiny_sdxl(folder / "base-model", tokenizer, SEED)
    _say(4, "tiny BLIP")
    make_tiny_blip(folder / "blip", SEED)
    (folder / "LICENCE.txt").write_text(LICENCE, encoding="utf-8")
    (folder / "sample.json").write_text(json.dumps(SAMPLE, indent=2) + "\n", encoding="utf-8")


def _say(stage: int, what: str) -> None:
    print(f"Sample project {stage}/4: {what}", flush=True)


_QUIET = {
    "TQDM_DISABLE": "1",
    "HF_HUB_OFFLINE": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "DIFFUSERS_VERBOSITY": "error",
}


def main() -> None:
    os.environ.update(_QUIET)  # before the libraries are loaded
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, required=True, metavar="DIR")
    out: Path = parser.parse_args().out.resolve()
    try:
        made = make_sample(out)
    except (OSError, RuntimeError) as error:
        sys.exit(f"The sample project could not be made: {error}")
    print(f"Sample project: {'made' if made else 'already there'} ({out})", flush=True)


if __name__ == "__main__":
    main()
