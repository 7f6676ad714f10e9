"""How many numbers a config's LoRA has, told by names and shapes in the base model's files. No torch."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from lora_bridge.block_weights import block_of, read_blocks
from lora_bridge.file_memory import FileMemory
from lora_bridge.file_sizes import Amount
from lora_bridge.ldm_names import TEXT_ENCODER_2_PREFIX, TEXT_ENCODER_PREFIX, UNET_PREFIX, unet_name
from lora_bridge.optimizer_choice import part_rates
from lora_bridge.safetensors_header import DamagedFileError, read_header

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from lora_bridge.protocol_types import LoraType, TrainConfig

_TENSORS: dict[LoraType, int] = {"Standard": 3, "Kohya LoCon": 3, "LoRA-FA": 3, "Kohya LoHa": 5}
"""Of a module, alpha included. The types whose sizes follow from shapes and ranks alone."""
_SPATIAL = re.compile(r"(?:(?:input|output)_blocks\.\d+|middle_block)\.1\.")
_BLOCK = re.compile(r"(?:input_blocks\.(?!0\.)|output_blocks\.|middle_block\.)")
_ENCODER = re.compile(
    r"(?:.*encoder\.layers\.\d+\.(?:self_attn\.(?:[qkv]|out)_proj|mlp\.fc\d)\.weight"
    r"|.*resblocks\.\d+\.(?:attn\.out_proj\.weight|mlp\.c_(?:fc|proj)\.weight|attn\.in_proj_weight))"
)
_TOGETHER = "attn.in_proj_weight"
"""Query, key and value in one tensor, which are three layers."""


class _Layer(NamedTuple):
    """A layer that can be adapted."""

    name: str
    """In a UNet, as the original layout has it."""
    inputs: int
    """Of a convolution, times the pixels that it looks at."""
    outputs: int
    convolves: bool


def lora_amount(config: TrainConfig) -> Amount | None:
    """None where only the built LoRA can tell: for other types, and while the model's files are not here."""
    if config.lora_type not in _TENSORS or _is_special(config):
        return None
    try:
        layers = list(_ranked(config))
    except (OSError, DamagedFileError, KeyError):
        return None  # what is wrong with a model is `identify`'s to say
    if not layers:
        return None
    pairs = 2 if config.lora_type == "Kohya LoHa" else 1
    numbers = sum(pairs * rank * (layer.inputs + layer.outputs) + 1 for layer, rank in layers)
    return Amount(numbers, len(layers) * _TENSORS[config.lora_type])


def _is_special(config: TrainConfig) -> bool:
    """Whether ranks come from elsewhere, or modules hold more than their two or four matrices."""
    if config.dim_from_weights:
        return True
    extras = config.use_tucker or config.use_cp or config.use_scalar or config.dora_wd
    return config.lora_type == "Kohya LoHa" and extras


def _ranked(config: TrainConfig) -> Iterator[tuple[_Layer, int]]:
    """The layers that learn, and their ranks."""
    parts = part_rates(config)
    if "unet" in parts:
        yield from _unet_ranks(config, _layers_of(config, "unet"))
    for number, part in enumerate(("text_encoder_1", "text_encoder_2")):
        if part in parts:
            folder = "text_encoder" if number == 0 else "text_encoder_2"
            yield from ((layer, config.network_dim) for layer in _layers_of(config, folder))


def _unet_ranks(config: TrainConfig, layers: Iterable[_Layer]) -> Iterator[tuple[_Layer, int]]:
    loha = config.lora_type == "Kohya LoHa"
    convolutions = config.conv_dim > 0 if loha else config.lora_type == "Kohya LoCon"
    blocks = None if loha else read_blocks(config)
    for layer in layers:
        if not convolutions and _SPATIAL.match(layer.name) is None:
            continue
        if blocks is None:
            rank = config.conv_dim if layer.convolves else config.network_dim
        else:
            dims = blocks.convolutions.dims if layer.convolves else blocks.linear.dims
            rank = dims[block_of(layer.name)]
        if rank > 0:
            yield layer, rank


def _layers_of(config: TrainConfig, folder: str) -> list[_Layer]:
    """Of a part that lies in `folder` of a diffusers model. Raises OSError or DamagedFileError."""
    place = Path(config.pretrained_model_name_or_path).expanduser()
    if place.is_file():
        return _known_file(place)[folder]
    files = sorted((place / folder).glob("*.safetensors"))
    known = _known_unet if folder == "unet" else _known_encoder
    # The same weights may lie there in two precisions.
    return list({layer.name: layer for file in files for layer in known(file)}.values())


def _read_file(file: Path) -> dict[str, list[_Layer]]:
    """The parts of a single file, by the folders of a diffusers model."""
    shapes = {name: info.shape for name, info in read_header(file).tensors.items()}

    def below(prefix: str) -> dict[str, tuple[int, ...]]:
        return {name.removeprefix(prefix): shape for name, shape in shapes.items() if name.startswith(prefix)}

    return {
        "unet": list(_unet_layers(below(UNET_PREFIX))),
        "text_encoder": list(_encoder_layers(below(TEXT_ENCODER_PREFIX))),
        "text_encoder_2": list(_encoder_layers(below(TEXT_ENCODER_2_PREFIX))),
    }


def _read_unet(file: Path) -> list[_Layer]:
    tensors = read_header(file).tensors.items()
    return list(_unet_layers({unet_name(name): info.shape for name, info in tensors}))


def _read_encoder(file: Path) -> list[_Layer]:
    return list(_encoder_layers({name: info.shape for name, info in read_header(file).tensors.items()}))


_known_file = FileMemory(_read_file)
_known_unet = FileMemory(_read_unet)
_known_encoder = FileMemory(_read_encoder)


def _unet_layers(shapes: dict[str, tuple[int, ...]]) -> Iterator[_Layer]:
    for name, shape in shapes.items():
        if len(shape) > 1 and _BLOCK.match(name):
            outputs, *inputs = shape
            pixels = inputs[1:]
            yield _Layer(name, math.prod(inputs), outputs, convolves=math.prod(pixels) > 1)


def _encoder_layers(shapes: dict[str, tuple[int, ...]]) -> Iterator[_Layer]:
    for name, shape in shapes.items():
        if _ENCODER.fullmatch(name) is None:
            continue
        outputs, inputs = shape
        thirds = 3 if name.endswith(_TOGETHER) else 1
        for third in range(thirds):
            yield _Layer(f"{name} {third}", inputs, outputs // thirds, convolves=False)
