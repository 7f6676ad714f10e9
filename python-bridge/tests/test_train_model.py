"""Base models: told apart without loading, loaded from a folder or a single file."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING, Any, cast

import pytest
import torch
from diffusers.loaders import single_file_utils as untyped_conversion
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from ldm_checkpoint import convert_folder, sdxl_layout
from tensor_files import load_tensors, save_tensors

from lora_bridge.identify import identify
from lora_bridge.model import SDXL_CONFIGS, DiffusersModel, SingleFileModel, open_base_model
from lora_bridge.problems import ProblemError
from lora_bridge.text import join_encoders
from lora_bridge.text_encoder import Reading

conversion: Any = untyped_conversion

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from lora_bridge.model import BaseModel
    from lora_bridge.text_encoder import EncodedText, TextEncoder
    from lora_bridge.unet import Unet
    from lora_bridge.vae import Vae


@pytest.fixture(scope="module")
def single_file(tiny_sdxl: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("single") / "tiny.safetensors"
    convert_folder(tiny_sdxl, file)
    return file


def state(part: Vae | TextEncoder | Unet) -> dict[str, torch.Tensor]:
    model: Any = part._model  # pyright: ignore[reportPrivateUsage]
    assert not any(parameter.requires_grad for parameter in model.parameters())
    return model.state_dict()


def test_a_single_file_is_the_same_model_as_its_folder(tiny_sdxl: Path, single_file: Path) -> None:
    folder = DiffusersModel(str(tiny_sdxl), local=True)
    single = SingleFileModel(single_file, configs=tiny_sdxl)
    pairs: list[tuple[Vae | TextEncoder | Unet, Vae | TextEncoder | Unet]] = [
        (folder.vae(), single.vae()),
        (folder.unet(torch.bfloat16), single.unet(torch.bfloat16)),
        *((folder.text_encoder(n, torch.float32), single.text_encoder(n, torch.float32)) for n in (0, 1)),
    ]
    for ours, theirs in pairs:
        torch.testing.assert_close(state(ours), state(theirs), rtol=0, atol=0)


def test_both_ways_encode_a_caption_alike(tiny_sdxl: Path, single_file: Path) -> None:
    folder = DiffusersModel(str(tiny_sdxl), local=True)
    single = SingleFileModel(single_file, configs=tiny_sdxl)
    for number in (0, 1):
        one, two = (encoded(model, number, "a photo of ohwx person") for model in (folder, single))
        assert one.hidden.shape == (1, 77, (32, 40)[number])
        torch.testing.assert_close(one, two)
        assert (one.pooled is None) == (number == 0)


def encoded(model: BaseModel, number: int, caption: str) -> EncodedText:
    encoder = model.text_encoder(number, torch.float32)
    return encoder.encode(encoder.tokens([caption], Reading(chunks=1, weighted=False)))


def test_embeddings_are_those_of_diffusers_pipeline(tiny_sdxl: Path) -> None:
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(tiny_sdxl, dtype=torch.float32)
    caption = "a photo of ohwx person"
    with torch.no_grad():
        hidden, _, pooled, _ = pipeline.encode_prompt(caption, do_classifier_free_guidance=False)
    base = DiffusersModel(str(tiny_sdxl), local=True)
    ours = join_encoders(encoded(base, 0, caption), encoded(base, 1, caption))
    torch.testing.assert_close(ours, (hidden, pooled))


def test_latents_are_drawn_and_scaled(tiny_sdxl: Path) -> None:
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(tiny_sdxl, dtype=torch.float32)
    pixels = torch.linspace(-1, 1, 2 * 3 * 64 * 64).view(2, 3, 64, 64)
    with torch.no_grad():
        distribution = pipeline.vae.encode(pixels).latent_dist
    seeds = (5, 6)
    noise = [
        torch.randn(distribution.mean[:1].shape, generator=torch.Generator().manual_seed(seed))
        for seed in seeds
    ]
    expected = (distribution.mean + distribution.std * torch.cat(noise)) * 0.13025
    vae = DiffusersModel(str(tiny_sdxl), local=True).vae()
    drawn = vae.encode(pixels, [torch.Generator().manual_seed(seed) for seed in seeds])
    torch.testing.assert_close(drawn, expected)
    torch.testing.assert_close(vae.mean(pixels), distribution.mean * 0.13025)
    for alone, together, seed in zip(pixels, drawn, seeds, strict=True):
        generator = torch.Generator().manual_seed(seed)
        torch.testing.assert_close(vae.encode(alone[None], [generator])[0], together)


def test_names_are_those_that_diffusers_reads(single_file: Path, tiny_sdxl: Path) -> None:
    """Our table of names against diffusers' own conversion, on the tiny model and on real SDXL."""
    checkpoint = load_tensors(single_file)
    full = {tensor.name: torch.empty(tensor.shape, device="meta") for tensor in sdxl_layout(SDXL_CONFIGS)}
    assert len(full) == 2513
    for tensors, configs in ((checkpoint, tiny_sdxl), (full, SDXL_CONFIGS)):
        layout = sdxl_layout(configs)
        for part, convert in (
            ("unet", conversion.convert_ldm_unet_checkpoint),
            ("vae", conversion.convert_ldm_vae_checkpoint),
        ):
            config = json.loads((configs / part / "config.json").read_text(encoding="utf-8"))
            converted: Any = convert(tensors, config)
            assert converted.keys() == {tensor.sources[0] for tensor in layout if tensor.part == part}
    converted_unet: Any = conversion.convert_ldm_unet_checkpoint(
        checkpoint, json.loads((tiny_sdxl / "unet" / "config.json").read_text(encoding="utf-8"))
    )
    expected = load_tensors(tiny_sdxl / "unet" / "diffusion_pytorch_model.safetensors")
    torch.testing.assert_close(converted_unet, expected, rtol=0, atol=0)


