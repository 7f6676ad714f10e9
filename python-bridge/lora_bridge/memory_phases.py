"""How much memory each phase of a training needs at its peak. Without torch: it is asked while one types.

Of a GPU that is what computes there. On a CPU it is the memory of the process: the libraries too, and the
part of the base model's file that is being read.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lora_bridge.adapter_numbers import adapter_numbers
from lora_bridge.memory_estimate import (
    DECODER_BYTES,
    ENCODER_NUMBERS,
    UNET_NUMBERS,
    VAE_BYTES,
    bytes_of_number,
    encoders_stay,
    estimate_memory,
    vae_stays,
)
from lora_bridge.safetensors_header import DamagedFileError, read_header

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.memory_estimate import DeviceKind, Run
    from lora_bridge.protocol_types import TrainConfig

Phase: TypeAlias = Literal[
    "caching_latents", "caching_captions", "loading_model", "training", "sampling", "saving"
]

_GIBIBYTE = 1 << 30
LIBRARIES: dict[DeviceKind, int] = {"cuda": round(0.7 * _GIBIBYTE), "cpu": round(0.6 * _GIBIBYTE)}
"""What torch and its kernels take beside the tensors."""
_GAPS: dict[DeviceKind, float] = {"cuda": 1.05, "cpu": 1.0}
"""What the allocator cannot fill."""
_ENCODED = 4 * 40_960
"""Bytes that the VAE has at once for each pixel of a latent: five tensors of 128 channels, in fp32."""
_DECODED = 4 * 49_152
"""The same of its decoder: three of 256. It is more than the UNet needs to answer two latents."""
_FILE_BYTES = {"F32": 4, "F16": 2, "BF16": 2}
_COMPUTED_WITH = {"no": "F32", "bf16": "BF16"}
"""By mixed precision: what a CPU computes with as it lies in the file."""


class PhasePeak(NamedTuple):
    """A phase at its peak."""

    phase: Phase
    bytes: int
    file: int = 0
    """How much of it is the base model's file, mapped: the system takes that back where memory runs short."""

    @property
    def needed(self) -> int:
        """What has to be there."""
        return self.bytes - self.file


def memory_phases(run: Run, kind: DeviceKind) -> list[PhasePeak]:
    """The phases that there are, in the order of the run. Raises ProblemError `nothing_learned`."""
    return [
        PhasePeak(used.phase, LIBRARIES[kind] + round(used.bytes * _GAPS[kind]) + used.file, used.file)
        for used in _phases(run, kind)
    ]


def needed_memory(run: Run, kind: DeviceKind) -> int:
    """Bytes that have to be there for the whole run."""
    return max(phase.needed for phase in memory_phases(run, kind))


def _phases(run: Run, kind: DeviceKind) -> Iterator[PhasePeak]:
    """Tensors alone."""
    config, on_cpu = run.config, kind == "cpu"
    size = bytes_of_number(config, kind)
    from_file = _mapped_bytes(config) if on_cpu else 0
    step = estimate_memory(run, kind)
    staying_vae = VAE_BYTES if vae_stays(config) else 0
    staying_texts = sum(ENCODER_NUMBERS) * size if encoders_stay(config) else 0

    encoding = _ENCODED * run.latent_pixels
    if not staying_vae:
        yield PhasePeak("caching_latents", VAE_BYTES + encoding * max(1, config.vae_batch_size))
    largest = ENCODER_NUMBERS[1]
    texts = staying_texts or largest * size
    yield PhasePeak("caching_captions", staying_vae + texts, largest * from_file)

    # A CPU quantises what it has read whole, a GPU what comes layer by layer.
    unet = UNET_NUMBERS * size if on_cpu else step.weights - staying_vae - staying_texts
    yield PhasePeak("loading_model", staying_vae + staying_texts + unet, UNET_NUMBERS * from_file)

    kept = step.total - step.activations
    yield PhasePeak("training", kept + max(step.activations, encoding if staying_vae else 0))
    if run.drawn_pixels:
        # The decoder visits a GPU; on a CPU it is there all the time.
        yield PhasePeak("sampling", kept + _DECODED * run.drawn_pixels + (0 if on_cpu else DECODER_BYTES))
    # The file is made in process memory: its tensors, and all of them as what is written.
    saved = 4 if config.save_precision == "float" else 2
    yield PhasePeak("saving", kept + (2 * saved * adapter_numbers(config) if on_cpu else 0))


def _mapped_bytes(config: TrainConfig) -> int:
    """Of the base model's file for each number that is made from it; 0 where it is computed with as it is."""
    dtype = _file_type(config.pretrained_model_name_or_path)
    return 0 if dtype == _COMPUTED_WITH.get(config.mixed_precision, "F32") else _FILE_BYTES.get(dtype, 2)


def _file_type(model: str) -> str:
    """The number format of a base model as safetensors calls it; the usual one where it is not to be read."""
    place = Path(model).expanduser()
    files = sorted((place / "unet").glob("*.safetensors")) if place.is_dir() else [place]
    try:
        tensors = read_header(files[0]).tensors.values()
        return max(tensors, key=lambda tensor: tensor.data_offsets[1] - tensor.data_offsets[0]).dtype
    except (IndexError, OSError, ValueError, DamagedFileError):
        return "F16"
