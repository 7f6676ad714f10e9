"""Each sampler's picture is the one that diffusers' own pipeline draws with the scheduler of that name."""

from __future__ import annotations

import importlib
import math
from typing import TYPE_CHECKING, Any, cast, get_args

import pytest
import torch
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from sampling_support import painted

from lora_bridge.protocol_types import Sampler

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

_TRAILING = {"timestep_spacing": "trailing"}
_SOLVER = "dpmsolver_multistep.DPMSolverMultistepScheduler"
_EULER = "euler_discrete.EulerDiscreteScheduler"
_ANCESTRAL = "euler_ancestral_discrete.EulerAncestralDiscreteScheduler"
_LMS = "lms_discrete.LMSDiscreteScheduler"
SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {
    "dpm++_2m_karras": (_SOLVER, {"use_karras_sigmas": True}),
    "dpm++_2m": (_SOLVER, _TRAILING),
    "dpm++_2m_sde_karras": (_SOLVER, {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"}),
    "unipc": ("unipc_multistep.UniPCMultistepScheduler", _TRAILING),
    "ddim": ("ddim.DDIMScheduler", {**_TRAILING, "clip_sample": False}),
    "pndm": ("pndm.PNDMScheduler", {**_TRAILING, "skip_prk_steps": True, "set_alpha_to_one": True}),
    "lms": (_LMS, {}),
    "k_lms": (_LMS, {}),
    "euler": (_EULER, {}),
    "k_euler": (_EULER, {}),
    "euler_a": (_ANCESTRAL, {}),
    "k_euler_a": (_ANCESTRAL, {}),
    "heun": ("heun_discrete.HeunDiscreteScheduler", {}),
    "dpm_2": ("k_dpm_2_discrete.KDPM2DiscreteScheduler", {}),
    "k_dpm_2": ("k_dpm_2_discrete.KDPM2DiscreteScheduler", {}),
    "dpm_2_a": ("k_dpm_2_ancestral_discrete.KDPM2AncestralDiscreteScheduler", {}),
    "k_dpm_2_a": ("k_dpm_2_ancestral_discrete.KDPM2AncestralDiscreteScheduler", {}),
    "dpmsolver": (_SOLVER, {**_TRAILING, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"}),
    "dpmsolver++": (_SOLVER, _TRAILING),
    "dpmsingle": ("dpmsolver_singlestep.DPMSolverSinglestepScheduler", {"lower_order_final": True}),
}

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


def test_every_sampler_has_its_scheduler() -> None:
    assert SCHEDULERS.keys() == set(get_args(Sampler))


def scheduler_of(sampler: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    path, options = SCHEDULERS[sampler]
    module, _, name = path.partition(".")
    kind = getattr(importlib.import_module(f"diffusers.schedulers.scheduling_{module}"), name)
    if path == _LMS:
        monkeypatch.setattr(kind, "get_lms_coefficient", _coefficient)
    return kind(beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", **options)


def _coefficient(self: Any, order: int, t: int, current_order: int) -> float:
    """What diffusers has scipy integrate, by Simpson's rule, which is exact up to cubics."""

    def product(place: float) -> float:
        return math.prod(
            (place - self.sigmas[t - k]) / (self.sigmas[t - current_order] - self.sigmas[t - k])
            for k in range(order)
            if k != current_order
        )

    start, end = float(self.sigmas[t]), float(self.sigmas[t + 1])
    return (end - start) / 6 * (product(start) + 4 * product((start + end) / 2) + product(end))


@pytest.mark.parametrize("sampler", SCHEDULERS)
def test_a_samplers_picture_is_the_pipelines(
    project: Path, tiny_sdxl: Path, sampler: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = f"ohwx person --n a blue car --w 64 --h 128 --s 7 --l 5 --ss {sampler}"
    ours = painted(project, tiny_sdxl, line, seed=9)
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(tiny_sdxl, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    pipeline.scheduler = scheduler_of(sampler, monkeypatch)
    theirs: Tensor = pipeline(
        "ohwx person",
        negative_prompt="a blue car",
        width=64,
        height=128,
        num_inference_steps=7,
        guidance_scale=5.0,
        generator=torch.Generator().manual_seed(9),
        output_type="pt",
    ).images[0]
    torch.testing.assert_close(ours, theirs, rtol=0, atol=1e-3)