def test_open_clip_is_read_as_diffusers_reads_it(single_file: Path, tiny_sdxl: Path) -> None:
    model = DiffusersModel(str(tiny_sdxl), local=True).text_encoder(1, torch.float16)
    inner: Any = model._model  # pyright: ignore[reportPrivateUsage]
    converted: Any = conversion.convert_open_clip_checkpoint(
        inner, load_tensors(single_file), prefix="conditioner.embedders.1.model."
    )
    torch.testing.assert_close(converted, dict(inner.state_dict()), rtol=0, atol=0)


def write_tensors(file: Path, names: Iterable[str], shape: tuple[int, ...] = (1, 4, 1, 1)) -> None:
    save_tensors(file, {name: torch.zeros(shape) for name in names})


UNET_IN = "model.diffusion_model.input_blocks.0.0.weight"
SDXL_NAMES = [
    UNET_IN,
    "first_stage_model.x",
    "conditioner.embedders.0.transformer.x",
    "conditioner.embedders.1.model.x",
]


@pytest.mark.parametrize(
    ("names", "kind", "code"),
    [
        (SDXL_NAMES, "sdxl", None),
        ([*SDXL_NAMES, "v_pred", "ztsnr"], "sdxl", None),
        (SDXL_NAMES[:-1], "sdxl", "model_incomplete"),
        ([UNET_IN, "conditioner.embedders.0.model.x"], "sdxl_refiner", "not_sdxl"),
        ([UNET_IN, "cond_stage_model.transformer.x"], "sd1", "not_sdxl"),
        ([UNET_IN, "cond_stage_model.model.x"], "sd2", "not_sdxl"),
        (["model.diffusion_model.x_embedder.proj.weight"], "sd3", "not_sdxl"),
        (["double_blocks.0.img_attn.norm.key_norm.scale"], "flux", "not_sdxl"),
        (["lora_unet_x.lora_down.weight"], "lora", "not_sdxl"),
        (["something.else"], "unknown", "not_sdxl"),
    ],
)
def test_single_files_are_told_apart(tmp_path: Path, names: list[str], kind: str, code: str | None) -> None:
    file = tmp_path / "model.safetensors"
    write_tensors(file, names)
    identity = identify(str(file))
    assert (identity.kind, identity.format) == (kind, "single_file")
    assert (identity.problem.code if identity.problem else None) == code
    assert identity.problem is None or str(file) in identity.problem.message


def test_an_inpainting_model_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "model.safetensors"
    write_tensors(file, SDXL_NAMES, (1, 9, 1, 1))
    problem = identify(str(file)).problem
    assert problem is not None
    assert "inpainting" in problem.message


@pytest.mark.parametrize("length", [0, 5, 500, -10])
def test_a_file_that_is_cut_short_is_refused(single_file: Path, tmp_path: Path, length: int) -> None:
    file = tmp_path / "cut.safetensors"
    file.write_bytes(single_file.read_bytes()[:length])
    identity = identify(str(file))
    assert identity.problem is not None
    assert identity.problem.code == "model_damaged"
    with pytest.raises(ProblemError, match=r"cut\.safetensors"):
        open_base_model(str(file))


def test_other_places(tiny_sdxl: Path, tmp_path: Path) -> None:
    assert identify(str(tiny_sdxl)).problem is None
    assert identify(str(tiny_sdxl)).format == "diffusers"
    assert identify("stabilityai/stable-diffusion-xl-base-1.0").kind == "hub"
    for nowhere in (str(tmp_path / "no"), "./models/x", "x.safetensors", "~/no/such", "models/x.safetensors"):
        assert identify(nowhere).kind == "missing"
    assert identify(str(tmp_path)).problem is not None
    pickle = tmp_path / "model.ckpt"
    pickle.write_bytes(b"x")
    problem = identify(str(pickle)).problem
    assert problem is not None
    assert problem.code == "not_safetensors"


