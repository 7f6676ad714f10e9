"""Which parameters of noise and loss fit each other and the base model."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from tensor_files import save_tensors
from training_support import make_config

from lora_bridge.identify import Prediction, identify, prediction_of
from lora_bridge.objective_rules import objective_warnings, require_objective
from lora_bridge.problems import ProblemError

PROJECT = Path("project")


def warned(**changes: Any) -> list[str]:
    return [problem.code for problem in objective_warnings(make_config(PROJECT, **changes))]


def test_the_defaults_are_fine() -> None:
    require_objective(make_config(PROJECT))
    assert warned() == []


@pytest.mark.parametrize(
    ("changes", "code", "labels"),
    [
        ({"min_timestep": 500, "max_timestep": 500}, "timesteps_empty", ["Min Timestep", "Max Timestep"]),
        ({"adaptive_noise_scale": -0.1}, "noise_offset_missing", ["Adaptive noise scale", "Noise offset"]),
        (
            {"scale_v_pred_loss_like_noise_pred": True},
            "not_v_prediction",
            ["Scale v prediction loss", "v_param"],
        ),
        (
            {"v_pred_like_loss": 0.5, "v_parameterization": True},
            "not_noise_prediction",
            ["V Pred like loss", "v_param"],
        ),
    ],
)
def test_contradictions_are_refused(changes: dict[str, Any], code: str, labels: list[str]) -> None:
    with pytest.raises(ProblemError) as caught:
        require_objective(make_config(PROJECT, **changes))
    problem = caught.value.problem
    assert problem.code == code
    assert problem.hint
    assert all(label in problem.message for label in labels)


@pytest.mark.parametrize(
    "changes",
    [
        {"min_timestep": 999},
        {"max_timestep": 1},
        {"adaptive_noise_scale": -0.1, "noise_offset": 0.1},
        {"scale_v_pred_loss_like_noise_pred": True, "v_parameterization": True},
        {"v_pred_like_loss": 0.5},
    ],
)
def test_what_fits_is_taken(changes: dict[str, Any]) -> None:
    require_objective(make_config(PROJECT, **changes))
    assert warned(**changes) == []


@pytest.mark.parametrize(
    ("changes", "codes"),
    [
        ({"zero_terminal_snr": True}, ["zero_terminal_snr_without_v"]),
        ({"zero_terminal_snr": True, "v_parameterization": True}, []),
        ({"noise_offset": 0.1, "multires_noise_iterations": 6}, ["noise_twice"]),
        ({"min_snr_gamma": 5, "debiased_estimation_loss": True}, ["loss_weighted_twice"]),
        ({"noise_offset_random_strength": True}, ["noise_option_unused"]),
        ({"ip_noise_gamma_random_strength": True}, ["noise_option_unused"]),
        ({"ip_noise_gamma_random_strength": True, "ip_noise_gamma": 0.1}, []),
        ({"huber_scale": 2, "loss_type": "huber"}, ["noise_option_unused"]),
        ({"huber_scale": 2, "loss_type": "huber", "huber_schedule": "constant"}, []),
    ],
)
def test_what_a_person_should_know(changes: dict[str, Any], codes: list[str]) -> None:
    assert warned(**changes) == codes


def checkpoint(folder: Path, *names: str) -> str:
    tensors = {name: torch.zeros(0) for name in ("model.diffusion_model.x", *names)}
    return str(save_tensors(folder / "model.safetensors", tensors))


def diffusers_folder(folder: Path, scheduler: Any) -> str:
    file = folder / "scheduler" / "scheduler_config.json"
    file.parent.mkdir(parents=True)
    file.write_text(json.dumps(scheduler), encoding="utf-8")
    return str(folder)


@pytest.mark.parametrize(
    ("names", "prediction"),
    [([], None), (["v_pred"], Prediction(True, False)), (["v_pred", "ztsnr"], Prediction(True, True))],
)
def test_a_single_file_tells_that_it_predicts_velocity(
    tmp_path: Path, names: list[str], prediction: Prediction | None
) -> None:
    assert prediction_of(checkpoint(tmp_path, *names)) == prediction


@pytest.mark.parametrize(
    ("scheduler", "prediction"),
    [
        ({"prediction_type": "epsilon"}, Prediction(False, False)),
        ({"prediction_type": "v_prediction", "rescale_betas_zero_snr": True}, Prediction(True, True)),
        ({"prediction_type": "v_prediction", "rescale_betas_zero_snr": False}, Prediction(True, False)),
        ({"prediction_type": "sample"}, None),
        ({}, None),
        ([], None),
    ],
)
def test_a_folder_tells_what_it_predicts(
    tmp_path: Path, scheduler: Any, prediction: Prediction | None
) -> None:
    assert prediction_of(diffusers_folder(tmp_path, scheduler)) == prediction


def test_what_cannot_be_read_tells_nothing(tmp_path: Path) -> None:
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"no tensors")
    missing = str(tmp_path / "missing")
    for path in (str(broken), str(tmp_path), missing, "someone/some-model", "a\0b", "~nobody-of-that-name/x"):
        assert prediction_of(path) is None
        problem = identify(path).problem
        assert (problem is None) == (path == "someone/some-model")


@pytest.mark.parametrize(
    ("names", "changes", "codes"),
    [
        (["v_pred", "ztsnr"], {}, ["v_prediction_model"]),
        (["v_pred"], {"v_parameterization": True}, []),
        (["v_pred", "ztsnr"], {"v_parameterization": True}, ["zero_terminal_snr_model"]),
        (["v_pred", "ztsnr"], {"v_parameterization": True, "zero_terminal_snr": True}, []),
        ([], {"v_parameterization": True}, []),
    ],
)
def test_a_file_that_is_asked_for_what_it_does_not_predict(
    tmp_path: Path, names: list[str], changes: dict[str, Any], codes: list[str]
) -> None:
    base = checkpoint(tmp_path, *names)
    assert warned(pretrained_model_name_or_path=base, **changes) == codes


def test_a_folder_that_is_asked_for_what_it_does_not_predict(tmp_path: Path) -> None:
    base = diffusers_folder(tmp_path, {"prediction_type": "epsilon"})
    assert warned(pretrained_model_name_or_path=base) == []
    (problem,) = objective_warnings(
        make_config(PROJECT, pretrained_model_name_or_path=base, v_parameterization=True)
    )
    assert problem.code == "noise_prediction_model"
    assert base in problem.message


def test_the_rules_do_not_need_torch() -> None:
    """They are asked while a person types."""
    program = "import sys, lora_bridge.objective_rules; sys.exit('torch' in sys.modules)"
    bridge = Path(__file__).parents[1]
    assert subprocess.run([sys.executable, "-c", program], cwd=bridge, check=False).returncode == 0
