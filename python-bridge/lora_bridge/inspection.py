"""What is in a LoRA file."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import safetensors

from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Inspection, LoraModule, Parts
from lora_bridge.safetensors_header import DamagedFileError, Header, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

_DOWN = (".lora_down.weight", ".lora_A.weight")
_UP = (".lora_up.weight", ".lora_B.weight")
_ALPHA = ".alpha"
_FIRST_ENCODERS_LAYER = re.compile(r"lora_te1_text_model_encoder_layers_(\d+)_")
# Trainers put pictures and the captions of whole data sets into the metadata; a protocol line has an end.
_MAX_METADATA_VALUE = 20_000


class _Values(NamedTuple):
    """What must be known of a tensor's numbers."""

    largest: float | None
    """Largest absolute value; None when it is not finite."""
    first: float


def inspect_lora(path: str) -> Inspection:
    """Read a LoRA file, its numbers included.

    Raises ProblemError `lora_missing`, `lora_damaged` or `not_a_lora`.
    """
    file = Path(path).expanduser()
    header = _header(file)
    names = _module_names(header)
    if not names:
        raise ProblemError(
            "not_a_lora",
            f"{file} is not a LoRA: none of its {len(header.tensors)} tensors is a lora_down matrix.",
            "Choose a file that a LoRA training made.",
        )
    try:
        values = dict(_read_values(file))
    except safetensors.SafetensorError as error:
        raise _damaged(f"{file} is damaged: {error}") from None
    modules = [_module(name, header, values) for name in names]
    return Inspection(
        path=str(file),
        bytes=file.stat().st_size,
        tensors=len(header.tensors),
        dtypes=sorted({tensor.dtype for tensor in header.tensors.values()}),
        modules=modules,
        parts=_parts(names),
        ranks=sorted({module.rank for module in modules}),
        alphas=sorted({module.alpha for module in modules if module.alpha is not None}),
        non_finite_tensors=sorted(name for name, value in values.items() if value.largest is None),
        empty_modules=_empty(modules),
        metadata={key: _cut(value) for key, value in sorted(header.metadata.items())},
    )


def _header(file: Path) -> Header:
    if not file.is_file():
        raise ProblemError("lora_missing", f"There is no file {file}.", "Choose a LoRA's .safetensors file.")
    try:
        return read_header(file)
    except DamagedFileError as error:
        raise _damaged(str(error)) from None


def _damaged(message: str) -> ProblemError:
    return ProblemError("lora_damaged", message, "Copy or download it again, or train again.")


def _module_names(header: Header) -> list[str]:
    return sorted(
        name.removesuffix(end)
        for name, tensor in header.tensors.items()
        for end in _DOWN
        if name.endswith(end) and tensor.shape
    )


def _module(name: str, header: Header, values: Mapping[str, _Values]) -> LoraModule:
    down = next(f"{name}{end}" for end in _DOWN if f"{name}{end}" in values)
    ups = [f"{name}{end}" for end in _UP if f"{name}{end}" in values]
    rank = header.tensors[down].shape[0]
    alpha = values.get(f"{name}{_ALPHA}")
    # As every loader has it: without an alpha the LoRA acts unscaled.
    scale = float(rank) if alpha is None else alpha.first
    return LoraModule(
        name=name,
        rank=rank,
        alpha=scale if math.isfinite(scale) else None,
        up_max=values[ups[0]].largest if ups else 0.0,
        non_finite=[
            tensor
            for tensor in (down, *ups, f"{name}{_ALPHA}")
            if tensor in values and values[tensor].largest is None
        ],
    )


def _empty(modules: list[LoraModule]) -> list[str]:
    """Names of modules that do nothing and could do something.

    SDXL reads the first text encoder's last layer but one, so that nothing after it can learn.
    """
    layers = {
        module.name: int(found[1])
        for module in modules
        if (found := _FIRST_ENCODERS_LAYER.match(module.name)) is not None
    }
    last = max(layers.values(), default=0)
    idle = {name for name, layer in layers.items() if layer == last > 0}
    return [module.name for module in modules if module.up_max == 0 and module.name not in idle]


def _read_values(file: Path) -> Iterator[tuple[str, _Values]]:
    """Every tensor's name and values, one tensor in memory at a time."""
    with cast("Any", safetensors).safe_open(file, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - not a mapping
            tensor: Tensor = tensors.get_tensor(name).float().flatten()
            yield name, _values(tensor)


def _values(tensor: Tensor) -> _Values:
    if tensor.numel() == 0:
        return _Values(0.0, 0.0)
    finite = bool(tensor.isfinite().all())
    return _Values(tensor.abs().max().item() if finite else None, tensor[0].item())


def _parts(names: list[str]) -> Parts:
    def count(*prefixes: str) -> int:
        return sum(name.startswith(prefixes) for name in names)

    unet = count("lora_unet_", "unet.")
    first = count("lora_te1_", "lora_te_", "text_encoder.")
    second = count("lora_te2_", "text_encoder_2.")
    return Parts(
        unet=unet, text_encoder1=first, text_encoder2=second, other=len(names) - unet - first - second
    )


def _cut(value: str) -> str:
    if len(value) <= _MAX_METADATA_VALUE:
        return value
    return f"{value[:_MAX_METADATA_VALUE]}… ({len(value)} characters)"
