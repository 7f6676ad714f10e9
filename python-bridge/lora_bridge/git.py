"""GIT as Kohya's captioner runs it, through transformers.

Source: sd-scripts' finetune/make_captions_by_git.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

from lora_bridge.captioner import SEED, grouped, unusable
from lora_bridge.generation import UNLOADABLE, load, load_model, pixels_of, plain, sampling, stacked

if TYPE_CHECKING:
    from PIL import Image

    from lora_bridge.protocol_types import CaptionConfig


class Git:
    """A GIT model in fp32, on the GPU when there is one."""

    name = "GIT"

    def __init__(self, config: CaptionConfig) -> None:
        """Raises ProblemError as `open_captioner`."""
        self._model: Any = load_model(transformers.GitForCausalLM, config.model, self.name, ".encoder.")
        try:
            self._tokenizer: Any = load(transformers.AutoTokenizer, config.model)
            self._processor: Any = load(CLIPImageProcessorPil, config.model)
        except UNLOADABLE as error:
            raise unusable(config.model, self.name, error) from error
        self._config = config
        torch.manual_seed(SEED)  # pyright: ignore[reportUnknownMemberType]

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
