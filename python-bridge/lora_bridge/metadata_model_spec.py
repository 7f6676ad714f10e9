"""Stability's `modelspec.*` entries of a LoRA file, and the picture that may be among them."""

from __future__ import annotations

import base64
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image, UnidentifiedImageError

from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from lora_bridge.metadata import RunFacts
    from lora_bridge.protocol_types import TrainConfig

_ALL_TIMESTEPS = (0, 1000)
_THUMBNAIL_SIZE = 256
_WRITTEN = {
    "author": "metadata_author",
    "description": "metadata_description",
    "license": "metadata_license",
    "tags": "metadata_tags",
    "trigger_phrase": "metadata_trigger_phrase",
    "usage_hint": "metadata_usage_hint",
    "merged_from": "metadata_merged_from",
    "preprocessor": "metadata_preprocessor",
}
"""By entry, the parameter that says it."""


def model_spec(facts: RunFacts, file: Path) -> dict[str, object]:
    """The entries for a file of this name. Those that nothing is said of are left out."""
    config = facts.config
    width, height = facts.dataset.parts[0].rules.resolution
    found: dict[str, object] = {
        "sai_model_spec": "1.0.1",
        "architecture": "stable-diffusion-xl-v1-base/lora",
        "implementation": "https://github.com/Stability-AI/generative-models",
        "title": config.metadata_title.strip() or file.stem,
        "resolution": f"{width}x{height}",
        "prediction_type": "v" if config.v_parameterization else "epsilon",
        "date": datetime.now(UTC).isoformat(timespec="seconds"),
    }
    if (config.min_timestep, config.max_timestep) != _ALL_TIMESTEPS:
        found["timestep_range"] = f"{config.min_timestep},{config.max_timestep}"
    for entry, key in _WRITTEN.items():
        if text := getattr(config, key).strip():
            found[entry] = text
    if facts.thumbnail:
        found["thumbnail"] = facts.thumbnail
    return {f"modelspec.{entry}": value for entry, value in found.items()}


def thumbnail_of(config: TrainConfig) -> str:
    """The picture of the config, at most 256 pixels wide and high, as a data URL; empty without one.

    Raises ProblemError `thumbnail_unreadable`.
    """
    name = config.metadata_thumbnail.strip()
    if not name:
        return ""
    try:
        with Image.open(Path(name).expanduser()) as picture:
            small = picture.convert("RGB")
    except (OSError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ProblemError(
            "thumbnail_unreadable",
            f"The Metadata thumbnail {name} cannot be read as a picture: {error}",
            "Choose a png, jpg or webp file, or empty the field.",
        ) from error
    small.thumbnail((_THUMBNAIL_SIZE, _THUMBNAIL_SIZE))
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=85)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
