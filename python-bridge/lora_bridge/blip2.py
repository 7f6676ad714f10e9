"""BLIP-2 as kohya_ss runs it, through transformers.

Source: kohya_ss' kohya_gui/blip2_caption_gui.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from lora_bridge.captioner import grouped
from lora_bridge.generation import (
    check_lengths,
    device,
    load_model,
    load_tools,
    pixels_of,
    plain,
    sampling,
    seed,
    stacked,
)

if TYPE_CHECKING:
    from PIL import Image

    from lora_bridge.protocol_types import CaptionConfig


class Blip2:
    """A BLIP-2 model in half precision: fp16 on a GPU, bf16 on a CPU, which has no fast fp16."""

    name = "BLIP-2"

    def __init__(self, config: CaptionConfig) -> None:
        """Raises ProblemError as `open_captioner`."""
        check_lengths(
            config.blip2_min_new_tokens, config.blip2_max_new_tokens, "Min new tokens", "Max new tokens"
        )
        self._dtype = torch.float16 if device() == "cuda" else torch.bfloat16
        self._model: Any = load_model(
            transformers.Blip2ForConditionalGeneration,
            config.model,
            self.name,
            "layers.",
            dtype=self._dtype,
        )
        self._tokenizer, self._processor = load_tools(BlipImageProcessorPil, config.model, self.name)
        self._config = config
        seed()

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """Squashed to the model's square, not cropped."""
        return pixels_of(self._processor, picture)

    def describe(self, prepared: list[torch.Tensor], candidates: int) -> list[list[str]]:
        with torch.inference_mode():
            said = self._model.generate(
                pixel_values=stacked(prepared, self._dtype), **_options(self._config, candidates)
            )
        texts: list[str] = self._tokenizer.batch_decode(said, skip_special_tokens=True)
        return grouped([plain(text) for text in texts], len(prepared), candidates)


def _options(config: CaptionConfig, candidates: int) -> dict[str, object]:
    lengths = {"min_new_tokens": config.blip2_min_new_tokens, "max_new_tokens": config.blip2_max_new_tokens}
    penalty = {"repetition_penalty": config.blip2_repetition_penalty}
    if candidates or not config.use_beam_search:
        return {
            **lengths,
            **penalty,
            **sampling(config.top_p, candidates, temperature=config.blip2_temperature),
        }
    return {
        **lengths,
        **penalty,
        "num_beams": config.blip2_num_beams,
        "length_penalty": config.blip2_length_penalty,
        "do_sample": False,
    }
