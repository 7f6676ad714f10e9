"""How fast the caption job is, beside transformers used plainly: one picture after the other.

python build/bench_captions.py [--pictures N] [--rounds N] [--batch-size N]

Both use one BLIP of the size of Salesforce/blip-image-captioning-base with random weights on made photos of
12 megapixels; all captions are as long as a real one. The rounds of both alternate in one process; printed
are medians and whether the texts are the same. Needs about 3 GB of memory, 1 GB of disk.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
import transformers
from default_config import default_caption_config
from PIL import Image
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from lora_bridge import caption
from lora_bridge.blip import PROMPT, Blip
from lora_bridge.protocol_types import CaptionConfig, CaptionEvent, JobEvent

_TRANSFORMERS = cast("Any", transformers)
_SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
_VOCABULARY = 30524
_MAX_LENGTH = 16
"""With the prompt's four tokens. Random weights end no caption; real ones have ten tokens or so."""


def main() -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pictures", type=int, default=12)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=4)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="captions-") as place:
        model, photos = Path(place, "blip"), Path(place, "photos")
        _make_photos(photos, options.pictures)
        _make_model(model)
        return _compare(_config(model, photos, options.batch_size), options.rounds)


def _compare(config: CaptionConfig, rounds: int) -> int:
    plain, ours = _Plain(config), Blip(config)
    caption.open_captioner = lambda _: ours  # loading is not what is measured
    speeds: dict[str, list[float]] = {"plain": [], "job": []}
    texts: dict[str, list[str]] = {}
    runs = {"plain": plain.run, "job": lambda: _run_job(config)}
    for turn in range(rounds + 1):
        for name, run in runs.items():
            start = time.perf_counter()
            texts[name] = run()
            if turn:  # the first round warms up
                speeds[name].append(len(texts[name]) / (time.perf_counter() - start))
    same = sum(one == other for one, other in zip(texts["plain"], texts["job"], strict=True))
    lengths = [len(text.split()) for text in texts["plain"]]
    medians = {name: statistics.median(each) for name, each in speeds.items()}
    print(f"words in a caption: {min(lengths)} to {max(lengths)}, mean {statistics.mean(lengths):.1f}")
    print(f"different captions: {len(set(texts['plain']))} of {len(lengths)}")
    print(f"same texts: {same} of {len(lengths)}")
    for name, each in speeds.items():
        print(f"{name}: {medians[name]:.3f} images/s (rounds: {', '.join(f'{speed:.3f}' for speed in each)})")
    print(f"job / plain: {medians['job'] / medians['plain']:.2f}")
    return 0 if same == len(lengths) else 1


class _Plain:
    """What the library's own examples do."""

    def __init__(self, config: CaptionConfig) -> None:
        self._config = config
        self._model: Any = _TRANSFORMERS.BlipForConditionalGeneration.from_pretrained(config.model).eval()
        self._tokenizer: Any = _TRANSFORMERS.AutoTokenizer.from_pretrained(config.model)
        self._processor: Any = cast("Any", BlipImageProcessorPil).from_pretrained(config.model)

    def run(self) -> list[str]:
        return [self._describe(file) for file in sorted(Path(self._config.image_dir).glob("*.jpg"))]

    def _describe(self, file: Path) -> str:
        config = self._config
        with Image.open(file) as picture:
            pixels = self._processor(picture.convert("RGB"), return_tensors="pt").pixel_values
        said = self._model.generate(
            pixel_values=pixels,
            input_ids=self._tokenizer(PROMPT, return_tensors="pt").input_ids,
            num_beams=1,
            do_sample=False,
            max_length=config.max_length,
            min_length=config.min_length,
        )
        words = said[0, len(self._tokenizer(PROMPT).input_ids) - 1 :]
        return self._tokenizer.decode(words, skip_special_tokens=True)


class _Collecting:
    def __init__(self) -> None:
        self.texts: list[str] = []

    def emit(self, event: JobEvent) -> None:
        if isinstance(event, CaptionEvent):
            self.texts.append(event.text)

    def stop_requested(self) -> bool:
        return False

    def pause_requested(self) -> bool:
        return False

    def take(self, _wish: str) -> bool:
        return False


def _run_job(config: CaptionConfig) -> list[str]:
    sink = _Collecting()
    caption.run(config, sink)
    return sink.texts


def _config(model: Path, photos: Path, batch_size: int) -> CaptionConfig:
    own = {
        "model": str(model),
        "image_dir": str(photos),
        "batch_size": batch_size,
        "max_length": _MAX_LENGTH,
        "existing": "overwrite",
    }
    return CaptionConfig(**{**default_caption_config(), **own})


def _make_photos(folder: Path, count: int) -> None:
    """Of 4000 x 3000 pixels, with detail and noise, so that a JPEG has some megabytes as a camera's has."""
    folder.mkdir()
    chance = np.random.default_rng(0)
    for number in range(count):
        colours = Image.fromarray(chance.integers(0, 256, (12, 16, 3), np.uint8)).resize((4000, 3000), 3)
        noisy = np.asarray(colours, np.int16) + chance.normal(0, 6, (3000, 4000, 1)).astype(np.int16)
        Image.fromarray(noisy.clip(0, 255).astype(np.uint8)).save(folder / f"{number:03}.jpg", quality=90)


def _make_model(folder: Path) -> None:
    torch.manual_seed(0)
    prompt = PROMPT.split()
    words = [
        *_SPECIAL,
        *prompt,
        *(f"w{number}" for number in range(_VOCABULARY - len(_SPECIAL) - len(prompt) - 1)),
    ]
    vocabulary = {word: number for number, word in enumerate([*words, "[DEC]"])}
    tokenizer = _TRANSFORMERS.BertTokenizer(vocab=vocabulary)
    tokenizer.add_special_tokens({"bos_token": "[DEC]"})
    text = {"vocab_size": _VOCABULARY, "bos_token_id": vocabulary["[DEC]"], "pad_token_id": 0}
    text |= {"eos_token_id": 3, "sep_token_id": 3, "initializer_range": 0.15}
    vision = {"image_size": 384, "initializer_range": 0.1}
    model = _TRANSFORMERS.BlipForConditionalGeneration(
        _TRANSFORMERS.BlipConfig(text_config=text, vision_config=vision)
    ).eval()
    processor: Any = BlipImageProcessorPil(size={"height": 384, "width": 384})
    for part in (model, tokenizer, processor):
        part.save_pretrained(folder)


if __name__ == "__main__":
    sys.exit(main())
