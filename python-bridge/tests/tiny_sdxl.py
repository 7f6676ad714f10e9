"""A base model with SDXL's structure and a thousandth of its size, in diffusers' folder format.

Its weights are random. It has CLIP's own vocabulary, which a single file needs, and is quicker than the tiny
world's, which knows what it draws.
"""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, cast

import diffusers
import torch
import transformers

if TYPE_CHECKING:
    from pathlib import Path

# The libraries' signatures tell only some of the arguments that they take.
_DIFFUSERS, _TRANSFORMERS = cast("Any", diffusers), cast("Any", transformers)

TEXT_WIDTHS = (32, 40)
TIME_WIDTH = 8
VOCABULARY = 49408


def make_tiny_sdxl(folder: Path, clip_tokenizer: Path) -> None:
    """Write a tiny SDXL with random weights into `folder`.

    `clip_tokenizer` is the folder with CLIP's `vocab.json` and `merges.txt`.
    """
    torch.manual_seed(0)  # pyright: ignore[reportUnknownMemberType]
    _copy_tokenizer(clip_tokenizer, folder / "tokenizer", "<|endoftext|>")
    _copy_tokenizer(clip_tokenizer, folder / "tokenizer_2", "!")
    pipeline = _DIFFUSERS.StableDiffusionXLPipeline(
        vae=_vae(),
        text_encoder=_TRANSFORMERS.CLIPTextModel(_text_config(TEXT_WIDTHS[0], "quick_gelu")),
        text_encoder_2=_TRANSFORMERS.CLIPTextModelWithProjection(_text_config(TEXT_WIDTHS[1], "gelu")),
        tokenizer=_TRANSFORMERS.CLIPTokenizer.from_pretrained(folder / "tokenizer", local_files_only=True),
        tokenizer_2=_TRANSFORMERS.CLIPTokenizer.from_pretrained(
            folder / "tokenizer_2", local_files_only=True
        ),
        unet=_unet(),
        scheduler=_DIFFUSERS.EulerDiscreteScheduler(
            beta_start=0.00085,
            beta_end=0.012,
            beta_schedule="scaled_linear",
            timestep_spacing="leading",
            steps_offset=1,
        ),
        add_watermarker=False,
    )
    pipeline.to(torch.float16).save_pretrained(folder)
    for tokenizer in ("tokenizer", "tokenizer_2"):
        # Twice the size of the vocabulary and merges, which say the same.
        (folder / tokenizer / "tokenizer.json").unlink()


def _copy_tokenizer(source: Path, target: Path, pad_token: str) -> None:
    target.mkdir(parents=True, exist_ok=True)
    for name in ("vocab.json", "merges.txt"):
        shutil.copyfile(source / name, target / name)
    config = json.loads((source / "tokenizer_config.json").read_text(encoding="utf-8"))
    text = json.dumps({**config, "pad_token": pad_token}, indent=2)
    (target / "tokenizer_config.json").write_text(text, encoding="utf-8")


def _unet() -> Any:
    return _DIFFUSERS.UNet2DConditionModel(
        sample_size=32,
        block_out_channels=(16, 32, 64),
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "UpBlock2D"),
        transformer_layers_per_block=(1, 1, 2),
        attention_head_dim=(2, 4, 8),
        layers_per_block=2,
        norm_num_groups=8,
        use_linear_projection=True,
        cross_attention_dim=sum(TEXT_WIDTHS),
        addition_embed_type="text_time",
        addition_time_embed_dim=TIME_WIDTH,
        projection_class_embeddings_input_dim=6 * TIME_WIDTH + TEXT_WIDTHS[1],
    )


def _vae() -> Any:
    return _DIFFUSERS.AutoencoderKL(
        block_out_channels=(8, 16, 16, 16),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=1,
        latent_channels=4,
        norm_num_groups=8,
        sample_size=256,
        scaling_factor=0.13025,
    )


def _text_config(width: int, activation: str) -> Any:
    return _TRANSFORMERS.CLIPTextConfig(
        vocab_size=VOCABULARY,
        hidden_size=width,
        intermediate_size=2 * width,
        projection_dim=width,
        num_hidden_layers=3,
        num_attention_heads=4,
        hidden_act=activation,
        bos_token_id=0,
        eos_token_id=2,
        pad_token_id=1,
    )
