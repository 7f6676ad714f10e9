"""LoRA files that a training reads: one to go on from, or those that are merged into the base model."""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias, cast

import safetensors
import torch

from lora_bridge.lora_file_rules import problem, require_lora_file
from lora_bridge.lora_kinds import kind_of, rank_of
from lora_bridge.lora_names import read_key
from lora_bridge.safetensors_header import DamagedFileError, read_header

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.lora_file_rules import Field
    from lora_bridge.lora_kinds import Kind
    from lora_bridge.lora_sites import LoraPart

PART_NAMES: dict[LoraPart, str] = {
    "unet": "U-Net",
    "text_encoder_1": "text encoder 1",
    "text_encoder_2": "text encoder 2",
}

Tensors: TypeAlias = "Mapping[str, Tensor]"
"""Of a module, by key in Kohya's names."""


class LoraFile(NamedTuple):
    """Its tensors by part, module in our libraries' layout and key, as they lie in the file."""

    path: Path
    field: Field
    modules: dict[LoraPart, dict[str, dict[str, Tensor]]]
    alphas: dict[tuple[LoraPart, str], float]
    """Of the modules that have none among their tensors and do not act unscaled."""
    strangers: list[str]
    """Names that are none of SDXL's."""

    def kinds(self) -> set[Kind]:
        """What its modules are."""
        kinds: set[Kind] = set()
        for modules in self.modules.values():
            for tensors in modules.values():
                kind = kind_of(shapes(tensors))
                if kind is not None:
                    kinds.add(kind)
        return kinds

    def scale(self, part: LoraPart, module: str) -> float:
        """What a module acts with: alpha divided by rank, 1 without either."""
        tensors = self.modules[part][module]
        rank = rank_of(shapes(tensors))
        alpha = float(tensors["alpha"]) if "alpha" in tensors else self.alphas.get((part, module), 0.0)
        # As every loader has it: an alpha that is missing, or zero, is the rank.
        return alpha / rank if rank and alpha else 1.0


def shapes(tensors: Tensors) -> dict[str, tuple[int, ...]]:
    """By key."""
    return {key: tuple(tensor.shape) for key, tensor in tensors.items()}


def read_lora(name: str, field: Field, *, values: bool = True) -> LoraFile:
    """All tensors of a file, on the CPU and in its dtypes, and finite.

    Without `values` all but the alphas are on torch's meta device: shapes, of which nothing is read. Raises
    ProblemError: the code is the field with `_missing`, `_format`, `_damaged`, `_not_a_lora` or
    `_not_finite`.
    """
    file = require_lora_file(name, field)
    found: dict[LoraPart, dict[str, dict[str, Tensor]]] = {}
    strangers: list[str] = []
    try:
        metadata = read_header(file).metadata
        with cast("Any", safetensors).safe_open(file, framework="pt") as content:
            for stored in content.keys():  # noqa: SIM118 - not a mapping
                key = read_key(stored)
                if key is None:
                    strangers.append(stored)
                else:
                    whole = values or key.key == "alpha"
                    tensor = content.get_tensor(stored) if whole else _shape_of(content, stored)
                    found.setdefault(key.part, {}).setdefault(key.module, {})[key.key] = tensor
    except (DamagedFileError, safetensors.SafetensorError, OSError) as error:
        raise problem(field, "damaged", str(error), "Copy or download it again.") from error
    lora = LoraFile(file, field, found, _alphas_of_peft(metadata, found), strangers)
    if not lora.kinds():
        raise problem(
            field,
            "not_a_lora",
            f"{file.name} has no module of SDXL among its {len(strangers) + _count(found)} tensors.",
            "Choose a LoRA for SDXL.",
        )
    if values:
        _require_finite(lora)
    return lora


def _shape_of(content: Any, stored: str) -> Tensor:
    return torch.empty(content.get_slice(stored).get_shape(), device="meta")


def _count(found: Mapping[LoraPart, Mapping[str, Tensors]]) -> int:
    return sum(len(tensors) for part in found.values() for tensors in part.values())


def _require_finite(lora: LoraFile) -> None:
    for modules in lora.modules.values():
        for module, tensors in modules.items():
            for key, tensor in tensors.items():
                if tensor.is_floating_point() and not bool(tensor.isfinite().all()):
                    raise problem(
                        lora.field,
                        "not_finite",
                        f"{lora.path.name} holds numbers that are not finite, in {module} ({key}).",
                        "Choose another file; this one draws noise.",
                    )


def _alphas_of_peft(
    metadata: Mapping[str, str], found: Mapping[LoraPart, Mapping[str, Tensors]]
) -> dict[tuple[LoraPart, str], float]:
    """Diffusers keeps PEFT's alphas beside the tensors: one for a part, and those of single modules."""
    try:
        written: Any = json.loads(metadata.get("lora_adapter_metadata", "{}"))
    except json.JSONDecodeError:
        return {}
    prefixes: dict[LoraPart, str] = {
        "unet": "unet",
        "text_encoder_1": "text_encoder",
        "text_encoder_2": "text_encoder_2",
    }
    alphas: dict[tuple[LoraPart, str], float] = {}
    for part, modules in found.items():
        common = written.get(f"{prefixes[part]}.lora_alpha")
        if common is None:
            continue
        single: dict[str, float] = written.get(f"{prefixes[part]}.alpha_pattern") or {}
        stabilized = bool(written.get(f"{prefixes[part]}.use_rslora"))
        for module, tensors in modules.items():
            alpha = next((value for name, value in single.items() if _names(name, module)), common)
            root = math.sqrt(rank_of(shapes(tensors))) if stabilized else 1.0
            alphas[part, module] = float(alpha) * root
    return alphas


def _names(pattern: str, module: str) -> bool:
    """Whether PEFT's name of modules is this one's, or the end of it."""
    return f".{module}".endswith(f".{pattern}")
