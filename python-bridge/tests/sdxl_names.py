"""The names that a LoRA of SDXL has in Kohya's files, written down from the model's structure.

Nothing here is taken from the trainer: neither its names nor its rules of what is adapted.
"""

from __future__ import annotations

from itertools import product

DEPTHS = {
    **{f"input_blocks_{number}_1": 2 for number in (4, 5)},
    **{f"input_blocks_{number}_1": 10 for number in (7, 8)},
    "middle_block_1": 10,
    **{f"output_blocks_{number}_1": 10 for number in (0, 1, 2)},
    **{f"output_blocks_{number}_1": 2 for number in (3, 4, 5)},
}
"""How many transformer blocks each attention of the UNet has."""

_ATTENTION = [f"attn{which}_to_{what}" for which, what in product((1, 2), ("q", "k", "v", "out_0"))]
_IN_A_BLOCK = [*_ATTENTION, "ff_net_0_proj", "ff_net_2"]

RESNETS = [
    *(f"input_blocks_{number}_0" for number in (1, 2, 4, 5, 7, 8)),
    *(f"middle_block_{number}" for number in (0, 2)),
    *(f"output_blocks_{number}_0" for number in range(9)),
]
WIDENED = ["input_blocks_4_0", "input_blocks_7_0", *(f"output_blocks_{number}_0" for number in range(9))]
"""Those whose input has another number of channels than their output."""

RESAMPLERS = [
    "input_blocks_3_0_op",
    "input_blocks_6_0_op",
    "output_blocks_2_2_conv",
    "output_blocks_5_2_conv",
]


def unet_names() -> set[str]:
    """What Standard adapts: all linear layers of the attentions."""
    inside = {
        f"lora_unet_{where}_transformer_blocks_{number}_{layer}"
        for where, depth in DEPTHS.items()
        for number, layer in product(range(depth), _IN_A_BLOCK)
    }
    return inside | {f"lora_unet_{where}_proj_{way}" for where, way in product(DEPTHS, ("in", "out"))}


def convolution_names() -> set[str]:
    """What LoCon adds."""
    layers = ("in_layers_2", "emb_layers_1", "out_layers_3")
    return {
        *(f"lora_unet_{resnet}_{layer}" for resnet, layer in product(RESNETS, layers)),
        *(f"lora_unet_{resnet}_skip_connection" for resnet in WIDENED),
        *(f"lora_unet_{resampler}" for resampler in RESAMPLERS),
    }


def text_encoder_names(number: int, layers: int) -> set[str]:
    """Of the first (1) or second (2) text encoder."""
    inside = [*(f"self_attn_{what}_proj" for what in ("q", "k", "v", "out")), "mlp_fc1", "mlp_fc2"]
    return {
        f"lora_te{number}_text_model_encoder_layers_{layer}_{name}"
        for layer, name in product(range(layers), inside)
    }


def unet_layers() -> set[str]:
    """Every layer of the UNet that has a weight, by its name in Stability's layout."""
    block = [
        *(f"attn{which}.to_{what}" for which, what in product((1, 2), ("q", "k", "v", "out.0"))),
        *("ff.net.0.proj", "ff.net.2", "norm1", "norm2", "norm3"),
    ]
    attentions = {_dotted(where): depth for where, depth in DEPTHS.items()}
    resnet = ("in_layers.0", "in_layers.2", "emb_layers.1", "out_layers.0", "out_layers.3")
    return {
        *("input_blocks.0.0", "time_embed.0", "time_embed.2", "label_emb.0.0", "label_emb.0.2"),
        *("out.0", "out.2"),
        *(f"{where}.{layer}" for where, layer in product(attentions, ("norm", "proj_in", "proj_out"))),
        *(
            f"{where}.transformer_blocks.{number}.{layer}"
            for where, depth in attentions.items()
            for number, layer in product(range(depth), block)
        ),
        *(f"{_dotted(where)}.{layer}" for where, layer in product(RESNETS, resnet)),
        *(f"{_dotted(where)}.skip_connection" for where in WIDENED),
        *(_dotted(where) for where in RESAMPLERS),
    }


def _dotted(name: str) -> str:
    """`input_blocks_4_1` is `input_blocks.4.1`."""
    way, kind, *numbers = name.split("_")
    return ".".join([f"{way}_{kind}", *numbers])
