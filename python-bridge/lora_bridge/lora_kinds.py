"""What kinds of adapters there are, by the keys that a module of theirs has in a file.

Source: sd-scripts `networks/*.py` and `lycoris/modules/*.py`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Mapping

Kind: TypeAlias = Literal["LoRA", "DoRA", "LoHa", "LoKr", "GLoRA", "Diag-OFT", "BOFT", "iA3", "full", "norm"]

_TELLING: Final[tuple[tuple[str, Kind], ...]] = (
    ("lora_down.weight", "LoRA"),
    ("hada_w1_a", "LoHa"),
    ("lokr_w1", "LoKr"),
    ("lokr_w1_a", "LoKr"),
    ("a1.weight", "GLoRA"),
    ("oft_blocks", "Diag-OFT"),
    # It has a key `weight` too, which diffusers' whole models have as well.
    ("on_input", "iA3"),
    ("diff", "full"),
    ("w_norm", "norm"),
    ("b_norm", "norm"),
)
_OF_BUTTERFLIES = 4
"""Dimensions of BOFT's blocks; those of Diag-OFT have one less."""
_RANK_FIRST: Final = (
    "lora_down.weight",
    "hada_w1_b",
    "lokr_w2_b",
    "lokr_w1_b",
    "a2.weight",
)
LEARNT: Final[dict[Kind, tuple[str, ...]]] = {
    "LoRA": ("lora_up.weight",),
    "DoRA": ("lora_up.weight",),
    "LoHa": ("hada_w2_a",),
    "LoKr": ("lokr_w2", "lokr_w2_b"),
    "GLoRA": ("a2.weight", "b2.weight"),
    "Diag-OFT": ("oft_blocks",),
    "BOFT": ("oft_blocks",),
    "iA3": ("weight",),
    "full": ("diff", "diff_b"),
    "norm": ("w_norm", "b_norm"),
}
"""What a module's effect is a multiple of: where all of it is zero, the module does nothing."""


def kind_of(shapes: Mapping[str, tuple[int, ...]]) -> Kind | None:
    """Of a module, by its tensors' shapes; None for what is none of an adapter."""
    for key, kind in _TELLING:
        shape = shapes.get(key)
        if shape is None:
            continue
        if kind == "Diag-OFT" and len(shape) == _OF_BUTTERFLIES:
            return "BOFT"
        if kind == "LoRA" and not shape:
            return None
        return "DoRA" if "dora_scale" in shapes and kind == "LoRA" else kind
    return None


def rank_of(shapes: Mapping[str, tuple[int, ...]]) -> int:
    """Of a module; 0 for what has none, such as iA3 or a LoKr of two whole factors."""
    for key in _RANK_FIRST:
        if shapes.get(key):
            return shapes[key][0]
    return 0
