"""What every captioner does, and which one a model is for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias, cast

import huggingface_hub
from huggingface_hub.errors import EntryNotFoundError

from lora_bridge.identify import HUB_NAME
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import CaptionerIdentity

if TYPE_CHECKING:
    from PIL import Image

    from lora_bridge.protocol_types import CaptionConfig

CaptionerKind: TypeAlias = Literal["blip", "blip-2", "git", "wd14"]
TAGGER_FILES = ("model.onnx", "selected_tags.csv")
SEED = 42
"""Of sampled captions, as in Kohya's captioner."""
MODEL_HINT = (
    "Choose a folder with a BLIP, BLIP-2, GIT or WD14 model, or a name of the Hugging Face hub like "
    "Salesforce/blip-image-captioning-large."
)


class Captioner(Protocol):
    """A loaded model that says what is on pictures."""

    @property
    def name(self) -> str:
        """What a person calls it."""
        ...

    def prepare(self, picture: Image.Image) -> Any:
        """An RGB picture as the model sees it. Called from other threads, and small enough to be kept."""
        ...

    def describe(self, prepared: list[Any], candidates: int) -> list[list[str]]:
        """What the model says of each prepared picture: one text, perhaps empty, or with `candidates` up to
        so many different ones."""
        ...


def open_captioner(config: CaptionConfig) -> Captioner:
    """Load the model of a config, whatever kind it is.

    Raises ProblemError: `caption_model_missing`, `caption_model_unreachable`, `caption_model_unknown`,
    `caption_model_damaged`, `caption_length`, `onnxruntime_missing`, `tag_replacement`.
    """
    # Each imports a model family of its own.
    match captioner_kind(config.model):
        case "blip":
            from lora_bridge.blip import Blip  # noqa: PLC0415

            return Blip(config)
        case "blip-2":
            from lora_bridge.blip2 import Blip2  # noqa: PLC0415

            return Blip2(config)
        case "git":
            from lora_bridge.git import Git  # noqa: PLC0415

            return Git(config)
        case "wd14":
            from lora_bridge.wd14 import Wd14  # noqa: PLC0415

            return Wd14(config)


def captioner_kind(model: str) -> CaptionerKind:
    """What the model's own files say that it is. Raises ProblemError as `open_captioner`."""
    folder = Path(model)
    if folder.is_dir():
        if all((folder / name).is_file() for name in TAGGER_FILES):
            return "wd14"
        return _by_config(model, folder / "config.json")
    if folder.exists() or not HUB_NAME.fullmatch(model):
        raise ProblemError("caption_model_missing", f"There is no caption model folder {model}.", MODEL_HINT)
    try:
        for name in TAGGER_FILES[1:]:
            fetch(model, name)
    except EntryNotFoundError:
        return _by_config(model, fetch_or_explain(model, "config.json"))
    except (OSError, ValueError) as error:
        # Another kind of model that was fetched before: offline nobody can say what the hub lacks.
        config = huggingface_hub.try_to_load_from_cache(model, "config.json")
        if isinstance(config, str):
            return _by_config(model, Path(config))
        raise unreachable(model) from error
    return "wd14"


def identify_captioner(model: str) -> CaptionerIdentity:
    """What a caption model is, as far as it can be told without asking the hub."""
    if not Path(model).exists() and HUB_NAME.fullmatch(model):
        cached = [
            huggingface_hub.try_to_load_from_cache(model, name) for name in ("config.json", *TAGGER_FILES)
        ]
        if not any(isinstance(place, str) for place in cached):
            return CaptionerIdentity(kind=None, problem=None)
        model = str(next(Path(place).parent for place in cached if isinstance(place, str)))
    try:
        return CaptionerIdentity(kind=captioner_kind(model), problem=None)
    except ProblemError as error:
        return CaptionerIdentity(kind=None, problem=error.problem)


def fetch(model: str, name: str) -> Path:
    """A file of a hub name, from the cache where it is there.

    Raises OSError, ValueError, EntryNotFoundError.
    """
    # Its signature is only partly typed.
    return Path(cast("Any", huggingface_hub).hf_hub_download(model, name))


def fetch_or_explain(model: str, name: str) -> Path:
    """As `fetch`; raises ProblemError."""
    try:
        return fetch(model, name)
    except EntryNotFoundError as error:
        raise _unknown(model, f"it has no {name}") from error
    except (OSError, ValueError) as error:
        raise unreachable(model) from error


def _by_config(model: str, file: Path) -> CaptionerKind:
    try:
        content: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        present = [name for name in TAGGER_FILES if (file.parent / name).is_file()]
        if present:
            (missing,) = set(TAGGER_FILES) - set(present)
            raise _unknown(model, f"a WD14 tagger needs {missing} beside {present[0]}") from error
        raise _unknown(model, "it has no readable config.json") from error
    kind = cast("dict[str, object]", content).get("model_type") if isinstance(content, dict) else None
    kinds: dict[object, CaptionerKind] = {"blip": "blip", "blip-2": "blip-2", "git": "git"}
    if kind not in kinds:
        raise _unknown(model, f"its config.json says {kind}")
    return kinds[kind]


def _unknown(model: str, reason: str) -> ProblemError:
    return ProblemError(
        "caption_model_unknown", f"{model} is no captioner that is known here: {reason}.", MODEL_HINT
    )


def unreachable(model: str) -> ProblemError:
    return ProblemError(
        "caption_model_unreachable",
        f"The caption model {model} could not be fetched from the Hugging Face hub.",
        "Check the name and the network, or choose a folder with a caption model.",
    )


def unusable(model: str, name: str, error: Exception) -> ProblemError:
    """Its kind is known, but it cannot be loaded."""
    if not Path(model).is_dir():
        return unreachable(model)
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return ProblemError(
        "caption_model_damaged", f"The {name} model in {model} cannot be loaded: {reason}", MODEL_HINT
    )


def different(texts: list[str]) -> list[str]:
    """Each text once, those that say nothing left out."""
    return list(dict.fromkeys(text for text in texts if text))


def grouped(texts: list[str], pictures: int, candidates: int) -> list[list[str]]:
    """The texts of each picture, from a list that has those of one picture side by side."""
    size = len(texts) // pictures
    parts = [texts[first : first + size] for first in range(0, len(texts), size)]
    return [different(part) for part in parts] if candidates else parts
