"""Gradient checkpointing that keeps what took long to compute and computes the rest twice."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, cast

import torch
from torch.utils import checkpoint as torch_checkpoint
from torch.utils.checkpoint import CheckpointPolicy

if TYPE_CHECKING:
    from torch import Tensor

# Untyped.
_ATEN: Any = torch.ops.aten
_CHECKPOINT: Any = torch_checkpoint

# What each operation computes from: its first factor [.., rows, inner] and its second [.., inner, columns].
_FACTORS = {_ATEN.mm.default: (0, 1), _ATEN.addmm.default: (1, 2), _ATEN.bmm.default: (0, 1)}
_KEPT = {
    _ATEN.convolution.default,
    _ATEN._scaled_dot_product_cudnn_attention.default,
    _ATEN._scaled_dot_product_efficient_attention.default,
    _ATEN._scaled_dot_product_flash_attention.default,
    _ATEN._scaled_dot_product_flash_attention_for_cpu.default,
}


def checkpoint_whole(module: Any, *inputs: Any, draws: bool) -> Any:
    """Run a block of a diffusers model, for its `enable_gradient_checkpointing`: only its inputs are kept.

    `draws`: something in it is drawn from torch's generators, and must be drawn again alike.
    """
    return _CHECKPOINT.checkpoint(module.__call__, *inputs, use_reentrant=False, preserve_rng_state=draws)


def checkpoint_selectively(module: Any, *inputs: Any, draws: bool) -> Any:
    """As `checkpoint_whole`, but attention and the products below are kept too.

    Norms, activations, sums and what a quantised weight opens to are computed again.
    """
    return _CHECKPOINT.checkpoint(
        module.__call__,
        *inputs,
        use_reentrant=False,
        preserve_rng_state=draws,
        context_fn=partial(_CHECKPOINT.create_selective_checkpoint_contexts, _policy),
    )


def _policy(_context: object, operation: Any, *inputs: Any, **_options: Any) -> CheckpointPolicy:
    keep = operation in _KEPT or (operation in _FACTORS and _is_dear(operation, inputs))
    return CheckpointPolicy.MUST_SAVE if keep else CheckpointPolicy.PREFER_RECOMPUTE


def _is_dear(operation: Any, inputs: tuple[Any, ...]) -> bool:
    """Whether a number of the result takes at least as many multiplications as the result is wide.

    So the widest products, a feed-forward's first and a LoRA's second, are left: they take most of the memory
    and, for each byte of it, the least time.
    """
    first, second = (cast("Tensor", inputs[index]) for index in _FACTORS[operation])
    return first.shape[-1] >= second.shape[-1]
