"""What comes out of a run as others take it: names, numbers, pictures."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, cast

import numpy as np
import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from PIL import Image
from sdxl_names import convolution_names, text_encoder_names, unet_names
from test_lora import ENCODERS
from test_sampling import pipeline_of
from training_support import make_config, run_training
from transformers import CLIPTextConfig

from lora_bridge.adapters import build_networks
from lora_bridge.export import kohya_name
from lora_bridge.model import SDXL_CONFIGS
from lora_bridge.protocol_types import SampleEvent

if TYPE_CHECKING:
    from lora_bridge.lora_sites import LoraPart
    from lora_bridge.networks import Network

_KEYS = ("alpha", "lora_down.weight", "lora_up.weight")
_STRONG: dict[str, Any] = {"learning_rate": 0.05, "network_alpha": 16.0}
_PROMPT = "a photo of ohwx person --w 64 --h 64 --s 6 --d 9 --l 5 --ss dpm++_2m_karras"

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def full_size() -> dict[LoraPart, Any]:
    """SDXL itself, without its numbers."""
    with torch.device("meta"):
        kind: Any = UNet2DConditionModel
        modules: dict[LoraPart, Any] = {"unet": kind.from_config(kind.load_config(SDXL_CONFIGS / "unet"))}
        for part, encoder, folder, _ in ENCODERS:
            modules[part] = encoder(
                cast("Any", CLIPTextConfig).from_json_file(SDXL_CONFIGS / folder / "config.json")
            )
    return modules


def full_networks(**changes: Any) -> list[Network]:
    modules = full_size()
    config = make_config(Path("project"), network_dim=1, network_alpha=1.0, **changes)
    return build_networks(config, modules, modules, 1)


def names_of(networks: list[Network]) -> set[str]:
    return {
        f"{kohya_name(network.part, module)}.{key}"
        for network in networks
        for module, key, _ in network.tensors()
    }


def numbers_of(networks: list[Network]) -> list[int]:
    return [len(network.flat.weights) for network in networks]


def test_a_full_sized_lora_has_kohyas_keys() -> None:
    networks = full_networks()
    modules = unet_names() | text_encoder_names(1, 12) | text_encoder_names(2, 32)
    assert len(unet_names()) == 722
    assert len(modules) == 722 + 72 + 192
    assert names_of(networks) == {f"{module}.{key}" for module in modules for key in _KEYS}
    assert numbers_of(networks) == [2_659_840, 165_888, 737_280]


def test_a_full_sized_locon_has_66_more() -> None:
    networks = full_networks(lora_type="Kohya LoCon", conv_dim=1)
    unet = unet_names() | convolution_names()
    assert len(unet) == 788
    assert names_of(networks[:1]) == {f"{module}.{key}" for module in unet for key in _KEYS}
    assert numbers_of(networks) == [2_659_840 + 355_840 + 58_560, 165_888, 737_280]


_Pixels: TypeAlias = "np.ndarray[Any, np.dtype[np.float64]]"


def psnr(one: _Pixels, other: _Pixels) -> float:
    """In dB, of pictures from 0 to 255."""
    error = float(np.square(one - other).mean())
    return math.inf if error == 0 else 10 * math.log10(255**2 / error)


def their_picture(pipeline: Any) -> _Pixels:
    """What diffusers draws at `_PROMPT`."""
    pixels = pipeline(
        "a photo of ohwx person",
        negative_prompt="",
        width=64,
        height=64,
        num_inference_steps=6,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(9),
        output_type="np",
    ).images[0]
    return np.asarray(pixels * 255, dtype=np.float64).round()


@pytest.mark.parametrize(
    "changes",
    [
        {"lora_type": "Standard", "text_encoder_lr": 0.05},
        {"lora_type": "Standard"},
        {"lora_type": "Kohya LoCon", "conv_dim": 2, "conv_alpha": 6.0},
    ],
)
def test_diffusers_draws_the_picture_that_the_run_drew(
    project: Path, tiny_sdxl: Path, changes: dict[str, Any]
) -> None:
    ending, sink = run_training(
        project, tiny_sdxl, sample_prompts=_PROMPT, sample_at_first=True, **_STRONG, **changes
    )
    ours: list[_Pixels] = []
    for event in sink.of(SampleEvent):
        with Image.open(event.path) as picture:
            ours.append(np.asarray(picture.convert("RGB")).astype(np.float64))
    pipeline = pipeline_of(tiny_sdxl)
    before = their_picture(pipeline)
    pipeline.load_lora_weights(ending.outputs[0])
    after = their_picture(pipeline)
    assert psnr(ours[0], before) >= 40
    assert psnr(ours[-1], after) >= 40
    assert psnr(before, after) < 30
    assert psnr(ours[0], ours[-1]) < 30


def test_a_run_begins_with_its_base_weights(project: Path, tiny_sdxl: Path, tmp_path: Path) -> None:
    first, _ = run_training(project, tiny_sdxl, **_STRONG, text_encoder_lr=0.05)
    pipeline = pipeline_of(tiny_sdxl)
    before = their_picture(pipeline)
    pipeline.load_lora_weights(first.outputs[0])
    merged = their_picture(pipeline)
    cases: tuple[dict[str, Any], ...] = ({}, {"cache_text_encoder_outputs": True, "text_encoder_lr": 0.0})
    for changes in cases:
        _, sink = run_training(
            project,
            tiny_sdxl,
            sample_prompts=_PROMPT,
            sample_at_first=True,
            output_dir=str(tmp_path / "second"),
            base_weights=str(first.outputs[0]),
            **changes,
        )
        with Image.open(sink.of(SampleEvent)[0].path) as picture:
            ours = np.asarray(picture.convert("RGB")).astype(np.float64)
        assert psnr(ours, merged) >= 40
    assert psnr(before, merged) < 30
