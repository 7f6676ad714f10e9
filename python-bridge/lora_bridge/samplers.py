"""The ways to draw a picture: Kohya's names for diffusers' schedulers, on SDXL's noise schedule."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import torch
from diffusers.schedulers.scheduling_ddim import DDIMScheduler
from diffusers.schedulers.scheduling_dpmsolver_multistep import DPMSolverMultistepScheduler
from diffusers.schedulers.scheduling_dpmsolver_singlestep import DPMSolverSinglestepScheduler
from diffusers.schedulers.scheduling_euler_ancestral_discrete import EulerAncestralDiscreteScheduler
from diffusers.schedulers.scheduling_euler_discrete import EulerDiscreteScheduler
from diffusers.schedulers.scheduling_heun_discrete import HeunDiscreteScheduler
from diffusers.schedulers.scheduling_k_dpm_2_ancestral_discrete import KDPM2AncestralDiscreteScheduler
from diffusers.schedulers.scheduling_k_dpm_2_discrete import KDPM2DiscreteScheduler
from diffusers.schedulers.scheduling_lms_discrete import LMSDiscreteScheduler
from diffusers.schedulers.scheduling_pndm import PNDMScheduler
from diffusers.schedulers.scheduling_unipc_multistep import UniPCMultistepScheduler

from lora_bridge.identify import Prediction
from lora_bridge.noise import BETA_END, BETA_START, TIMESTEPS, alphas_cumprod, zero_terminal

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from lora_bridge.protocol_types import Sampler

_GAUSS_NODE = 1 / math.sqrt(3)
_LAST_SIGNAL = 2.0**-24
"""What diffusers has in place of no signal at all, which no sampler can divide by."""


class _Lms(LMSDiscreteScheduler):
    """diffusers' own integrates with scipy, which nothing else here needs."""

    def get_lms_coefficient(self, order: int, t: int, current_order: int) -> float:
        """The integral of a Lagrange polynomial from one sigma to the next.

        Its degree is at most 3, so Gauss-Legendre with two nodes is exact.
        """
        sigmas: list[float] = [float(sigma) for sigma in self.sigmas[t - order + 1 : t + 2]]
        # Newest first, and before them the one that the step leads to.
        end, *known = reversed(sigmas)
        others = [sigma for index, sigma in enumerate(known) if index != current_order]
        half, middle = (end - known[0]) / 2, (end + known[0]) / 2
        nodes = (middle - half * _GAUSS_NODE, middle + half * _GAUSS_NODE)
        return half * sum(
            math.prod((node - other) / (known[current_order] - other) for other in others) for node in nodes
        )


class _Recipe(NamedTuple):
    scheduler: Any
    options: dict[str, Any]
    draws_noise: bool = False
    """At every step; the others only begin with it."""


# Trailing: from the noisiest timestep on, and without the doubles that rounding makes of many steps.
_TRAILING = {"timestep_spacing": "trailing"}
_EULER = _Recipe(EulerDiscreteScheduler, {})
_EULER_A = _Recipe(EulerAncestralDiscreteScheduler, {}, draws_noise=True)
_LMS = _Recipe(_Lms, {})
_DPM_2 = _Recipe(KDPM2DiscreteScheduler, {})
_DPM_2_A = _Recipe(KDPM2AncestralDiscreteScheduler, {}, draws_noise=True)
_RECIPES: dict[Sampler, _Recipe] = {
    "dpm++_2m_karras": _Recipe(DPMSolverMultistepScheduler, {"use_karras_sigmas": True}),
    "dpm++_2m": _Recipe(DPMSolverMultistepScheduler, _TRAILING),
    "dpm++_2m_sde_karras": _Recipe(
        DPMSolverMultistepScheduler,
        {"use_karras_sigmas": True, "algorithm_type": "sde-dpmsolver++"},
        draws_noise=True,
    ),
    "unipc": _Recipe(UniPCMultistepScheduler, _TRAILING),
    "ddim": _Recipe(DDIMScheduler, {**_TRAILING, "clip_sample": False}),
    "pndm": _Recipe(PNDMScheduler, {**_TRAILING, "skip_prk_steps": True, "set_alpha_to_one": True}),
    "lms": _LMS,
    "k_lms": _LMS,
    "euler": _EULER,
    "k_euler": _EULER,
    "euler_a": _EULER_A,
    "k_euler_a": _EULER_A,
    "heun": _Recipe(HeunDiscreteScheduler, {}),
    "dpm_2": _DPM_2,
    "k_dpm_2": _DPM_2,
    "dpm_2_a": _DPM_2_A,
    "k_dpm_2_a": _DPM_2_A,
    # The first DPM-Solver cannot end at no noise at all.
    "dpmsolver": _Recipe(
        DPMSolverMultistepScheduler,
        {**_TRAILING, "algorithm_type": "dpmsolver", "final_sigmas_type": "sigma_min"},
    ),
    "dpmsolver++": _Recipe(DPMSolverMultistepScheduler, _TRAILING),
    "dpmsingle": _Recipe(DPMSolverSinglestepScheduler, {"lower_order_final": True}),
}