def test_folders_are_told_apart(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    shutil.rmtree(folder / "vae")
    problem = identify(str(folder)).problem
    assert problem is not None
    assert problem.code == "model_incomplete"
    assert "vae" in problem.message
    (folder / "model_index.json").write_text('{"_class_name": "StableDiffusionPipeline"}', encoding="utf-8")
    assert identify(str(folder)).kind == "sd1"


def test_a_damaged_part_of_a_folder_is_named(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    weights = folder / "unet" / "diffusion_pytorch_model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-100])
    with pytest.raises(ProblemError, match="unet") as caught:
        open_base_model(str(folder)).unet(torch.float32)
    assert caught.value.problem.code == "model_damaged"


def test_a_folder_without_vocabulary_is_refused(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    (folder / "tokenizer_2" / "vocab.json").unlink()
    with pytest.raises(ProblemError, match="tokenizer_2"):
        open_base_model(str(folder)).text_encoder(1, torch.float32)


def with_few_words(model: Path, to: Path) -> Path:
    """A copy that knows no merges: 512 single bytes and the two marks."""
    shutil.copytree(model, to)
    for suffix in ("", "_2"):
        tokenizer, encoder = to / f"tokenizer{suffix}", to / f"text_encoder{suffix}"
        known: dict[str, int] = json.loads((tokenizer / "vocab.json").read_text(encoding="utf-8"))
        words = [*sorted(known, key=known.__getitem__)[:512], "<|startoftext|>", "<|endoftext|>"]
        (tokenizer / "vocab.json").write_text(json.dumps({word: n for n, word in enumerate(words)}))
        (tokenizer / "merges.txt").write_text("#version: 0.2\n")
        config = json.loads((encoder / "config.json").read_text(encoding="utf-8"))
        (encoder / "config.json").write_text(json.dumps({**config, "vocab_size": len(words)}))
        weights = load_tensors(encoder / "model.safetensors")
        name = next(name for name in weights if name.endswith("token_embedding.weight"))
        weights[name] = weights[name][: len(words)].clone()
        save_tensors(encoder / "model.safetensors", weights, format="pt")
    return to


def test_a_model_may_know_fewer_words_than_clip(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = with_few_words(tiny_sdxl, tmp_path / "model")
    base = open_base_model(str(folder))
    for number in (0, 1):
        assert encoded(base, number, "ohwx").hidden.shape[1] == 77
    single_file = tmp_path / "few.safetensors"
    convert_folder(folder, single_file)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProblemError, match="vocabulary"):
        SingleFileModel(single_file, folder, tmp_path / "empty").text_encoder(0, torch.float32)
    single = SingleFileModel(single_file, folder, folder / "tokenizer")
    torch.testing.assert_close(encoded(single, 0, "ohwx").hidden, encoded(base, 0, "ohwx").hidden)


def test_a_tokenizer_with_fewer_words_than_its_encoder_is_refused(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = with_few_words(tiny_sdxl, tmp_path / "model")
    shutil.rmtree(folder / "text_encoder")
    shutil.copytree(tiny_sdxl / "text_encoder", folder / "text_encoder")
    with pytest.raises(ProblemError, match="words") as caught:
        open_base_model(str(folder)).text_encoder(0, torch.float32)
    assert caught.value.problem.code == "model_damaged"
    assert "tokenizer of" in caught.value.problem.message


def test_half_precision_files_alone_will_do(tiny_sdxl: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    shutil.copytree(tiny_sdxl, folder)
    for file in folder.rglob("*.safetensors"):
        file.rename(file.with_name(file.name.replace(".safetensors", ".fp16.safetensors")))
    base = open_base_model(str(folder))
    base.vae()
    base.unet(torch.float32)
    base.text_encoder(1, torch.float32)


def test_a_hub_that_cannot_be_reached_is_said_so() -> None:
    with pytest.raises(ProblemError) as caught:
        open_base_model("nobody/no-such-model").vae()
    assert caught.value.problem.code == "hub_unreachable"
    assert "nobody/no-such-model" in caught.value.problem.message


def test_a_missing_tokenizer_is_said_so(single_file: Path, tiny_sdxl: Path, tmp_path: Path) -> None:
    base = SingleFileModel(single_file, configs=tiny_sdxl, tokenizer=tmp_path)
    with pytest.raises(ProblemError) as caught:
        base.text_encoder(0, torch.float32)
    assert caught.value.problem.code == "tokenizer_missing"
