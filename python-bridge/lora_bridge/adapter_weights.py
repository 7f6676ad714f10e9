"""What an adapter's module makes of the weight of its layer.

Sources: Hu et al. 2021 (LoRA), Hyeon-Woo et al. 2022 (LoHa), Edalati et al. 2022 (LoKr), Liu et al. 2022
(iA3), Liu et al. 2024 (DoRA); the files' layout is that of `lycoris/modules`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from lora_bridge.lora_kinds import Kind


def changed_weight(
    kind: Kind, tensors: Mapping[str, Tensor], weight: Tensor, scale: float, multiplier: float
) -> Tensor | None:
    """The weight [out, in, ...] with a module in it, all in fp32; None for a kind that is not known here.

    `scale` is alpha divided by rank. Raises RuntimeError where the shapes do not fit.
    """
    match kind:
        case "LoRA" | "DoRA":
            change = scale * _lora(tensors)
        case "LoHa":
            change = scale * _factor(tensors, "hada_w1", "hada_t1") * _factor(tensors, "hada_w2", "hada_t2")
        case "LoKr":
            change = scale * _kronecker(tensors)
        case "iA3":
            axis = int(bool(tensors["on_input"]))
            change = weight * tensors["weight"].reshape([-1 if n == axis else 1 for n in range(weight.dim())])
        case "full":
            change = tensors["diff"]
        case "norm":
            change = tensors.get("w_norm", torch.zeros_like(weight))
        case _:
            return None
    change = change.reshape(weight.shape)
    if "dora_scale" not in tensors:
        return weight + multiplier * change
    return _of_size(weight + change, tensors["dora_scale"], multiplier)


def _lora(tensors: Mapping[str, Tensor]) -> Tensor:
    """`up @ down`, with the core between them of a Tucker decomposition."""
    down, up = tensors["lora_down.weight"], tensors["lora_up.weight"]
    core = tensors.get("lora_mid.weight")
    if core is not None:
        return torch.einsum("or,rshw,si->oihw", up.flatten(1), core, down.flatten(1))
    return up.flatten(1) @ down.flatten(1)


def _factor(tensors: Mapping[str, Tensor], name: str, core: str) -> Tensor:
    """One of two factors: whole, of a low rank, or with a core [rank, rank, h, w] between its sides."""
    whole = tensors.get(name)
    if whole is not None:
        return whole
    left, right = tensors[f"{name}_a"], tensors[f"{name}_b"]
    if core in tensors:
        return torch.einsum("rshw,ro,si->oihw", tensors[core], left, right)
    return left @ right


def _kronecker(tensors: Mapping[str, Tensor]) -> Tensor:
    small, large = _factor(tensors, "lokr_w1", "lokr_t1"), _factor(tensors, "lokr_w2", "lokr_t2")
    # A matrix times each place of a window.
    return torch.kron(small.reshape(*small.shape, *[1] * (large.dim() - small.dim())), large.contiguous())


def _of_size(weight: Tensor, size: Tensor, multiplier: float) -> Tensor:
    """DoRA: the direction is the weight's, the length of each row, or of each column, that of `size`."""
    of_columns = size.dim() > 1 and len(size) == 1 and weight.shape[0] > 1
    rest = [axis for axis in range(weight.dim()) if axis != int(of_columns)]
    lengths = weight.square().sum(rest, keepdim=True).sqrt()
    factor = size.reshape(lengths.shape) / lengths
    return weight * (1 + multiplier * (factor - 1))
