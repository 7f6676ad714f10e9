"""How much memory each phase of a training needs at its peak. Without torch: it is asked while one types.

Of a GPU that is what computes there. On a CPU it is the memory of the process: the libraries too, and the
part of the base model's file that is being read.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

from lora_bridge.adapter_numbers import adapter_numbers
from lora_bridge.memory_estimate import (
    DECODER_BYTES,
    ENCODER_NUMBERS,
    VAE_BYTES,
    bytes_of_number,
    encoders_stay,
    estimate_memory,
    vae_stays,
)
from lora_bridge.model_size import UNET_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.memory_estimate import DeviceKind, Run

Phase: TypeAlias = Literal[
    "caching_latents", "caching_captions", "loading_model", "training", "sampling", "saving"
]

_GIBIBYTE = 1 << 30
LIBRARIES: dict[DeviceKind, int] = {"cuda": round(0.7 * _GIBIBYTE), "cpu": round(0.6 * _GIBIBYTE)}
"""What torch and its kernels take beside the tensors."""
_GAPS: dict[DeviceKind, float] = {"cuda": 1.05, "cpu": 1.0}
"""What the allocator cannot fill."""
_SCATTERED = 1.2
"""On a CPU: how far activations spread over a heap in which freed ones leave holes. Measured."""
_KEPT_FOR_UPDATES = 4
"""On a CPU: bytes for each number that is learnt, in the heap from the second step on. Measured."""
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
    config, on_cpu, share = run.config, kind == "cpu", run.model.share
    size = bytes_of_number(config, kind)
    from_file = share * _mapped_bytes(run) if on_cpu else 0
    step = estimate_memory(run, kind)
    width = math.sqrt(share)
    staying_vae = share * VAE_BYTES if vae_stays(config) else 0
    staying_texts = share * sum(ENCODER_NUMBERS) * size if encoders_stay(config) else 0

    encoding = width * _ENCODED * run.latent_pixels
    if not staying_vae:
        at_once = encoding * max(1, config.vae_batch_size)
        yield _peak("caching_latents", share * VAE_BYTES + at_once)
    largest = ENCODER_NUMBERS[1]
    texts = staying_texts or share * largest * size
    yield _peak("caching_captions", staying_vae + texts, largest * from_file)

    # A CPU quantises what it has read whole, a GPU what comes layer by layer.
    staying = staying_vae + staying_texts
    unet = share * UNET_NUMBERS * size if on_cpu else step.weights - staying
    yield _peak("loading_model", staying + unet, UNET_NUMBERS * from_file)

    learnt = width * adapter_numbers(config)
    kept = step.total - step.activations + (_KEPT_FOR_UPDATES * learnt if on_cpu else 0)
    activations = step.activations * (_SCATTERED if on_cpu else 1)
    yield _peak("training", kept + max(activations, encoding if staying_vae else 0))
    if run.drawn_pixels:
        # The decoder visits a GPU; on a CPU it is there all the time.
        decoding = width * _DECODED * run.drawn_pixels + (0 if on_cpu else share * DECODER_BYTES)
        yield _peak("sampling", kept + decoding)
    # The file is made in process memory: its tensors, and all of them as what is written.
    saved = 4 if config.save_precision == "float" else 2
    yield _peak("saving", kept + (2 * saved * learnt if on_cpu else 0))


def _peak(phase: Phase, size: float, file: float = 0) -> PhasePeak:
    return PhasePeak(phase, round(size), round(file))


def _mapped_bytes(run: Run) -> int:
    """Of the base model's file for each number that is made from it; 0 where it is computed with as it is."""
    dtype = run.model.dtype
    computed_with = _COMPUTED_WITH.get(run.config.mixed_precision, "F32")
    return 0 if dtype == computed_with else _FILE_BYTES.get(dtype, 2)
