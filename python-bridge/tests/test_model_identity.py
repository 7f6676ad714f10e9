"""Base models told apart without reading them, and a VAE in place of their own."""

from __future__ import annotations

import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import huggingface_hub.constants
import pytest
import torch
from ldm_checkpoint import convert_folder
from tensor_files import load_tensors, save_tensors
from training_support import make_config

from lora_bridge.ldm_names import VAE_PREFIX, vae_name
from lora_bridge.model import CachedPart, DiffusersModel, SingleFileModel, open_base_model
from lora_bridge.problems import ProblemError
from lora_bridge.vae_rules import require_vae

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.vae import Vae

PARTS: tuple[CachedPart, ...] = ("vae", "text_encoder_1", "text_encoder_2")
WEIGHTS = "diffusion_pytorch_model.safetensors"


@pytest.fixture
def model(tiny_sdxl: Path, tmp_path: Path) -> Path:
    shutil.copytree(tiny_sdxl, tmp_path / "model")
    return tmp_path / "model"


@pytest.fixture
def other_vae(tiny_sdxl: Path, tmp_path: Path) -> Path:
    """A VAE folder whose weights are not the model's."""
    folder = tmp_path / "other-vae"
    shutil.copytree(tiny_sdxl / "vae", folder)
    tensors = {name: tensor * 1.5 for name, tensor in load_tensors(folder / WEIGHTS).items()}
    save_tensors(folder / WEIGHTS, tensors, format="pt")
    return folder


def state(vae: Vae) -> dict[str, torch.Tensor]:
    inner: Any = vae._model  # pyright: ignore[reportPrivateUsage]
    assert not any(parameter.requires_grad for parameter in inner.parameters())
    return inner.state_dict()


def identities(model: Path) -> list[str]:
    return [open_base_model(str(model)).identity(part) for part in PARTS]


@pytest.mark.parametrize(
    ("file", "changed"),
    [
        (f"vae/{WEIGHTS}", [True, False, False]),
        ("vae/config.json", [True, False, False]),
        ("text_encoder/model.safetensors", [False, True, False]),
        ("tokenizer/merges.txt", [False, True, False]),
        ("text_encoder_2/config.json", [False, False, True]),
        ("tokenizer_2/vocab.json", [False, False, True]),
        (f"unet/{WEIGHTS}", [False, False, False]),
    ],
)
def test_a_part_of_a_folder_that_is_changed_is_another(model: Path, file: str, changed: list[bool]) -> None:
    before = identities(model)
    assert before == identities(model)
    assert len(set(before)) == 3
    place = model / file
    time = place.stat().st_mtime_ns
    place.write_bytes(place.read_bytes() + b" ")
    os.utime(place, ns=(time, time))
    assert [one != other for one, other in zip(before, identities(model), strict=True)] == changed


def test_weights_that_are_written_again_are_others(model: Path) -> None:
    before = identities(model)
    weights = model / "vae" / WEIGHTS
    os.utime(weights, ns=(0, weights.stat().st_mtime_ns + 1))
    assert identities(model)[0] != before[0]


