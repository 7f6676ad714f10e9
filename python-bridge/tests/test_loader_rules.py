"""Every module of a LoRA of SDXL finds its layer where people draw with it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from loader_rules import comfy_diffusers_names, comfy_layers, webui_layer
from sdxl_names import unet_layers
from test_interop import full_networks, full_size

from lora_bridge.export import kohya_name
from lora_bridge.ldm_names import unet_name
from lora_bridge.lora_names import read_key
from lora_bridge.lora_sites import sites

if TYPE_CHECKING:
    from lora_bridge.lora_sites import LoraPart

_KEYS = {"alpha", "lora_down.weight", "lora_up.weight"}
"""What all of them read of a LoRA's module."""


@pytest.fixture(scope="module")
def modules() -> dict[str, tuple[str, str]]:
    """Part and layer by the name in the file, of a full-sized LoCon of all parts."""
    networks = full_networks(lora_type="Kohya LoCon", conv_dim=1)
    assert {key for network in networks for _, key, _ in network.tensors()} == _KEYS
    return {
        kohya_name(network.part, module): (network.part, module)
        for network in networks
        for module, key, _ in network.tensors()
        if key == "alpha"
    }


def test_sdxls_layers_are_these() -> None:
    """What the rules are applied to is the model itself."""
    named = full_size()["unet"].named_modules()
    weighty = {name for name, module in named if getattr(module, "weight", None) is not None}
    assert {unet_name(name) for name in weighty} == unet_layers()


def test_comfyui_and_forge_match_every_module(modules: dict[str, tuple[str, str]]) -> None:
    layers = comfy_layers()
    matched = [layers[name] for name in modules]
    assert len(set(matched)) == len(matched) == 788 + 72 + 192
    for name, (part, module) in modules.items():
        if part == "unet":
            assert layers[name] == f"diffusion_model.{unet_name(module)}"
        else:
            clip = "clip_l" if part == "text_encoder_1" else "clip_g"
            inside = module.removeprefix("text_model.")
            assert layers[name] == f"{clip}.transformer.text_model.{inside}"


def test_automatic1111_matches_every_module(modules: dict[str, tuple[str, str]]) -> None:
    matched = {name: webui_layer(name) for name in modules}
    assert None not in matched.values()
    assert len(set(matched.values())) == len(matched) == 788 + 72 + 192
    assert not any("." in name for name in modules)


def test_names_that_comfyui_knows_are_understood_here(modules: dict[str, tuple[str, str]]) -> None:
    both = comfy_diffusers_names()
    assert set(both.values()) == unet_layers()
    for diffusers, layer in both.items():
        one = read_key(f"lora_unet_{diffusers}.alpha")
        other = read_key(f"lora_unet_{layer.replace('.', '_')}.alpha")
        assert one is not None
        assert one == other
        assert unet_name(one.module) == layer
    for name, place in modules.items():
        assert read_key(f"{name}.lora_up.weight") == (*place, "lora_up.weight")


def test_text_encoders_are_read_in_every_spelling() -> None:
    parts = full_size()
    prefixes: dict[LoraPart, str] = {"text_encoder_1": "text_encoder", "text_encoder_2": "text_encoder_2"}
    for part, prefix in prefixes.items():
        for site in sites(part, parts[part]):
            dotted = f"{prefix}.text_model.{site.name.removeprefix('text_model.')}"
            for end in ("lora_A.weight", "lora.down.weight", "lora_linear_layer.down.weight"):
                assert read_key(f"{dotted}.{end}") == (part, site.name, "lora_down.weight")
