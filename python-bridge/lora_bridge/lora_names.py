"""Whose tensor a key of a LoRA file is, in any of the layouts that trainers write.

Kohya's with Stability's or diffusers' names, diffusers' own with PEFT's or the older keys, and those of its
old attention processors. Source: the files themselves; `lora.py` of sd-scripts and diffusers' converters.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from lora_bridge.lora_sites import LoraPart

_UNDERSCORED: Final[dict[str, LoraPart]] = {
    "lora_unet_": "unet",
    "lora_te1_": "text_encoder_1",
    "lora_te2_": "text_encoder_2",
    # LyCORIS's own beginning, where it was not told Kohya's.
    "lycoris_unet_": "unet",
    "lycoris_te1_": "text_encoder_1",
    "lycoris_te2_": "text_encoder_2",
}
_DOTTED: Final[dict[str, LoraPart]] = {
    "unet.": "unet",
    "text_encoder.": "text_encoder_1",
    "text_encoder_2.": "text_encoder_2",
    # PEFT's own files of a UNet tell no part.
    "down_blocks.": "unet",
    "mid_block.": "unet",
    "up_blocks.": "unet",
}
_WRAPPER = "base_model.model."

_KEYS = {
    "lora_down.weight": "lora_down.weight",
    "lora_up.weight": "lora_up.weight",
    "lora_A.weight": "lora_down.weight",
    "lora_B.weight": "lora_up.weight",
    "lora_A.default.weight": "lora_down.weight",
    "lora_B.default.weight": "lora_up.weight",
    "lora.down.weight": "lora_down.weight",
    "lora.up.weight": "lora_up.weight",
    "lora_linear_layer.down.weight": "lora_down.weight",
    "lora_linear_layer.up.weight": "lora_up.weight",
    "lora_magnitude_vector": "dora_scale",
    "lora_magnitude_vector.weight": "dora_scale",
    "lora_magnitude_vector.default.weight": "dora_scale",
}
_ENDS: Final = (
    *_KEYS,
    *("alpha", "dora_scale", "lora_mid.weight"),
    *("hada_w1_a", "hada_w1_b", "hada_w2_a", "hada_w2_b", "hada_t1", "hada_t2"),
    *("lokr_w1", "lokr_w1_a", "lokr_w1_b", "lokr_w2", "lokr_w2_a", "lokr_w2_b", "lokr_t1", "lokr_t2"),
    *("a1.weight", "a2.weight", "b1.weight", "b2.weight", "bm.weight"),
    *("oft_blocks", "rescale", "on_input", "weight", "diff", "diff_b", "w_norm", "b_norm"),
)
"""What can stand behind a module's name: longer ones before those that they end with."""
_PROCESSOR = re.compile(r"(.+)\.processor\.(to_q|to_k|to_v|to_out)_lora\.(down|up)\.weight")

# Every step of a dotted name that has an underscore in it: the others end at each underscore.
_STEPS = (
    "down_blocks",
    "up_blocks",
    "mid_block",
    "transformer_blocks",
    "to_q",
    "to_k",
    "to_v",
    "to_out",
    "proj_in",
    "proj_out",
    "conv_shortcut",
    "time_emb_proj",
    "conv_in",
    "conv_out",
    "conv_norm_out",
    "time_embedding",
    "add_embedding",
    "linear_1",
    "linear_2",
    "input_blocks",
    "middle_block",
    "output_blocks",
    "in_layers",
    "emb_layers",
    "out_layers",
    "skip_connection",
    "time_embed",
    "label_emb",
    "text_model",
    "self_attn",
    "q_proj",
    "k_proj",
    "v_proj",
    "out_proj",
    "layer_norm1",
    "layer_norm2",
    "final_layer_norm",
    "token_embedding",
    "position_embedding",
    "text_projection",
)
_STEP = re.compile(rf"({'|'.join(sorted(_STEPS, key=len, reverse=True))}|[^_]+)(?:_|$)")

