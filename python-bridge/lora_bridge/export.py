"""A LoRA as a `.safetensors` file in Kohya's names, written so that it is whole or not there at all."""

from __future__ import annotations

import hashlib
import json
import os
from typing import TYPE_CHECKING, Any, cast

import torch
from safetensors import safe_open
from safetensors.torch import save

from lora_bridge import ldm_names
from lora_bridge.metadata import hashed_beginning, legacy_hash
from lora_bridge.problems import ProblemError
from lora_bridge.safetensors_header import LENGTH_BYTES, read_header

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from torch import Tensor

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.networks import Network

_TEXT_ENCODER_PREFIXES = {"text_encoder_1": "lora_te1_", "text_encoder_2": "lora_te2_"}
_ALIGNMENT = 8


def kohya_name(part: LoraPart, module: str) -> str:
    """The UNet's `down_blocks.1.attentions.0.proj_in` is `lora_unet_input_blocks_4_1_proj_in`.

    A text encoder's `encoder.layers.0.mlp.fc1` is `lora_te1_text_model_encoder_layers_0_mlp_fc1`.
    """
    if part == "unet":
        return "lora_unet_" + _joined(ldm_names.unet_name(module))
    # Only the second encoder's own names begin with it.
    return _TEXT_ENCODER_PREFIXES[part] + "text_model_" + _joined(module.removeprefix("text_model."))


def _joined(module: str) -> str:
    return module.replace(".", "_")


def kohya_tensors(networks: Sequence[Network], dtype: torch.dtype) -> dict[str, Tensor]:
    """Every tensor of the networks under the name that it has in a file, on the CPU."""
    return {
        f"{kohya_name(network.part, module)}.{key}": value.to("cpu", dtype, copy=True)
        for network in networks
        for module, key, value in network.tensors()
    }


def write_lora(file: Path, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
    """Write and read back; a file that is not whole does not stay.

    Raises OSError, or ProblemError `lora_not_finite` or `output_damaged`.
    """
    content = save(tensors)
    length = int.from_bytes(content[:LENGTH_BYTES], "little")
    entries = json.loads(content[LENGTH_BYTES : LENGTH_BYTES + length])
    body = memoryview(content)[LENGTH_BYTES + length :]
    # As Kohya: hashed under a header with the training's facts, without the hashes and the model spec.
    training = {key: value for key, value in metadata.items() if key.startswith("ss_")}
    hashes = {
        "sshs_model_hash": hashlib.sha256(body).hexdigest(),
        "sshs_legacy_hash": legacy_hash(_header(entries, training) + bytes(body[: hashed_beginning()])),
    }
    try:
        with file.open("wb") as stream:
            stream.write(_header(entries, {**metadata, **hashes}))
            stream.write(body)
            stream.flush()
            os.fsync(stream.fileno())
        _verify(file, tensors)
    except BaseException:
        file.unlink(missing_ok=True)
        raise


def _header(entries: dict[str, object], metadata: dict[str, str]) -> bytes:
    text = json.dumps({"__metadata__": metadata, **entries}, separators=(",", ":")).encode()
    text += b" " * (-len(text) % _ALIGNMENT)
    return len(text).to_bytes(LENGTH_BYTES, "little") + text


def _verify(file: Path, expected: dict[str, Tensor]) -> None:
    """Everything that was written is there, number for number, and finite."""
    if read_header(file).tensors.keys() != expected.keys():
        raise ProblemError("output_damaged", f"{file} was written, but does not hold what it should.")
    with cast("Any", safe_open(file, framework="pt")) as written:
        for name, tensor in expected.items():
            if not torch.isfinite(tensor).all():
                raise ProblemError(
                    "lora_not_finite",
                    f"The LoRA holds numbers that are not finite ({name}), so it was not saved.",
                    "Save as float or bf16 instead of fp16, and lower the learning rate.",
                )
            found: Tensor = written.get_tensor(name)
            if found.dtype != tensor.dtype or not torch.equal(found, tensor):
                raise ProblemError(
                    "output_damaged",
                    f"{file} was written, but {name} reads back as something else.",
                    "Check the disk, or save to another one.",
                )
