"""What a base model is, told from its tensors' names or its `model_index.json`, without loading it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias, cast

from lora_bridge.protocol_types import ModelIdentity, Problem
from lora_bridge.safetensors_header import DamagedFileError, TensorInfo, read_header

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal[
    "sdxl", "sdxl_refiner", "sd1", "sd2", "sd3", "flux", "lora", "unknown", "missing", "hub"
]

HUB_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
PARTS = ("unet", "vae", "text_encoder", "text_encoder_2", "tokenizer", "tokenizer_2", "scheduler")

_SDXL_HINT = "Choose an SDXL base model: a .safetensors file or a diffusers folder."
_NAMES: dict[Kind, str] = {
    "sdxl_refiner": "the SDXL refiner, which is no base model",
    "sd1": "a Stable Diffusion 1 model",
    "sd2": "a Stable Diffusion 2 model",
    "sd3": "a Stable Diffusion 3 model",
    "flux": "a Flux model",
    "lora": "a LoRA, which is what a training makes",
    "unknown": "not a model that is known here",
}
_PIPELINES: dict[str, Kind] = {
    "StableDiffusionXLPipeline": "sdxl",
    "StableDiffusionXLImg2ImgPipeline": "sdxl",
    "StableDiffusion3Pipeline": "sd3",
    "FluxPipeline": "flux",
}
_UNET_IN = "model.diffusion_model.input_blocks.0.0.weight"
_LATENT_CHANNELS = 4
_SD2_WIDTH = 1024


class Prediction(NamedTuple):
    """What a model answers when it is shown a noisy latent."""

    velocity: bool = False
    """v instead of the noise (Salimans & Ho 2022)."""
    zero_terminal_snr: bool = False
    """Its last timestep is noise alone (Lin et al. 2023)."""


class _Finding(NamedTuple):
    kind: Kind
    problem: Problem | None = None


def identify(path: str) -> ModelIdentity:
    """Say what `path` is, with a problem unless it is a usable SDXL base model. No hub is asked."""
    place = _place(path)
    if place.is_dir():
        finding = _folder(place)
        return _identity(place, finding, "diffusers")
    if place.is_file():
        return _identity(place, _file(place), "single_file")
    if HUB_NAME.fullmatch(path) and place.suffix != ".safetensors":
        return ModelIdentity(kind="hub", format="hub", problem=None)
    missing = Problem(
        code="base_model_missing",
        message=f"There is no base model at {path}.",
        hint=_SDXL_HINT,
    )
    return ModelIdentity(kind="missing", format="none", problem=missing)


def prediction_of(path: str) -> Prediction | None:
    """What the model at `path` says that it predicts, or None where it does not say. No hub is asked.

    A single file says so with empty tensors named `v_pred` and `ztsnr`; without them it may predict either.
    """
    place = _place(path)
    if place.is_dir():
        scheduler = _read_json(place / "scheduler" / "scheduler_config.json") or {}
        kind = scheduler.get("prediction_type")
        if kind not in ("epsilon", "v_prediction"):
            return None
        return Prediction(kind == "v_prediction", scheduler.get("rescale_betas_zero_snr") is True)
    if not place.is_file():
        return None
    try:
        names = read_header(place).tensors
    except (DamagedFileError, OSError):
        return None  # which `identify` has a problem for
    return Prediction(velocity=True, zero_terminal_snr="ztsnr" in names) if "v_pred" in names else None


def _place(path: str) -> Path:
    try:
        return Path(path).expanduser()
    except RuntimeError:  # ~ and the name of nobody
        return Path(path)


def _identity(place: Path, finding: _Finding, layout: Literal["single_file", "diffusers"]) -> ModelIdentity:
    problem = finding.problem
    if problem is None and finding.kind != "sdxl":
        problem = Problem(code="not_sdxl", message=f"{place} is {_NAMES[finding.kind]}.", hint=_SDXL_HINT)
    return ModelIdentity(kind=finding.kind, format=layout, problem=problem)


def _file(file: Path) -> _Finding:
    if file.suffix.lower() != ".safetensors":
        problem = Problem(
            code="not_safetensors",
            message=f"{file} is not a .safetensors file.",
            hint="Files of other kinds can run code when they are opened. Convert it, or choose another.",
        )
        return _Finding("unknown", problem)
    try:
        tensors = read_header(file).tensors
    except DamagedFileError as damage:
        problem = Problem(code="model_damaged", message=str(damage), hint="Copy or download it again.")
        return _Finding("unknown", problem)
    except OSError as error:
        reason = error.strerror or str(error)
        problem = Problem(code="model_unreadable", message=f"{file} cannot be read: {reason}.")
        return _Finding("unknown", problem)
    return _by_names(file, tensors)


def _by_names(file: Path, tensors: Mapping[str, TensorInfo]) -> _Finding:
    kind = _kind_by_names(tensors)
    if kind != "sdxl":
        return _Finding(kind)
    missing = [
        part
        for part, key in {
            "UNet": "model.diffusion_model.",
            "VAE": "first_stage_model.",
            "first text encoder": "conditioner.embedders.0.transformer.",
            "second text encoder": "conditioner.embedders.1.model.",
        }.items()
        if not any(name.startswith(key) for name in tensors)
    ]
    if missing:
        return _Finding(kind, _incomplete(file, missing))
    if tensors[_UNET_IN].shape[1] != _LATENT_CHANNELS:
        message = f"{file} is an SDXL model for inpainting, which cannot be trained here."
        return _Finding(kind, Problem(code="not_sdxl", message=message, hint=_SDXL_HINT))
    return _Finding(kind)


def _kind_by_names(names: Mapping[str, TensorInfo]) -> Kind:
    def starts(prefix: str) -> bool:
        return any(name.startswith(prefix) for name in names)

    if any(re.search(r"\.(lora_(down|up|A|B)|hada_w1_a|lokr_w1)\b", name) for name in names):
        return "lora"
    if "model.diffusion_model.x_embedder.proj.weight" in names:
        return "sd3"
    if any(name.endswith("double_blocks.0.img_attn.norm.key_norm.scale") for name in names):
        return "flux"
    if starts("conditioner.embedders.0.model."):
        return "sdxl_refiner"
    if starts("conditioner.") or "model.diffusion_model.label_emb.0.0.weight" in names:
        return "sdxl" if _UNET_IN in names else "unknown"
    if starts("cond_stage_model.model."):
        return "sd2"
    return "sd1" if starts("cond_stage_model.") or _UNET_IN in names else "unknown"


def _folder(folder: Path) -> _Finding:
    index = _read_json(folder / "model_index.json")
    if index is None:
        problem = Problem(
            code="not_sdxl",
            message=f"{folder} is not a diffusers model: it has no readable model_index.json.",
            hint=_SDXL_HINT,
        )
        return _Finding("unknown", problem)
    pipeline = str(index.get("_class_name", ""))
    kind = _PIPELINES.get(pipeline, "unknown")
    if pipeline.startswith("StableDiffusionPipeline"):
        unet = _read_json(folder / "unet" / "config.json") or {}
        kind = "sd2" if unet.get("cross_attention_dim") == _SD2_WIDTH else "sd1"
    if kind != "sdxl":
        return _Finding(kind)
    if index.get("text_encoder") in (None, [None, None]):
        return _Finding("sdxl_refiner")
    missing = [part for part in PARTS if not (folder / part).is_dir()]
    return _Finding(kind, _incomplete(folder, missing) if missing else None)


def _read_json(file: Path) -> dict[str, object] | None:
    try:
        content: object = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return cast("dict[str, object]", content) if isinstance(content, dict) else None


def _incomplete(place: Path, missing: list[str]) -> Problem:
    return Problem(
        code="model_incomplete",
        message=f"{place} lacks a part of SDXL: {', '.join(missing)}.",
        hint="Copy or download the whole model.",
    )
