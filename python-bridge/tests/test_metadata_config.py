"""The config inside a LoRA file names models so that they can be found, and no place of the machine."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from training_support import make_config

from lora_bridge.lycoris_plan import lycoris_network_args
from lora_bridge.metadata_config import config_for_reproduction

HUB = "stabilityai/stable-diffusion-xl-base-1.0"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        (HUB, HUB),
        (f" {HUB} ", HUB),
        ("here/model", "model"),
        ("/home/me/models/base.safetensors", "base.safetensors"),
        (r"C:\Users\me\base.safetensors", "base.safetensors"),
        ("~/models/base/", "base"),
        ("./models/base", "base"),
        ("", ""),
    ],
)
def test_only_a_model_on_this_machine_is_reduced_to_its_last_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, told: str
) -> None:
    (tmp_path / "here" / "model").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    config = make_config(Path("project"), pretrained_model_name_or_path=name, vae=name)
    values = json.loads(config_for_reproduction(config, 7))
    assert (values["pretrained_model_name_or_path"], values["vae"]) == (told, told)
    assert values["output_dir"] == "model"


@pytest.mark.parametrize(
    ("lora_type", "told"),
    [
        ("LyCORIS/DyLoRA", {"algo": "dylora", "block_size": "4"}),
        ("LyCORIS/iA3", {"algo": "ia3", "train_on_input": "True"}),
        ("LyCORIS/Diag-OFT", {"algo": "diag-oft", "constraint": "0.5", "rescaled": "True"}),
        ("LyCORIS/BOFT", {"algo": "boft", "constraint": "0.5", "rescaled": "True"}),
    ],
)
def test_each_kind_tells_its_own_arguments_and_no_place(lora_type: str, told: dict[str, str]) -> None:
    config = make_config(
        Path("project"),
        lora_type=lora_type,
        unit=4,
        constrain=0.5,
        rescaled=True,
        lycoris_preset="/home/me/secret/own.toml",
        conv_dim=0,
    )
    assert lycoris_network_args(config) == {**told, "preset": "own.toml"}
