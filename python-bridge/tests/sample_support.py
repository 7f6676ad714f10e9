"""Samples as the dataset makes them, of pictures that need not be there."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from training_support import make_config

from lora_bridge.buckets import Size, bucket_rules
from lora_bridge.captions import Caption
from lora_bridge.dataset import Sample
from lora_bridge.picture_folders import Picture, make_subset
from lora_bridge.protocol_types import ConceptSource

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig


def views_config(**changes: Any) -> TrainConfig:
    """SDXL's buckets, and Kohya's way with small pictures."""
    return make_config(
        Path("project"),
        **{
            "max_resolution": "1024,1024",
            "min_bucket_reso": 256,
            "max_bucket_reso": 2048,
            "bucket_no_upscale": False,
            **changes,
        },
    )


def make_sample(
    size: tuple[int, int], file: Path = Path("a.png"), mask: Path | None = None, **changes: Any
) -> Sample:
    """A picture of this size, in the bucket that `views_config(**changes)` puts it into."""
    config = views_config(**changes)
    fit = bucket_rules(config).fit(Size(*size))
    assert fit is not None
    source = ConceptSource(folder="img", prompt="ohwx", repeats=1, regularization=False)
    picture = Picture(file, Size(*size), Caption(("ohwx",), None), mask)
    return Sample(picture, fit, 1, regularization=False, subset=make_subset(config, source), part=0)
