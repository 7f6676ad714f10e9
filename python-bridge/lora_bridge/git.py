"""GIT as Kohya's captioner runs it, through transformers.

Source: sd-scripts' finetune/make_captions_by_git.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from lora_bridge.captioner import grouped
from lora_bridge.generation import load_model, load_tools, pixels_of, plain, sampling, seed, stacked

if TYPE_CHECKING:
    from PIL import Image

    from lora_bridge.protocol_types import CaptionConfig


class Git:
    """A GIT model in fp32, on the GPU when there is one."""

    name = "GIT"

    def __init__(self, config: CaptionConfig) -> None:
        """Raises ProblemError as `open_captioner`."""
        self._model: Any = load_model(transformers.GitForCausalLM, config.model, self.name, ".encoder.")
        self._tokenizer, self._processor = load_tools(CLIPImageProcessorPil, config.model, self.name)
        self._config = config
        seed()

    def prepare(self, picture: Image.Image) -> torch.Tensor:
        """Resized and cut as the model's own processor does."""
        return pixels_of(self._processor, picture)

    def describe(self, prepared: list[torch.Tensor], candidates: int) -> list[list[str]]:
        config = self._config
        how = sampling(config.top_p, candidates) if candidates else {"do_sample": False}
        with torch.inference_mode():
            said = self._model.generate(
                pixel_values=stacked(prepared, torch.float32), max_length=config.max_length, **how
            )
        texts: list[str] = self._tokenizer.batch_decode(said, skip_special_tokens=True)
        return grouped([plain(text) for text in texts], len(prepared), candidates)
