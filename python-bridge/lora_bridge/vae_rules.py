"""A VAE that is to be used instead of the base model's own: told from its names, without loading it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, cast

from lora_bridge.identify import identify
from lora_bridge.ldm_names import VAE_PREFIX
from lora_bridge.problems import ProblemError
from lora_bridge.safetensors_header import DamagedFileError, read_header

if TYPE_CHECKING:
    from lora_bridge.protocol_types import TrainConfig

_SCALING_FACTOR = 0.13025
"""Of SDXL's latents. The VAEs of Stable Diffusion 1 and 2 have the same layers, and another."""
_NEEDED = ("encoder.conv_in.weight", "decoder.conv_out.weight")
_HINT = "Choose SDXL's VAE as a .safetensors file or a diffusers folder, or clear the VAE."


def require_vae(config: TrainConfig) -> None:
    """Raise ProblemError `vae_missing` or `vae_damaged` for a VAE of its own that cannot be used."""
    if config.vae.strip():
        find_vae(config.vae)


def find_vae(path: str) -> Path:
    """The .safetensors file, or the folder with the VAE's `config.json`.

    Raises ProblemError `vae_missing` or `vae_damaged`, which names the file.
    """
    place = Path(path.strip()).expanduser()
    if place.is_dir():
        # The folder of a whole model has its VAE in a folder of its own.
        folder = place / "vae" if (place / "vae" / "config.json").is_file() else place
        _require_folder(folder)
        return folder
    if not place.is_file():
        raise ProblemError("vae_missing", f"There is no VAE at {place}.", _HINT)
    _require_file(place)
    return place


def vae_damaged(place: Path, why: str) -> ProblemError:
    """`why` goes on from the file's name."""
    return ProblemError("vae_damaged", f"{place} cannot be used as VAE: {why}", _HINT)


def _require_folder(folder: Path) -> None:
    try:
        content: object = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        raise vae_damaged(folder, "it has no readable config.json.") from None
    config = cast("dict[str, object]", content) if isinstance(content, dict) else {}
    if config.get("_class_name") != "AutoencoderKL" or config.get("scaling_factor") != _SCALING_FACTOR:
        raise vae_damaged(folder, "its config.json is not that of an SDXL VAE.")
    if not list(folder.glob("*.safetensors")):
        raise vae_damaged(folder, "it has no .safetensors file.")


def _require_file(file: Path) -> None:
    if file.suffix.lower() != ".safetensors":
        raise vae_damaged(file, "it is not a .safetensors file, and others can run code when opened.")
    try:
        names = read_header(file).tensors.keys()
    except DamagedFileError as damage:
        raise vae_damaged(file, str(damage)) from damage
    except OSError as error:
        raise vae_damaged(file, f"it cannot be read: {error.strerror or error}.") from error
    if (
        any(name.startswith("model.diffusion_model.") for name in names)
        and identify(str(file)).kind != "sdxl"
    ):
        raise vae_damaged(file, "it is a model that is not SDXL.")
    if any(needed not in names and VAE_PREFIX + needed not in names for needed in _NEEDED):
        raise vae_damaged(file, "it has no encoder or no decoder of a VAE.")