_LDM_ENDS = {
    "input_blocks.0.0": "conv_in",
    "time_embed.0": "time_embedding.linear_1",
    "time_embed.2": "time_embedding.linear_2",
    "label_emb.0.0": "add_embedding.linear_1",
    "label_emb.0.2": "add_embedding.linear_2",
    "out.0": "conv_norm_out",
    "out.2": "conv_out",
}
_LDM_RESNET = {
    "in_layers.0": "norm1",
    "in_layers.2": "conv1",
    "emb_layers.1": "time_emb_proj",
    "out_layers.0": "norm2",
    "out_layers.3": "conv2",
    "skip_connection": "conv_shortcut",
}
_LEVEL = 3
"""Stability's blocks to one of diffusers'."""


class LoraKey(NamedTuple):
    """What a tensor belongs to, and what it is."""

    part: LoraPart
    module: str
    """Name of the adapted layer in its library's layout."""
    key: str
    """In Kohya's names, such as `lora_down.weight`."""


def read_key(name: str) -> LoraKey | None:
    """None for what names no part of SDXL. Whether the part has such a module is not known here."""
    split = split_key(name)
    if split is None:
        return None
    module, key = split[0].removeprefix(_WRAPPER), split[1]
    for prefix, part in _UNDERSCORED.items():
        if module.startswith(prefix):
            return LoraKey(part, _module(part, dotted(module.removeprefix(prefix))), key)
    for prefix, part in _DOTTED.items():
        if module.startswith(prefix):
            inner = module if prefix.endswith(("blocks.", "block.")) else module.removeprefix(prefix)
            return LoraKey(part, _module(part, inner.removeprefix(_WRAPPER)), key)
    return None


def split_key(name: str) -> tuple[str, str] | None:
    """The module and the key, in Kohya's names, of any adapter's tensor; None for what is no such tensor."""
    if match := _PROCESSOR.fullmatch(name):
        layer = match[2] + (".0" if match[2] == "to_out" else "")
        return f"{match[1]}.{layer}", f"lora_{match[3]}.weight"
    for end in _ENDS:
        if name.endswith(f".{end}"):
            return name.removesuffix(f".{end}"), _KEYS.get(end, end)
    return None


def dotted(module: str) -> str:
    """`down_blocks_1_attentions_0_proj_in` is `down_blocks.1.attentions.0.proj_in`; LDM's names likewise."""
    return ".".join(_STEP.findall(module))


def diffusers_unet_name(name: str) -> str:
    """`input_blocks.4.1.proj_in` is `down_blocks.1.attentions.0.proj_in`; what is no name of LDM's stays."""
    for end, ours in _LDM_ENDS.items():
        if name == end:
            return ours
    way, _, rest = name.partition(".")
    number, _, rest = rest.partition(".")
    if way == "middle_block" and number in {"0", "1", "2"}:
        inner = f"mid_block.attentions.0.{rest}"
        return inner if number == "1" else f"mid_block.resnets.{int(number) // 2}.{_resnet(rest)}"
    if way not in {"input_blocks", "output_blocks"} or not number.isdecimal():
        return name
    place = int(number) - (1 if way == "input_blocks" else 0)
    block = f"{'down' if way == 'input_blocks' else 'up'}_blocks.{place // _LEVEL}"
    layer = place % _LEVEL
    kind, _, inner = rest.partition(".")
    if rest == "0.op":
        return f"{block}.downsamplers.0.conv"
    if rest == "2.conv":
        return f"{block}.upsamplers.0.conv"
    if kind == "1":
        return f"{block}.attentions.{layer}.{inner}"
    return f"{block}.resnets.{layer}.{_resnet(inner)}"


def _resnet(name: str) -> str:
    return _LDM_RESNET.get(name, name)


def _module(part: LoraPart, name: str) -> str:
    """As transformers has it: only the second encoder's own names begin with `text_model`."""
    if part == "unet":
        return diffusers_unet_name(name)
    bare = name.removeprefix("text_model.")
    return f"text_model.{bare}" if part == "text_encoder_2" and bare.startswith(_INSIDE) else bare


_INSIDE = ("encoder.", "embeddings.", "final_layer_norm")
