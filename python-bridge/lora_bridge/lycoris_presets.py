"""Which layers of SDXL LyCORIS adapts: its presets by name, or from a file. Asked while typing: no torch.

Source of the names and of what they choose: `lycoris/config.py`, what of it SDXL has.
"""

from __future__ import annotations

import re
import tomllib
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any, Final, Literal, TypeAlias

import msgspec

from lora_bridge.problems import ProblemError

Algorithm: TypeAlias = Literal[
    "lora", "locon", "loha", "lokr", "dylora", "glora", "full", "diag-oft", "boft", "ia3"
]
"""As LyCORIS calls them; `lora` and `locon` are the same."""

_UNET: Final = ("Transformer2DModel", "ResnetBlock2D", "Downsample2D", "Upsample2D")
_ENCODERS: Final = ("CLIPAttention", "CLIPMLP")


class Override(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a preset sets for some layers: other parameters of LyCORIS, by its names."""

    algo: Algorithm | None = None
    dim: Annotated[int, msgspec.Meta(ge=1)] | None = None
    alpha: Annotated[float, msgspec.Meta(ge=0)] | None = None
    use_tucker: bool | None = None
    use_scalar: bool | None = None
    weight_decompose: bool | None = None
    wd_on_out: bool | None = None
    bypass_mode: bool | None = None
    factor: int | None = None
    decompose_both: bool | None = None
    full_matrix: bool | None = None
    unbalanced_factorization: bool | None = None
    rs_lora: bool | None = None
    block_size: Annotated[int, msgspec.Meta(ge=1)] | None = None
    constraint: float | None = None
    rescaled: bool | None = None
    train_on_input: bool | None = None

    def parameters(self) -> dict[str, Any]:
        """Those that are set, without the algorithm and the rank."""
        return {
            name: value
            for name, value in msgspec.structs.asdict(self).items()
            if value is not None and name not in {"algo", "dim", "alpha"}
        }


class Preset(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As LyCORIS's own files have it. Classes are sd-scripts', names of the UNet Stability's."""

    enable_conv: bool = True
    """Whether layers that see more than one pixel are adapted."""
    unet_target_module: tuple[str, ...] = _UNET
    """Classes of blocks, of which every layer is adapted."""
    unet_target_name: tuple[str, ...] = ()
    """Patterns of single layers' names."""
    text_encoder_target_module: tuple[str, ...] = _ENCODERS
    text_encoder_target_name: tuple[str, ...] = ()
    module_algo_map: dict[str, Override] = {}
    """By class: another algorithm (`algo`) and other parameters for its layers."""
    name_algo_map: dict[str, Override] = {}
    """The same by pattern of a single layer's name."""
    use_fnmatch: bool = False
    """Patterns are a shell's, and not regular expressions that begin as the name does."""
    exclude_name: tuple[str, ...] = ()
    """Patterns of what stays as it is."""

    def matches(self, pattern: str, name: str) -> bool:
        """Whether a layer of this name is meant."""
        if self.use_fnmatch:
            return fnmatchcase(name, pattern)
        return name == pattern or re.match(pattern, name) is not None

    def excludes(self, name: str) -> bool:
        return any(self.matches(pattern, name) for pattern in self.exclude_name)


PRESETS: Final = {
    "full": Preset(),
    "full-lin": Preset(enable_conv=False, unet_target_module=("Transformer2DModel", "ResnetBlock2D")),
    "attn-mlp": Preset(enable_conv=False, unet_target_module=("Transformer2DModel",)),
    "attn-only": Preset(
        enable_conv=False,
        unet_target_module=("CrossAttention",),
        text_encoder_target_module=("CLIPAttention",),
    ),
    "unet-only": Preset(text_encoder_target_module=()),
    "unet-transformer-only": Preset(
        enable_conv=False, unet_target_module=("Transformer2DModel",), text_encoder_target_module=()
    ),
    "unet-convblock-only": Preset(
        unet_target_module=("ResnetBlock2D", "Downsample2D", "Upsample2D"), text_encoder_target_module=()
    ),
    # LyCORIS itself looks for these at the beginning of a name, where none stands.
    "ia3": Preset(
        enable_conv=False,
        unet_target_module=(),
        unet_target_name=("*.to_k", "*.to_v", "*.ff.net.2"),
        text_encoder_target_module=(),
        text_encoder_target_name=("*.k_proj", "*.v_proj", "*.mlp.fc2"),
        name_algo_map={
            "*.ff.net.2": Override(train_on_input=True),
            "*.mlp.fc2": Override(train_on_input=True),
            "*": Override(train_on_input=False),
        },
        use_fnmatch=True,
    ),
}


def read_preset(name: str) -> Preset:
    """A preset of LyCORIS, or that of a `.toml` file.

    Raises ProblemError `lycoris_preset_unknown`, `lycoris_preset_missing` or `lycoris_preset_invalid`.
    """
    name = name.strip()
    known = PRESETS.get(name)
    if known is not None:
        return known
    if not name.lower().endswith(".toml"):
        raise ProblemError(
            "lycoris_preset_unknown",
            f"LyCORIS Preset “{name}” is no preset of LyCORIS.",
            f"Choose {', '.join(PRESETS)}, or the path of a .toml file.",
        )
    try:
        preset = msgspec.convert(tomllib.loads(Path(name).read_text("utf-8")), Preset)
        for pattern in () if preset.use_fnmatch else _patterns(preset):
            re.compile(pattern)
    except OSError as error:
        raise ProblemError(
            "lycoris_preset_missing",
            f"LyCORIS Preset: {name} cannot be read: {error.strerror or error}.",
            "Choose the file again, or a preset by name.",
        ) from error
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError, re.error) as error:
        raise ProblemError(
            "lycoris_preset_invalid",
            f"LyCORIS Preset: {name} is no preset of LyCORIS: {error}.",
            "Mend the file, or choose a preset by name.",
        ) from error
    return preset


def _patterns(preset: Preset) -> tuple[str, ...]:
    return (
        *preset.unet_target_name,
        *preset.text_encoder_target_name,
        *preset.name_algo_map,
        *preset.exclude_name,
    )
