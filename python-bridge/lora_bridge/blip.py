"""BLIP as Kohya's captioner runs it, through transformers.

Sources: sd-scripts' finetune/make_captions.py and finetune/blip/blip.py, whose numbers are repeated here.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from safetensors import SafetensorError
from transformers.models.blip.image_processing_pil_blip import BlipImageProcessorPil

from lora_bridge.identify import HUB_NAME
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from PIL import Image

    from lora_bridge.protocol_types import CaptionConfig

PROMPT = "a picture of "
SEED = 42
_MODEL_HINT = "Choose a folder with a BLIP captioning model, or Salesforce/blip-image-captioning-large."


class Captioner:
    """A BLIP model that says what is on pictures."""

    def __init__(self, config: CaptionConfig) -> None:
        """Load the model in fp32, on the GPU when there is one.

        Raises ProblemError: `caption_model_missing`, `caption_model_unreachable`, `not_blip`, and
        `caption_length` for lengths that leave no room for a caption.
        """
        _check_model(config.model)
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        try:
            # transformers' signatures are only partly typed: all of it is behind this class.
            self._model: Any = _load_model(config.model).eval().to(self._device)
            self._tokenizer: Any = _load(transformers.AutoTokenizer, config.model)
            self._processor: Any = _load(BlipImageProcessorPil, config.model)
        except (OSError, ValueError, KeyError, RuntimeError, SafetensorError) as error:
            raise _unusable(config.model, error) from error
        # Without the [SEP] at its end; the model puts its own first token over [CLS].
        self._prompt_tokens = len(self._tokenizer(PROMPT).input_ids) - 1
        _check_lengths(config, self._prompt_tokens)
        self._options = _generation_options(config)
        torch.manual_seed(SEED)  # pyright: ignore[reportUnknownMemberType]

    def describe(self, pictures: list[Image.Image]) -> list[str]:
        """What BLIP says of each RGB picture, without the prompt; perhaps nothing."""
        pixels = self._processor(pictures, return_tensors="pt").pixel_values.to(self._device)
        prompt = self._tokenizer([PROMPT] * len(pictures), return_tensors="pt").input_ids.to(self._device)
        with torch.inference_mode():
            said = self._model.generate(pixel_values=pixels, input_ids=prompt, **self._options)
        words = said[:, self._prompt_tokens :]
        texts: list[str] = self._tokenizer.batch_decode(words, skip_special_tokens=True)
        return [" ".join(text.split()) for text in texts]


def _generation_options(config: CaptionConfig) -> dict[str, object]:
    lengths = {"max_length": config.max_length, "min_length": config.min_length}
    if config.use_beam_search:
        return {**lengths, "num_beams": config.num_beams, "do_sample": False, "repetition_penalty": 1.0}
    # 50 was transformers' own top_k when Kohya's captioner was written.
    return {**lengths, "do_sample": True, "top_p": config.top_p, "top_k": 50, "repetition_penalty": 1.1}


def _check_lengths(config: CaptionConfig, prompt_tokens: int) -> None:
    if config.min_length > config.max_length:
        raise ProblemError(
            "caption_length",
            f"Min length ({config.min_length}) is more than Max length ({config.max_length}).",
            "Lower Min length or raise Max length.",
        )
    if config.max_length <= prompt_tokens:
        raise ProblemError(
            "caption_length",
            f"Max length ({config.max_length}) leaves no room: the prompt alone has {prompt_tokens} tokens.",
            "Raise Max length; 75 is usual.",
        )


def _check_model(model: str) -> None:
    folder = Path(model)
    if not folder.is_dir():
        if folder.exists() or not HUB_NAME.fullmatch(model):
            raise ProblemError(
                "caption_model_missing", f"There is no caption model folder {model}.", _MODEL_HINT
            )
        return
    try:
        content: object = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError) as error:
        raise _not_blip(model, "it has no readable config.json") from error
    kind = cast("dict[str, object]", content).get("model_type") if isinstance(content, dict) else None
    if kind != "blip":
        raise _not_blip(model, f"its config.json says {kind}")


def _not_blip(model: str, reason: str) -> ProblemError:
    return ProblemError("not_blip", f"{model} is not a BLIP model: {reason}.", _MODEL_HINT)


def _unusable(model: str, error: Exception) -> ProblemError:
    if Path(model).is_dir():
        reason = str(error).strip().splitlines()[0]
        return ProblemError("not_blip", f"The BLIP model in {model} cannot be loaded: {reason}", _MODEL_HINT)
    return ProblemError(
        "caption_model_unreachable",
        f"The caption model {model} could not be fetched from the Hugging Face hub.",
        "Check the name and the network, or choose a folder with a BLIP captioning model.",
    )


def _load_model(model: str) -> Any:
    blip, info = _load(transformers.BlipForConditionalGeneration, model, output_loading_info=True)
    # transformers fills them with random numbers: a BLIP that answers or compares would say random words.
    if missing := [name for name in info["missing_keys"] if ".encoder." in name]:
        raise ValueError(f"it lacks {len(missing)} weights of a captioner")
    return blip


def _load(kind: object, model: str, **options: bool) -> Any:
    return cast("Any", kind).from_pretrained(model, **options)
