"""A LoRA's file, as others read it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, cast

import diffusers
import pytest
import torch
from test_lora import ENCODERS, inputs, learn, network, tiny_encoder, tiny_unet

from lora_bridge.export import kohya_tensors, write_lora
from lora_bridge.inspection import inspect_lora
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.lora import LoraNetwork

_TOKENS = torch.tensor([[0, 320, 1125, 2, 2]])


def taught_parts(tiny_sdxl: Path) -> tuple[Any, list[Any], list[LoraNetwork]]:
    """The UNet and both text encoders with all their LoRA."""
    unet = tiny_unet(tiny_sdxl)
    encoders = [tiny_encoder(tiny_sdxl, kind, folder) for _, kind, folder, _ in ENCODERS]
    networks = [network(unet.module)]
    networks += [network(encoder, part=part) for encoder, (part, *_) in zip(encoders, ENCODERS, strict=True)]
    for lora in networks:
        learn(lora)
    return unet, encoders, networks


def test_diffusers_reads_all_parts(tiny_sdxl: Path, tmp_path: Path) -> None:
    unet, encoders, networks = taught_parts(tiny_sdxl)
    file = tmp_path / "ohwx.safetensors"
    write_lora(file, kohya_tensors(networks, torch.float32), {"ss_steps": "1"})
    pipeline = cast("Any", diffusers).StableDiffusionXLPipeline.from_pretrained(
        tiny_sdxl, dtype=torch.float32
    )
    theirs = (pipeline.text_encoder, pipeline.text_encoder_2)
    with torch.no_grad():
        plain = [encoder(_TOKENS).last_hidden_state for encoder in theirs]
        pipeline.load_lora_weights(file)
        for ours, other, before in zip(encoders, theirs, plain, strict=True):
            seen = other(_TOKENS).last_hidden_state
            torch.testing.assert_close(ours(_TOKENS).last_hidden_state, seen, rtol=1e-4, atol=1e-5)
            assert (seen - before).abs().max() > 1e-3
        latents, timesteps, hidden, pooled, sizes = inputs()
        conditions = {"text_embeds": pooled, "time_ids": sizes}
        seen = pipeline.unet(latents, timesteps, hidden, added_cond_kwargs=conditions).sample
        torch.testing.assert_close(unet.predict(*inputs()), seen, rtol=1e-4, atol=1e-5)


def test_the_parts_are_told_apart(tiny_sdxl: Path, tmp_path: Path) -> None:
    *_, networks = taught_parts(tiny_sdxl)
    file = tmp_path / "ohwx.safetensors"
    write_lora(file, kohya_tensors(networks, torch.bfloat16), {})
    found = inspect_lora(str(file))
    counts = [len(lora.pairs) for lora in networks]
    assert [found.parts.unet, found.parts.text_encoder1, found.parts.text_encoder2] == counts
    assert found.parts.other == 0
    assert found.tensors == 3 * sum(counts)
    assert found.dtypes == ["BF16"]


def test_bf16_weights_are_written_as_they_are(tiny_sdxl: Path) -> None:
    lora = network(tiny_unet(tiny_sdxl, torch.bfloat16).module, weights_dtype=torch.bfloat16)
    learn(lora)
    tensors = kohya_tensors([lora], torch.float32)
    ups = [tensor for name, tensor in tensors.items() if name.endswith("lora_up.weight")]
    assert all(torch.equal(up, pair.up.float()) for up, pair in zip(ups, lora.pairs, strict=True))
    # A copy: training goes on while the file is written.
    lora.flat.weights.data.zero_()
    assert all(up.any() for up in ups)


def test_what_is_not_finite_leaves_no_file(tiny_sdxl: Path, tmp_path: Path) -> None:
    *_, networks = taught_parts(tiny_sdxl)
    networks[-1].pairs[0].up[0, 0] = float("inf")
    file = tmp_path / "ohwx.safetensors"
    with pytest.raises(ProblemError, match="lora_te2_text_model_encoder_layers_0") as caught:
        write_lora(file, kohya_tensors(networks, torch.float32), {})
    assert caught.value.problem.code == "lora_not_finite"
    assert not file.exists()


def test_what_the_disk_changes_leaves_no_file(
    tiny_sdxl: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lora = network(tiny_unet(tiny_sdxl).module)
    learn(lora)
    file = tmp_path / "ohwx.safetensors"

    def damage(_descriptor: int) -> None:
        content = bytearray(file.read_bytes())
        content[-3] ^= 1
        file.write_bytes(content)

    monkeypatch.setattr(os, "fsync", damage)
    with pytest.raises(ProblemError, match="reads back as something else") as caught:
        write_lora(file, kohya_tensors([lora], torch.float32), {})
    assert caught.value.problem.code == "output_damaged"
    assert not file.exists()
