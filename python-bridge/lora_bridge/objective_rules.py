"""Which parameters of noise and loss contradict each other, and which a person should know of. No torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.identify import prediction_of
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.protocol_types import TrainConfig


def require_objective(config: TrainConfig) -> None:
    """Raise ProblemError for parameters of noise and loss that contradict each other."""
    if config.min_timestep >= config.max_timestep:
        raise ProblemError(
            "timesteps_empty",
            f"No timestep is left: Min Timestep ({config.min_timestep}) is not below Max Timestep "
            f"({config.max_timestep}).",
            "Lower Min Timestep, or raise Max Timestep. 0 and 1000 train all.",
        )
    if config.adaptive_noise_scale and not config.noise_offset:
        raise ProblemError(
            "noise_offset_missing",
            "Adaptive noise scale changes the Noise offset, which is 0.",
            "Set Noise offset, or set Adaptive noise scale to 0.",
        )
    if config.scale_v_pred_loss_like_noise_pred and not config.v_parameterization:
        raise ProblemError(
            "not_v_prediction",
            "Scale v prediction loss is for models that predict v, but v_param is off.",
            "Turn Scale v prediction loss off, or v_param on where the base model predicts v.",
        )
    if config.v_pred_like_loss and config.v_parameterization:
        raise ProblemError(
            "not_noise_prediction",
            "V Pred like loss is for models that predict noise, but v_param is on.",
            "Set V Pred like loss to 0, or turn v_param off where the base model predicts noise.",
        )


def objective_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What is odd about the parameters of noise and loss, and about what the base model predicts."""
    yield from _about_base_model(config)
    if config.zero_terminal_snr and not config.v_parameterization:
        yield Problem(
            code="zero_terminal_snr_without_v",
            message="Zero terminal SNR is on and v_param is off: the last timestep is noise alone, where a "
            "model that predicts noise learns nothing.",
            hint="Turn Zero terminal SNR off, or v_param on where the base model predicts v.",
        )
    if config.noise_offset and config.multires_noise_iterations:
        yield Problem(
            code="noise_twice",
            message="Noise offset and Multires noise iterations are both on. Each teaches dark and bright "
            "pictures; together they overdo it.",
            hint="Set one of them to 0.",
        )
    if config.min_snr_gamma and config.debiased_estimation_loss:
        yield Problem(
            code="loss_weighted_twice",
            message="Min SNR gamma and Debiased Estimation loss are both on. Each evens out the timesteps; "
            "together they are multiplied.",
            hint="Set Min SNR gamma to 0, or turn Debiased Estimation loss off.",
        )
    yield from _about_unused(config)


def _about_base_model(config: TrainConfig) -> Iterator[Problem]:
    base = config.pretrained_model_name_or_path
    prediction = prediction_of(base)
    if prediction is None:
        return
    if prediction.velocity and not config.v_parameterization:
        terminal = (
            ", and Zero terminal SNR, with which it was trained" if prediction.zero_terminal_snr else ""
        )
        yield Problem(
            code="v_prediction_model",
            message=f"{base} predicts v, but v_param is off: what is learnt would not fit it.",
            hint=f"Turn v_param on{terminal}.",
        )
    elif config.v_parameterization and not prediction.velocity:
        yield Problem(
            code="noise_prediction_model",
            message=f"{base} predicts noise, but v_param is on: what is learnt would not fit it.",
            hint="Turn v_param off.",
        )
    elif prediction.zero_terminal_snr and not config.zero_terminal_snr:
        yield Problem(
            code="zero_terminal_snr_model",
            message=f"{base} was trained with Zero terminal SNR, which is off.",
            hint="Turn Zero terminal SNR on.",
        )


def _about_unused(config: TrainConfig) -> Iterator[Problem]:
    unused = {
        "Noise offset random strength": (
            config.noise_offset_random_strength and not config.noise_offset,
            "Noise offset is 0",
        ),
        "IP noise gamma random strength": (
            config.ip_noise_gamma_random_strength and not config.ip_noise_gamma,
            "IP noise gamma is 0",
        ),
        "Huber scale": (
            config.huber_scale != 1
            and config.loss_type in ("huber", "smooth_l1")
            and config.huber_schedule == "snr",
            "Huber schedule is snr, which does not use it",
        ),
    }
    for label, (is_unused, why) in unused.items():
        if is_unused:
            yield Problem(code="noise_option_unused", message=f"{label} does nothing: {why}.")
