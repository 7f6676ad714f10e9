"""BLIP as Kohya's captioner runs it, through transformers.

Sources: sd-scripts' finetune/make_captions.py and finetune/blip/blip.py, whose numbers are repeated here.
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
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from PIL import Image

    from lora_bridge.protocol_types import CaptionConfig

PROMPT = "a picture of "


class Blip:
    """A BLIP model in fp32, on the GPU when there is one."""

    name = "BLIP"

    def __init__(self, config: CaptionConfig) -> None:
        """Raises ProblemError as `open_captioner`."""
        check_lengths(config.min_length, config.max_length, "Min length", "Max length")
        self._model: Any = load_model(
            transformers.BlipForConditionalGeneration, config.model, self.name, ".encoder."
        )
        for layer in self._model.vision_model.encoder.layers:
            layer.self_attn = _FusedAttention(layer.self_attn)
        self._tokenizer, self._processor = load_tools(BlipImageProcessorPil, config.model, self.name)
        # Without the [SEP] at its end; the model puts its own first token over [CLS].
        self._prompt_tokens = len(self._tokenizer(PROMPT).input_ids) - 1
        _check_room(config.max_length, self._prompt_tokens)
        self._config = config
        seed()

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """Squashed to the model's square, not cropped."""
        return pixels_of(self._processor, picture)

    def describe(self, prepared: list[torch.Tensor], candidates: int) -> list[list[str]]:
        prompt = self._tokenizer([PROMPT] * len(prepared), return_tensors="pt").input_ids.to(device())
        with torch.inference_mode():
            said = self._model.generate(
                pixel_values=stacked(prepared, torch.float32),
                input_ids=prompt,
                **_options(self._config, candidates),
            )
        words = said[:, self._prompt_tokens :]
        texts: list[str] = self._tokenizer.batch_decode(words, skip_special_tokens=True)
        return grouped([plain(text) for text in texts], len(prepared), candidates)


class _FusedAttention(torch.nn.Module):
    """transformers' attention of BLIP's vision, whose scores are never written down."""

    def __init__(self, attention: Any) -> None:
        super().__init__()
        self.qkv, self.projection = attention.qkv, attention.projection
        self._heads: int = attention.num_heads
        self._scale: float = attention.scale

    def forward(self, hidden_states: torch.Tensor, **_: object) -> tuple[torch.Tensor, None]:
        """Of batch x tokens x width. The scores, which nobody asks for, are None."""
        batch, tokens, width = hidden_states.shape
        mixed = self.qkv(hidden_states).reshape(batch, tokens, 3, self._heads, width // self._heads)
        query, key, value = mixed.permute(2, 0, 3, 1, 4)
        seen = torch.nn.functional.scaled_dot_product_attention(query, key, value, scale=self._scale)
        return self.projection(seen.transpose(1, 2).reshape(batch, tokens, width)), None


def _options(config: CaptionConfig, candidates: int) -> dict[str, object]:
    lengths = {"max_length": config.max_length, "min_length": config.min_length}
    if candidates or not config.use_beam_search:
        return {**lengths, **sampling(config.top_p, candidates, repetition_penalty=1.1)}
    return {**lengths, "num_beams": config.num_beams, "do_sample": False, "repetition_penalty": 1.0}


def _check_room(max_length: int, prompt_tokens: int) -> None:
    if max_length <= prompt_tokens:
        raise ProblemError(
            "caption_length",
            f"Max length ({max_length}) leaves no room: the prompt alone has {prompt_tokens} tokens.",
            "Raise Max length; 75 is usual.",
        )
