"""Names of SDXL's parts in the original (LDM) layout, which single-file checkpoints and Kohya's LoRAs use.

Every function takes the name of a tensor or module in diffusers' or transformers' layout, relative to its
model, and gives the name in the original layout. Source: the two layouts themselves; the UNet's table is in
sd-scripts too.
"""

from __future__ import annotations

import re

UNET_PREFIX = "model.diffusion_model."
VAE_PREFIX = "first_stage_model."
TEXT_ENCODER_PREFIX = "conditioner.embedders.0.transformer.text_model."
TEXT_ENCODER_2_PREFIX = "conditioner.embedders.1.model."

_VAE_BLOCKS = 4

_UNET_ENDS = {
    "conv_in": "input_blocks.0.0",
    "time_embedding.linear_1": "time_embed.0",
    "time_embedding.linear_2": "time_embed.2",
    "add_embedding.linear_1": "label_emb.0.0",
    "add_embedding.linear_2": "label_emb.0.2",
    "conv_norm_out": "out.0",
    "conv_out": "out.2",
}
_RESNET = {
    "norm1": "in_layers.0",
    "conv1": "in_layers.2",
    "time_emb_proj": "emb_layers.1",
    "norm2": "out_layers.0",
    "conv2": "out_layers.3",
    "conv_shortcut": "skip_connection",
}
_VAE_ATTENTION = {"group_norm": "norm", "to_q": "q", "to_k": "k", "to_v": "v", "to_out.0": "proj_out"}
_OPEN_CLIP = {
    "self_attn.out_proj": "attn.out_proj",
    "layer_norm1": "ln_1",
    "layer_norm2": "ln_2",
    "mlp.fc1": "mlp.c_fc",
    "mlp.fc2": "mlp.c_proj",
}
_OPEN_CLIP_ENDS = {
    "text_model.embeddings.token_embedding.weight": "token_embedding.weight",
    "text_model.embeddings.position_embedding.weight": "positional_embedding",
    "text_model.final_layer_norm.weight": "ln_final.weight",
    "text_model.final_layer_norm.bias": "ln_final.bias",
    "text_projection.weight": "text_projection",
}


def unet_name(name: str) -> str:
    """`down_blocks.1.attentions.0.proj_in` is `input_blocks.4.1.proj_in`."""
    for end, original in _UNET_ENDS.items():
        if name == end or name.startswith(end + "."):
            return original + name[len(end) :]
    if match := re.fullmatch(r"down_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.+)", name):
        block, kind, layer, rest = int(match[1]), match[2], int(match[3]), match[4]
        return f"input_blocks.{3 * block + layer + 1}." + _unet_layer(kind, rest)
    if match := re.fullmatch(r"up_blocks\.(\d)\.(resnets|attentions)\.(\d)\.(.+)", name):
        block, kind, layer, rest = int(match[1]), match[2], int(match[3]), match[4]
        return f"output_blocks.{3 * block + layer}." + _unet_layer(kind, rest)
    if match := re.fullmatch(r"down_blocks\.(\d)\.downsamplers\.0\.conv(.*)", name):
        return f"input_blocks.{3 * (int(match[1]) + 1)}.0.op{match[2]}"
    if match := re.fullmatch(r"up_blocks\.(\d)\.upsamplers\.0\.conv(.*)", name):
        return f"output_blocks.{3 * int(match[1]) + 2}.2.conv{match[2]}"
    if match := re.fullmatch(r"mid_block\.resnets\.(\d)\.(.+)", name):
        return f"middle_block.{2 * int(match[1])}." + _replace_head(match[2], _RESNET)
    if match := re.fullmatch(r"mid_block\.attentions\.0\.(.+)", name):
        return f"middle_block.1.{match[1]}"
    raise KeyError(name)


def vae_name(name: str) -> str:
    """`decoder.up_blocks.0.resnets.1.conv1.weight` is `decoder.up.3.block.1.conv1.weight`."""
    coder, _, rest = name.partition(".")
    if coder not in ("encoder", "decoder"):
        return name
    if match := re.fullmatch(r"(down|up)_blocks\.(\d)\.resnets\.(\d)\.(.+)", rest):
        block = _vae_block(match[1], int(match[2]))
        return f"{coder}.{match[1]}.{block}.block.{match[3]}." + match[4].replace(
            "conv_shortcut", "nin_shortcut"
        )
    if match := re.fullmatch(r"(down|up)_blocks\.(\d)\.(down|up)samplers\.0\.(.+)", rest):
        return f"{coder}.{match[1]}.{_vae_block(match[1], int(match[2]))}.{match[1]}sample.{match[4]}"
    if match := re.fullmatch(r"mid_block\.resnets\.(\d)\.(.+)", rest):
        return f"{coder}.mid.block_{int(match[1]) + 1}.{match[2]}"
    if match := re.fullmatch(r"mid_block\.attentions\.0\.(.+)", rest):
        return f"{coder}.mid.attn_1." + _replace_head(match[1], _VAE_ATTENTION)
    return f"{coder}." + rest.replace("conv_norm_out", "norm_out")


def text_encoder_2_name(name: str) -> tuple[str, int | None]:
    """OpenCLIP's name, and which third of it the tensor is where it keeps query, key and value in one."""
    if name in _OPEN_CLIP_ENDS:
        return _OPEN_CLIP_ENDS[name], None
    match = re.fullmatch(r"text_model\.encoder\.layers\.(\d+)\.(.+)", name)
    if match is None:
        raise KeyError(name)
    block = f"transformer.resblocks.{match[1]}."
    if part := re.fullmatch(r"self_attn\.([qkv])_proj\.(weight|bias)", match[2]):
        return f"{block}attn.in_proj_{part[2]}", "qkv".index(part[1])
    return block + _replace_head(match[2], _OPEN_CLIP), None


def _unet_layer(kind: str, rest: str) -> str:
    return f"1.{rest}" if kind == "attentions" else "0." + _replace_head(rest, _RESNET)


def _vae_block(side: str, block: int) -> int:
    return _VAE_BLOCKS - 1 - block if side == "up" else block


def _replace_head(name: str, table: dict[str, str]) -> str:
    """Replace the beginning of a dotted name; raises KeyError when no row of the table fits."""
    for head, replacement in table.items():
        if name == head or name.startswith(head + "."):
            return replacement + name[len(head) :]
    raise KeyError(name)
