"""What A1111 calls the samplers. Read while typing: no torch."""

from __future__ import annotations

from typing import TYPE_CHECKING, get_args

from lora_bridge.protocol_types import Sampler

if TYPE_CHECKING:
    from collections.abc import Mapping

_A1111: Mapping[Sampler, str] = {
    "dpm++_2m_karras": "DPM++ 2M Karras",
    "dpm++_2m": "DPM++ 2M",
    "dpm++_2m_sde_karras": "DPM++ 2M SDE Karras",
    "unipc": "UniPC",
    "ddim": "DDIM",
    "pndm": "PLMS",
    "lms": "LMS",
    "k_lms": "LMS",
    "euler": "Euler",
    "k_euler": "Euler",
    "euler_a": "Euler a",
    "k_euler_a": "Euler a",
    "heun": "Heun",
    "dpm_2": "DPM2",
    "k_dpm_2": "DPM2",
    "dpm_2_a": "DPM2 a",
    "k_dpm_2_a": "DPM2 a",
}
"""Those that A1111 has too."""
_BY_NAME: dict[str, Sampler] = {
    **{name.lower(): sampler for sampler, name in reversed(_A1111.items())},
    **{name: name for name in get_args(Sampler)},
}


def a1111_name(sampler: Sampler) -> str:
    """As A1111's pictures name it; our own name where A1111 has no such sampler."""
    return _A1111.get(sampler, sampler)


def sampler_named(name: str) -> Sampler | None:
    """By Kohya's name or A1111's, in any case; None for what is neither."""
    return _BY_NAME.get(" ".join(name.lower().split()))
