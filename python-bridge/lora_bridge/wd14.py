"""The WD14 taggers through ONNX Runtime.

Source: sd-scripts' finetune/tag_images_by_wd14_tagger.py.
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from PIL import Image

from lora_bridge.captioner import TAGGER_FILES, fetch_or_explain, unusable
from lora_bridge.problems import ProblemError
from lora_bridge.wd14_tags import TagRules, read_tags, tag_rules

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from lora_bridge.protocol_types import CaptionConfig

_WHITE = (255, 255, 255)


class Wd14:
    """A tagger that gives each of its tags a probability."""

    name = "WD14"

    def __init__(self, config: CaptionConfig) -> None:
        """Raises ProblemError as `open_captioner`."""
        self._rules: TagRules = tag_rules(config)
        runtime = _runtime()
        model, tags = _files(config.model)
        try:
            self._tags = read_tags(tags)
            # Its signatures are not typed.
            self._session: Any = runtime.InferenceSession(str(model), providers=_providers(runtime))
            (picture, *_) = self._session.get_inputs()
            (probabilities, *_) = self._session.get_outputs()
            self._input: str = picture.name
            self._size: int = picture.shape[1]
            self._takes_one = picture.shape[0] == 1
            told = probabilities.shape[-1]
            if isinstance(told, int) and told != len(self._tags):
                raise ValueError(f"the model knows {told} tags, {tags.name} has {len(self._tags)}")
        # ONNX Runtime's exceptions are of no common kind.
        except Exception as error:
            raise unusable(config.model, self.name, error) from error

    def prepare(self, picture: Image.Image) -> NDArray[np.float32]:
        """H x W x BGR from 0 to 255, on a white square."""
        side = max(picture.size)
        square = Image.new("RGB", (side, side), _WHITE)
        square.paste(picture, ((side - picture.width) // 2, (side - picture.height) // 2))
        if side != self._size:
            # The mean of an area, as OpenCV's INTER_AREA; Lanczos where there is less than the model wants.
            method = Image.Resampling.BOX if side > self._size else Image.Resampling.LANCZOS
            square = square.resize((self._size, self._size), method)
        return np.asarray(square, np.float32)[:, :, ::-1]

    def describe(self, prepared: list[NDArray[np.float32]], candidates: int) -> list[list[str]]:
        """A tagger has one answer, however many are asked for."""
        batches = [[each] for each in prepared] if self._takes_one else [prepared]
        rows = [
            row
            for batch in batches
            for row in self._session.run(None, {self._input: np.ascontiguousarray(np.stack(batch))})[0]
        ]
        texts = [self._rules.text(self._tags, row.tolist()) for row in rows]
        return [[text] if text or not candidates else [] for text in texts]


def _runtime() -> Any:
    try:
        return importlib.import_module("onnxruntime")
    except ImportError as error:
        raise ProblemError(
            "onnxruntime_missing",
            f"WD14 taggers need the Python package onnxruntime, which cannot be used here: {error}.",
            "Start the app with npm start, which completes the set-up, or choose a BLIP model.",
        ) from error


def _providers(runtime: Any) -> list[str]:
    wanted = ("CUDAExecutionProvider", "CPUExecutionProvider")
    return [name for name in wanted if name in runtime.get_available_providers()]


def _files(model: str) -> tuple[Path, Path]:
    network, tags = TAGGER_FILES
    folder = Path(model)
    if folder.is_dir():
        return folder / network, folder / tags
    return fetch_or_explain(model, network), fetch_or_explain(model, tags)
