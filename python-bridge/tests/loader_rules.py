"""How the programs that people draw with find the layer that a module of a LoRA file is for.

Read from their own source and written down anew: ComfyUI `comfy/lora.py` and `comfy/utils.py` (commit
00728eb), Forge `packages_3rdparty/comfyui_lora_collection/lora.py` (00f1cd3), which has ComfyUI's rules, and
AUTOMATIC1111 `extensions-builtin/Lora/networks.py` (873edba). Every one of them takes what stands before the
first dot, or before a key that it knows, for the module's name.
"""

from __future__ import annotations

import re
from functools import cache

from sdxl_names import DEPTHS, RESNETS, unet_layers

_LAYERS = {"1": 12, "2": 32}
_CLIP = [*(f"self_attn.{what}_proj" for what in ("q", "k", "v", "out")), "mlp.fc1", "mlp.fc2"]


def comfy_layers() -> dict[str, str]:
    """By module name in a file, the weight that ComfyUI and Forge change with it.

    Of the UNet every weight, by its own name with underscores or by diffusers' name; of the text encoders the
    linear layers of each block.
    """
    found = {"lora_unet_" + layer.replace(".", "_"): f"diffusion_model.{layer}" for layer in unet_layers()}
    for number, layers in _LAYERS.items():
        clip = {"1": "clip_l", "2": "clip_g"}[number]
        for block in range(layers):
            for layer in _CLIP:
                name = f"lora_te{number}_text_model_encoder_layers_{block}_{layer.replace('.', '_')}"
                found[name] = f"{clip}.transformer.text_model.encoder.layers.{block}.{layer}"
    return found


def comfy_diffusers_names() -> dict[str, str]:
    """By diffusers' name of a layer of the UNet with underscores, its name in Stability's layout.

    Two residual blocks and a downsampler to a level on the way down, three and an upsampler on the way up.
    """
    blocks: dict[str, str] = {}
    for where in (*RESNETS, *DEPTHS):
        way, number, *slot = where.replace("_block", "").replace("s_", "_").split("_")
        kind = "attentions" if where in DEPTHS else "resnets"
        place = int(number) - (way == "input")
        if way == "middle":
            blocks[where] = f"mid_block_{kind}_{0 if kind == 'attentions' else place // 2}"
        else:
            assert slot
            side = "down" if way == "input" else "up"
            blocks[where] = f"{side}_blocks_{place // 3}_{kind}_{place % 3}"
    inner = {
        "in_layers_0": "norm1",
        "in_layers_2": "conv1",
        "emb_layers_1": "time_emb_proj",
        "out_layers_0": "norm2",
        "out_layers_3": "conv2",
        "skip_connection": "conv_shortcut",
    }
    single = {
        "input_blocks_3_0_op": "down_blocks_0_downsamplers_0_conv",
        "input_blocks_6_0_op": "down_blocks_1_downsamplers_0_conv",
        "output_blocks_2_2_conv": "up_blocks_0_upsamplers_0_conv",
        "output_blocks_5_2_conv": "up_blocks_1_upsamplers_0_conv",
        "input_blocks_0_0": "conv_in",
        "time_embed_0": "time_embedding_linear_1",
        "time_embed_2": "time_embedding_linear_2",
        "label_emb_0_0": "add_embedding_linear_1",
        "label_emb_0_2": "add_embedding_linear_2",
        "out_0": "conv_norm_out",
        "out_2": "conv_out",
    }
    names: dict[str, str] = {}
    for layer in unet_layers():
        flat = layer.replace(".", "_")
        head = next((block for block in blocks if flat.startswith(f"{block}_")), None)
        if flat in single:
            names[single[flat]] = layer
        elif head is not None:
            rest = flat.removeprefix(f"{head}_")
            names[f"{blocks[head]}_{inner.get(rest, rest)}"] = layer
    return names


def webui_layer(module: str) -> str | None:
    """The module of the original model that AUTOMATIC1111 changes, by its own name with underscores.

    The first text encoder is transformers', the second OpenCLIP's, which keeps query, key and value in one
    module `attn`.
    """
    if match := re.fullmatch(r"lora_te2_text_model_encoder_layers_(\d+)_(.+)", module):
        inside = {"mlp_fc1": "mlp_c_fc", "mlp_fc2": "mlp_c_proj"}.get(match[2])
        name = f"1_model_transformer_resblocks_{match[1]}_" + (
            inside or match[2].replace("self_attn", "attn", 1)
        )
        known = _webui_modules()
        return name if name in known else _whole_attention(name, known)
    if module.startswith("lora_te1_text_model"):
        name = "0_transformer" + module.removeprefix("lora_te1")
    else:
        name = module.replace("lora_unet", "diffusion_model")
    return name if name in _webui_modules() else None


def _whole_attention(name: str, known: set[str]) -> str | None:
    match = re.fullmatch(r"(.*)_([qkv])_proj", name)
    return f"{match[1]}#{match[2]}" if match is not None and match[1] in known else None


@cache
def _webui_modules() -> set[str]:
    inside = ("attn", "attn_out_proj", "mlp_c_fc", "mlp_c_proj")
    return {
        *("diffusion_model_" + layer.replace(".", "_") for layer in unet_layers()),
        *(
            f"0_transformer_text_model_encoder_layers_{block}_{layer.replace('.', '_')}"
            for block in range(_LAYERS["1"])
            for layer in _CLIP
        ),
        *(
            f"1_model_transformer_resblocks_{block}_{layer}"
            for block in range(_LAYERS["2"])
            for layer in inside
        ),
    }
