"""What the captioners that are transformers' models have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import torch
import transformers
from safetensors import SafetensorError

from lora_bridge.captioner import SEED, unusable
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PIL import Image

_UNLOADABLE = (OSError, ValueError, KeyError, RuntimeError, SafetensorError)
_SAMPLED_TOP_K = 50
"""transformers' own when Kohya's captioners were written."""


def device() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def seed() -> None:
    """So that what is sampled is the same each time."""
    torch.manual_seed(SEED)  # pyright: ignore[reportUnknownMemberType]


def _load(kind: object, model: str, **options: object) -> Any:
    # transformers' signatures are only partly typed.
    return cast("Any", kind).from_pretrained(model, **options)


def load_model(kind: object, model: str, name: str, part: str, **options: object) -> Any:
    """A model in evaluation mode on the device. Raises ProblemError where weights are missing whose names
    contain `part`: transformers would fill them with chance, and chance says random words."""
    try:
        loaded, info = _load(kind, model, output_loading_info=True, **options)
        if missing := [key for key in info["missing_keys"] if part in key]:
            raise ValueError(f"it lacks {len(missing)} weights of a captioner")
        return loaded.eval().to(device())
    except _UNLOADABLE as error:
        raise unusable(model, name, error) from error


def load_tools(processor: object, model: str, name: str) -> tuple[Any, Any]:
    """A model's tokenizer, and its processor of the kind `processor`. Raises ProblemError."""
    try:
        return _load(transformers.AutoTokenizer, model), _load(processor, model)
    except _UNLOADABLE as error:
        raise unusable(model, name, error) from error


def pixels_of(processor: Any, picture: Image.Image) -> torch.Tensor:
    """C x H x W, as the model's own processor makes it."""
    return processor(picture, return_tensors="pt").pixel_values[0]


def stacked(prepared: Sequence[torch.Tensor], dtype: torch.dtype) -> torch.Tensor:
    return torch.stack(list(prepared)).to(device(), dtype)


def sampling(top_p: float, candidates: int = 0, **options: object) -> dict[str, object]:
    """Nucleus sampling (Holtzman et al. 2020)."""
    several = {"num_return_sequences": candidates} if candidates else {}
    return {"do_sample": True, "top_p": top_p, "top_k": _SAMPLED_TOP_K, **several, **options}


def plain(text: str) -> str:
    return " ".join(text.split())


def check_lengths(least: int, most: int, least_name: str, most_name: str) -> None:
    if least > most:
        raise ProblemError(
            "caption_length",
            f"{least_name} ({least}) is more than {most_name} ({most}).",
            f"Lower {least_name} or raise {most_name}.",
        )
