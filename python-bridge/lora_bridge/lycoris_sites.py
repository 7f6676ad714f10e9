"""Which layers a preset of LyCORIS chooses, and what each gets."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, cast

from msgspec.structs import replace
from torch import nn

from lora_bridge.ldm_names import unet_name
from lora_bridge.lora_sites import Layer, Rank, Site, sites
from lora_bridge.lycoris_presets import Override, read_preset

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.lycoris_presets import Preset
    from lora_bridge.protocol_types import TrainConfig

_SD_SCRIPTS_CLASSES = {"Attention": "CrossAttention"}
"""What sd-scripts calls a class of diffusers' UNet, where it is something else."""
_PLAIN = Override()


class Chosen(NamedTuple):
    """A layer that is adapted, with its rank and what its preset sets for it."""

    site: Site
    rank: Rank
    override: Override


def choose_sites(config: TrainConfig, part: LoraPart, module: nn.Module) -> Iterator[Chosen]:
    """In the order of the module's layers. Kohya's own types adapt what Kohya's LoRA does."""
    if not config.lora_type.startswith("LyCORIS/"):
        for site in sites(part, module, convolutions=config.conv_dim > 0):
            yield Chosen(site, _kohya_rank(config, site), _PLAIN)
        return
    preset = read_preset(config.lycoris_preset)
    modules: dict[str, Any] = dict(cast("Any", module).named_modules())
    for name, layer in modules.items():
        if not (isinstance(layer, Layer) or (config.train_norm and _is_norm(layer))):
            continue
        lineage = _lineage(name, modules)
        override = _override(preset, part, _original(part, name), lineage)
        if override is None:
            continue
        parent, _, child = name.rpartition(".")
        site = Site(name, modules[parent], child, layer)
        rank = Rank(0, 0) if _is_norm(layer) else _rank(config, site, override, convolves=preset.enable_conv)
        if rank is not None:
            yield Chosen(site, rank, override)


def _is_norm(layer: object) -> bool:
    return isinstance(layer, nn.GroupNorm | nn.LayerNorm)


def _rank(config: TrainConfig, site: Site, override: Override, *, convolves: bool) -> Rank | None:
    """As LyCORIS: convolutions that see one pixel count as linear. None leaves a layer as it is."""
    dim, alpha = config.network_dim, config.network_alpha
    if site.convolves:
        if not convolves and override.dim is None:
            return None
        dim, alpha = config.conv_dim or dim, config.conv_alpha or alpha
    return Rank(override.dim or dim, override.alpha or alpha)


def _kohya_rank(config: TrainConfig, site: Site) -> Rank:
    if site.convolves:
        return Rank(config.conv_dim, config.conv_alpha or config.conv_dim)
    return Rank(config.network_dim, config.network_alpha)


def _original(part: LoraPart, name: str) -> str:
    """As the layer is called in sd-scripts' model."""
    return unet_name(name) if part == "unet" else "text_model." + name.removeprefix("text_model.")


def _lineage(name: str, modules: dict[str, Any]) -> list[str]:
    """Classes of the layer and of all that it lies in, from the outermost."""
    kinds = (type(modules[place]).__name__ for place in _places(name))
    return [_SD_SCRIPTS_CLASSES.get(kind, kind) for kind in kinds]


def _override(preset: Preset, part: LoraPart, name: str, lineage: Sequence[str]) -> Override | None:
    """What the preset sets for a layer; None where it does not choose it."""
    if any(preset.excludes(place) for place in _places(name)):
        return None
    blocks, names = (
        (preset.unet_target_module, preset.unet_target_name)
        if part == "unet"
        else (preset.text_encoder_target_module, preset.text_encoder_target_name)
    )
    if any(preset.matches(pattern, name) for pattern in names):
        for pattern, override in preset.name_algo_map.items():
            if preset.matches(pattern, name):
                return override
        return preset.module_algo_map.get(lineage[-1], _PLAIN)
    outermost = next((index for index, kind in enumerate(lineage) if kind in blocks), None)
    if outermost is None:
        return None
    inside = [preset.module_algo_map[kind] for kind in lineage[outermost:] if kind in preset.module_algo_map]
    # Another algorithm holds for what lies deeper too; other parameters are those of the innermost alone.
    algorithms = [override.algo for override in inside if override.algo is not None]
    return replace(inside[-1], algo=algorithms[-1]) if algorithms else (inside or [_PLAIN])[-1]


def _places(name: str) -> list[str]:
    """Of a layer and of all that it lies in."""
    steps = name.split(".")
    return [".".join(steps[: end + 1]) for end in range(len(steps))]