def test_a_single_file_that_is_changed_is_another(model: Path, tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    convert_folder(model, file)

    def identities_of_file() -> list[str]:
        base = SingleFileModel(file, model, model / "tokenizer")
        return [base.identity(part) for part in PARTS]

    before = identities_of_file()
    assert before == identities_of_file()
    assert len(set(before)) == 3
    (model / "vae" / "config.json").write_text("{}")
    assert [a != b for a, b in zip(before, identities_of_file(), strict=True)] == [True, False, False]
    (model / "tokenizer" / "merges.txt").write_text("#version: 0.2\n")
    assert [a != b for a, b in zip(before, identities_of_file(), strict=True)] == [True, True, True]
    moved = tmp_path / "elsewhere.safetensors"
    shutil.copy2(file, moved)
    assert SingleFileModel(moved, model, model / "tokenizer").identity("vae") != identities_of_file()[0]
    file.unlink()
    with pytest.raises(ProblemError, match=r"model\.safetensors"):
        identities_of_file()


def test_a_folder_that_is_gone_is_named(model: Path) -> None:
    base = open_base_model(str(model))
    shutil.rmtree(model / "vae")
    with pytest.raises(ProblemError, match="vae"):
        base.identity("vae")


def test_a_hub_model_is_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    repository = tmp_path / "models--somebody--sdxl"
    (repository / "refs").mkdir(parents=True)
    found: list[str] = []
    for commit in ("a" * 40, "b" * 40):
        (repository / "refs" / "main").write_text(commit)
        for part in ("vae", "text_encoder"):
            (repository / "snapshots" / commit / part).mkdir(parents=True)
            (repository / "snapshots" / commit / part / "config.json").write_text("{}")
        base = open_base_model("somebody/sdxl")
        found += [base.identity("vae"), base.identity("text_encoder_1")]
    assert len(set(found)) == 4
    assert all(("a" * 40 in identity) == (index < 2) for index, identity in enumerate(found))
    with pytest.raises(ProblemError) as caught:
        open_base_model("nobody/no-such-model").identity("vae")
    assert caught.value.problem.code == "hub_unreachable"


def old_name(name: str) -> str:
    for new, old in {"to_q": "query", "to_k": "key", "to_v": "value", "to_out.0": "proj_attn"}.items():
        name = name.replace(f".{new}.", f".{old}.")
    return name


@pytest.mark.parametrize("layout", ["folder", "whole model", "diffusers", "old", "original", "checkpoint"])
def test_another_vae_in_each_of_its_layouts(
    tiny_sdxl: Path, other_vae: Path, tmp_path: Path, layout: str
) -> None:
    tensors = load_tensors(other_vae / WEIGHTS)
    place = tmp_path / "single.safetensors"
    if layout == "folder":
        place = other_vae
    elif layout == "whole model":
        place = tmp_path / "whole"
        shutil.copytree(other_vae, place / "vae")
    elif layout == "diffusers":
        save_tensors(place, tensors)
    elif layout == "old":
        save_tensors(place, {old_name(name): tensor for name, tensor in tensors.items()})
    else:
        prefix = VAE_PREFIX if layout == "checkpoint" else ""
        save_tensors(place, {prefix + vae_name(name): tensor for name, tensor in tensors.items()})
    own = open_base_model(str(tiny_sdxl))
    base = open_base_model(str(tiny_sdxl), f" {place} ")
    expected = {name: tensor.float() for name, tensor in tensors.items()}
    torch.testing.assert_close(state(base.vae()), expected, rtol=0, atol=0)
    assert base.identity("vae") != own.identity("vae")
    assert base.identity("text_encoder_1") == own.identity("text_encoder_1")
    torch.testing.assert_close(
        dict(base.unet(torch.float32).module.state_dict()), dict(own.unet(torch.float32).module.state_dict())
    )
    before = base.identity("vae")
    weights = place if place.is_file() else next(place.rglob("*.safetensors"))
    os.utime(weights, ns=(0, 0))
    assert base.identity("vae") != before


def test_without_another_vae_the_model_has_its_own(tiny_sdxl: Path) -> None:
    assert isinstance(open_base_model(str(tiny_sdxl), "  "), DiffusersModel)


def refused(model: Path, vae: Path, *, loading: bool = False) -> str:
    """What is said of a VAE that is refused: before anything is loaded, or only by `loading` it."""
    config = make_config(model.parent, vae=str(vae))
    if loading:
        require_vae(config)
        with pytest.raises(ProblemError) as caught:
            open_base_model(str(model), str(vae)).vae()
    else:
        with pytest.raises(ProblemError) as caught:
            require_vae(config)
        with pytest.raises(ProblemError):
            open_base_model(str(model), str(vae))
    assert str(vae) in caught.value.problem.message
    return caught.value.problem.code


def test_what_is_no_vae_is_refused_before_the_training(
    tiny_sdxl: Path, other_vae: Path, tmp_path: Path
) -> None:
    assert refused(tiny_sdxl, tmp_path / "nowhere.safetensors") == "vae_missing"
    pickle = tmp_path / "vae.pt"
    pickle.write_bytes(b"x")
    lora, cut, stranger = (tmp_path / f"{name}.safetensors" for name in ("lora", "cut", "sd1"))
    save_tensors(lora, {"lora_unet_x.lora_down.weight": torch.zeros(1)})
    cut.write_bytes((other_vae / WEIGHTS).read_bytes()[:-10])
    names = ["encoder.conv_in.weight", "decoder.conv_out.weight"]
    tensors = {VAE_PREFIX + name: torch.zeros(1) for name in names}
    tensors["model.diffusion_model.input_blocks.0.0.weight"] = torch.zeros(1, 4, 1, 1)
    save_tensors(stranger, tensors | {"cond_stage_model.transformer.x": torch.zeros(1)})
    (tmp_path / "empty").mkdir()
    for place in (pickle, lora, cut, stranger, tmp_path / "empty"):
        assert refused(tiny_sdxl, place) == "vae_damaged"
    config = json.loads((other_vae / "config.json").read_text())
    (other_vae / "config.json").write_text(json.dumps({**config, "scaling_factor": 0.18215}))
    assert refused(tiny_sdxl, other_vae) == "vae_damaged"
    (other_vae / "config.json").write_text(json.dumps(config))
    (other_vae / WEIGHTS).unlink()
    assert refused(tiny_sdxl, other_vae) == "vae_damaged"


def test_a_vae_that_does_not_fit_is_refused_when_it_is_loaded(
    tiny_sdxl: Path, other_vae: Path, tmp_path: Path
) -> None:
    tensors = load_tensors(other_vae / WEIGHTS)
    lacking, wide = tmp_path / "lacking.safetensors", tmp_path / "wide.safetensors"
    save_tensors(lacking, {name: it for name, it in tensors.items() if name != "quant_conv.weight"})
    name = "encoder.conv_in.bias"
    save_tensors(wide, tensors | {name: torch.cat([tensors[name]] * 2)})
    save_tensors(other_vae / WEIGHTS, tensors | {name: torch.cat([tensors[name]] * 2)}, format="pt")
    for place in (lacking, wide, other_vae):
        assert refused(tiny_sdxl, place, loading=True) == "vae_damaged"


def test_no_vae_is_required(tmp_path: Path) -> None:
    require_vae(make_config(tmp_path, vae=" "))