class Denoising:
    """One picture's way from noise to a latent. Its numbers are on the CPU, whatever the latent is on."""

    def __init__(
        self,
        sampler: Sampler,
        steps: int,
        generator: torch.Generator,
        prediction: Prediction = Prediction(),  # noqa: B008 - a tuple
    ) -> None:
        """`prediction` is what the model was trained to predict.

        With zero terminal SNR every sampler spaces its steps as Lin et al. (2023) do, none as Karras et al.
        (2022), by whom most steps would be taken where there is noise alone.
        """
        recipe = _RECIPES[sampler]
        options = {**recipe.options, "prediction_type": "v_prediction" if prediction.velocity else "epsilon"}
        if prediction.zero_terminal_snr:
            options |= {"trained_betas": _zero_terminal_betas()}
            options.pop("use_karras_sigmas", None)
            # The one that has no other spacing begins at the last timestep too.
            options |= {} if sampler == "dpmsingle" else _TRAILING
        with warnings.catch_warnings():
            # That `dpmsolver` will be gone from a later diffusers; ours is pinned.
            warnings.simplefilter("ignore", FutureWarning)
            self._scheduler = recipe.scheduler(
                num_train_timesteps=TIMESTEPS,
                beta_start=BETA_START,
                beta_end=BETA_END,
                beta_schedule="scaled_linear",
                **options,
            )
        self._scheduler.set_timesteps(steps)
        self._scheduler.timesteps = _in_schedule(self._scheduler.timesteps, sampler)
        self._extra = {"generator": generator} if recipe.draws_noise else {}

    @property
    def first_sigma(self) -> float:
        """What standard noise is multiplied with at the start."""
        return float(self._scheduler.init_noise_sigma)

    def timesteps(self) -> Iterator[Tensor]:
        """Where to ask the model, in order, []: some samplers ask twice a step."""
        yield from self._scheduler.timesteps

    def model_input(self, latents: Tensor, timestep: Tensor) -> Tensor:
        """What to show the model of the latents [B, 4, h, w]."""
        return self._scheduler.scale_model_input(latents, timestep)

    def step(self, prediction: Tensor, timestep: Tensor, latents: Tensor) -> Tensor:
        """The latents after the model predicted this of them, all [B, 4, h, w]."""
        return self._scheduler.step(prediction, timestep, latents, **self._extra).prev_sample


def _in_schedule(timesteps: Tensor, sampler: Sampler) -> Tensor:
    """Without -1, which rounding adds to some numbers of trailing steps, such as 61.

    Two samplers would look there for the end of the schedule; the others count on a step more.
    """
    kept = timesteps[timesteps >= 0] if sampler in ("ddim", "pndm") else timesteps
    return kept.clamp(min=0)


def _zero_terminal_betas() -> list[float]:
    """Lin et al. (2023), algorithm 1, for the schedulers that know of it and for those that do not."""
    signal = zero_terminal(alphas_cumprod().double())
    signal[-1] = _LAST_SIGNAL
    kept = signal / torch.cat([torch.ones(1, dtype=signal.dtype), signal[:-1]])
    return [float(beta) for beta in 1 - kept]
