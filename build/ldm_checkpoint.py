"""Single-file SDXL checkpoints in the original layout: from a diffusers folder, or from configs alone."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, NamedTuple

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from safetensors.torch import load_file
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

from lora_bridge import ldm_names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

_VAE_CONVOLUTIONS = (
    "attn_1.q.weight",
    "attn_1.k.weight",
    "attn_1.v.weight",
    "attn_1.proj_out.weight",
)


class LdmTensor(NamedTuple):
    """A tensor of a checkpoint and what it is made of."""

    name: str
    shape: tuple[int, ...]
    part: str
    """Of the diffusers folder."""
    sources: tuple[str, ...]
    """Names in the diffusers layout: three where the original keeps query, key and value in one."""


def sdxl_layout(configs: Path) -> list[LdmTensor]:
    """The tensors of an SDXL checkpoint whose parts have the configs in this folder, in order."""
    return [
        *_plain(
            "unet",
            _unet(configs),
            lambda name: ldm_names.UNET_PREFIX + ldm_names.unet_name(name),
        ),
        *_plain(
            "vae",
            _vae(configs),
            lambda name: ldm_names.VAE_PREFIX + ldm_names.vae_name(name),
        ),
        *_plain(
            "text_encoder",
            _text_encoder(configs / "text_encoder", CLIPTextModel),
            lambda name: ldm_names.TEXT_ENCODER_PREFIX + name.removeprefix("text_model."),
        ),
        *_open_clip(_text_encoder(configs / "text_encoder_2", CLIPTextModelWithProjection)),
    ]


def write_checkpoint(file: Path, layout: list[LdmTensor], make: Callable[[LdmTensor], torch.Tensor]) -> None:
    """Write an fp16 checkpoint, one tensor in memory at a time."""
    entries: dict[str, object] = {}
    end = 0
    for tensor in layout:
        start, end = end, end + 2 * torch.Size(tensor.shape).numel()
        entries[tensor.name] = {
            "dtype": "F16",
            "shape": tensor.shape,
            "data_offsets": (start, end),
        }
    header = json.dumps(entries).encode()
    header += b" " * (-len(header) % 8)
    temporary = file.with_name(file.name + ".tmp")
    with temporary.open("wb") as stream:
        stream.write(len(header).to_bytes(8, "little") + header)
        for tensor in layout:
            value = make(tensor).to(torch.float16).reshape(tensor.shape)
            stream.write(value.contiguous().numpy().data)
    temporary.replace(file)


def convert_folder(folder: Path, file: Path) -> None:
    """A diffusers folder as a single file."""
    weights = {
        "unet": load_file(folder / "unet" / "diffusion_pytorch_model.safetensors"),
        "vae": load_file(folder / "vae" / "diffusion_pytorch_model.safetensors"),
        "text_encoder": load_file(folder / "text_encoder" / "model.safetensors"),
        "text_encoder_2": load_file(folder / "text_encoder_2" / "model.safetensors"),
    }

    def make(tensor: LdmTensor) -> torch.Tensor:
        # transformers 5 dropped the prefix from the first encoder's names in memory, but writes it to files.
        state = {name.removeprefix("text_model."): value for name, value in weights[tensor.part].items()}
        value = torch.cat([state[source.removeprefix("text_model.")] for source in tensor.sources])
        return value.t() if tensor.name.endswith("text_projection") else value

    write_checkpoint(file, sdxl_layout(folder), make)


def random_tensor(tensor: LdmTensor) -> torch.Tensor:
    """Random weights that keep the size of what passes through them."""
    if tensor.name.endswith("bias"):
        return torch.zeros(tensor.shape)
    if len(tensor.shape) == 1:
        return torch.ones(tensor.shape)
    if "embedding" in tensor.name:
        return torch.randn(tensor.shape) * 0.02
    fan_in = torch.Size(tensor.shape[1:]).numel()
    return torch.randn(tensor.shape) * (0.5 / fan_in**0.5)


def _unet(configs: Path) -> torch.nn.Module:
    with torch.device("meta"):
        return UNet2DConditionModel.from_config(UNet2DConditionModel.load_config(configs / "unet"))


def _vae(configs: Path) -> torch.nn.Module:
    with torch.device("meta"):
        return AutoencoderKL.from_config(AutoencoderKL.load_config(configs / "vae"))


def _text_encoder(folder: Path, kind: type[torch.nn.Module]) -> torch.nn.Module:
    config = CLIPTextConfig.from_json_file(folder / "config.json")
    with torch.device("meta"):
        return kind(config)


def _plain(part: str, model: torch.nn.Module, rename: Callable[[str], str]) -> Iterator[LdmTensor]:
    for name, value in model.state_dict().items():
        original = rename(name)
        shape = tuple(value.shape)
        if original.endswith(_VAE_CONVOLUTIONS):
            shape = (*shape, 1, 1)
        yield LdmTensor(original, shape, part, (name,))


def _open_clip(model: torch.nn.Module) -> Iterator[LdmTensor]:
    state = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    for name, shape in state.items():
        original, third = ldm_names.text_encoder_2_name(name)
        original = ldm_names.TEXT_ENCODER_2_PREFIX + original
        if third is None:
            yield LdmTensor(
                original,
                shape[::-1] if "projection" in name else shape,
                "text_encoder_2",
                (name,),
            )
        elif third == 0:
            sources = tuple(name.replace("q_proj", f"{letter}_proj") for letter in "qkv")
            yield LdmTensor(original, (3 * shape[0], *shape[1:]), "text_encoder_2", sources)
