"""The sample project, captioned and trained by the bridge, and what its LoRAs draw in diffusers."""

from __future__ import annotations

import json
import shutil
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import torch
from default_config import default_caption_config, default_config
from diffusers import StableDiffusionXLPipeline

from lora_bridge import caption, train
from lora_bridge.protocol_types import CaptionConfig, CaptionEvent, TrainConfig

if TYPE_CHECKING:
    from lora_bridge.protocol_types import JobEvent

_ROOT = Path(__file__).resolve().parents[2]
MODELS = _ROOT / "build" / "tiny-world" / "models"


class Lesson(NamedTuple):
    """A training that is over."""

    files: list[Path]
    """The LoRAs, the last one first."""
    seconds: float
    steps: int


class _Quiet:
    """A sink for jobs that nobody watches."""

    def __init__(self) -> None:
        self.events: list[JobEvent] = []

    def emit(self, event: JobEvent) -> None:
        """Keep it."""
        self.events.append(event)

    def stop_requested(self) -> bool:
        """Nobody does."""
        return False

    def pause_requested(self) -> bool:
        """Nor does anybody pause it."""
        return False

    def take(self, wish: Literal["save", "sample"]) -> bool:
        """Nobody wishes for anything."""
        del wish
        return False


def prepare(sample: Path, folder: Path) -> None:
    """The sample in Kohya's layout, its photos captioned by BLIP as the sample's settings say."""
    about = read_sample(sample)
    subject = f"{about['instancePrompt']} {about['classPrompt']}"
    photos = folder / "img" / f"{about['repeats']}_{subject}"
    shutil.copytree(sample / about["photos"], photos)
    shutil.copytree(sample / about["regularization"], folder / "reg" / f"1_{about['classPrompt']}")
    settings = {**caption_settings(sample / about["blip"], str(photos)), **about["captioning"]}
    sink = _Quiet()
    caption.run(CaptionConfig(**settings), sink)
    said = [event for event in sink.events if isinstance(event, CaptionEvent)]
    failed = [event.reason for event in said if event.outcome != "written"]
    if failed or not said:
        raise RuntimeError(f"The photos were not captioned: {failed}")


def caption_settings(model: Path, folder: str) -> dict[str, Any]:
    """Of a captioner that says the likeliest words."""
    return {
        **default_caption_config(),
        "model": str(model),
        "image_dir": folder,
        "batch_size": 8,
        "existing": "overwrite",
    }


def teach(sample: Path, folder: Path, name: str, **changes: Any) -> Lesson:
    """Train the LoRA `name` on a prepared sample with the sample's settings and these changes to them."""
    about = read_sample(sample)
    settings: dict[str, Any] = {
        **default_config(),
        **about["parameters"],
        "pretrained_model_name_or_path": str(sample / about["baseModel"]),
        "train_data_dir": str(folder / "img"),
        "reg_data_dir": str(folder / "reg"),
        "output_dir": str(folder / "model"),
        "logging_dir": str(folder / "log"),
        "output_name": name,
        "save_every_n_epochs": 0,
        "sample_prompts": "",
        **changes,
    }
    started = time.monotonic()
    sink = _Quiet()
    ending = train.run(TrainConfig(**settings), sink, folder / "log", "cpu")
    steps = max(getattr(event, "step", 0) for event in sink.events)
    return Lesson(ending.outputs, time.monotonic() - started, steps)


def painter_with(lora: Path | None, base: Path = MODELS / "sdxl") -> StableDiffusionXLPipeline:
    """diffusers' own pipeline on the base model, with a LoRA built in."""
    pipeline = StableDiffusionXLPipeline.from_pretrained(base, dtype=torch.float32, local_files_only=True)
    if lora is not None:
        pipeline.load_lora_weights(str(lora))
        pipeline.fuse_lora()
    return pipeline


def read_sample(sample: Path) -> dict[str, Any]:
    """`sample.json`."""
    return json.loads((sample / "sample.json").read_text(encoding="utf-8"))
