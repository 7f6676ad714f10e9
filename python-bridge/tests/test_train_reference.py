"""One step of a training against the same step made of diffusers' own parts, and what the draws are like."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import pytest
import torch
from diffusers.image_processor import VaeImageProcessor
from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel
from diffusers.pipelines.stable_diffusion_xl.pipeline_stable_diffusion_xl import StableDiffusionXLPipeline
from diffusers.schedulers.scheduling_ddpm import DDPMScheduler
from lora_support import plain_lora
from PIL import Image, ImageOps
from training_support import losses_of, make_config, run_training

from lora_bridge.dataset import epoch_batches, read_dataset
from lora_bridge.model import DiffusersModel
from lora_bridge.unet import Unet

if TYPE_CHECKING:
    from pathlib import Path

    from torch import Tensor

CAPTIONS = {"lying.jpg": "ohwx person with green hair", "upright.png": "a hat on a red background"}
TIMESTEPS = torch.tensor([100, 700])


def known_noise(size: tuple[int, ...], **_options: Any) -> Tensor:
    """Noise that is not the same for any two samples."""
    return torch.sin(torch.arange(math.prod(size), dtype=torch.float32)).view(*size) * 1.5


def known_timesteps(*_arguments: Any, **_options: Any) -> Tensor:
    return TIMESTEPS


class Step(NamedTuple):
    """What the UNet was shown in the first step, or should have been."""

    noisy: Tensor
    timesteps: Tensor
    hidden: Tensor
    pooled: Tensor
    time_ids: Tensor
    loss: float


def corner(size: tuple[int, int], blue: int) -> Image.Image:
    """A picture that differs from all its reflections and whose channels differ."""
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    return Image.merge("RGB", (across, down, Image.new("L", size, blue)))


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two pictures, 150 wide and 200 high to the eye, of which one lies on its side in the file."""
    project = tmp_path_factory.mktemp("reference")
    folder = project / "img" / "1_ohwx person"
    folder.mkdir(parents=True)
    exif = Image.Exif()
    exif[0x0112] = 6
    corner((200, 150), 200).save(folder / "lying.jpg", exif=exif, quality=95)
    corner((150, 200), 40).save(folder / "upright.png")
    for name, caption in CAPTIONS.items():
        (folder / name).with_suffix(".txt").write_text(caption, encoding="utf-8")
    return project


@pytest.fixture(scope="module")
def shown(pictures: Path, tiny_sdxl: Path) -> Step:
    """What the training shows the UNet, and the loss that it reports."""
    calls: list[tuple[Tensor, Tensor, dict[str, Any]]] = []
    kind: Any = UNet2DConditionModel
    forward = kind.forward

    def recorded(unet: Any, noisy: Tensor, timesteps: Tensor, hidden: Tensor, **options: Any) -> Any:
        calls.append((noisy, timesteps, {"hidden": hidden, **options["added_cond_kwargs"]}))
        return forward(unet, noisy, timesteps, hidden, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch, "randn", known_noise)
        patch.setattr(torch, "randint", known_timesteps)
        patch.setattr(kind, "forward", recorded)
        _, sink = run_training(pictures, tiny_sdxl, max_train_steps=1, resize_interpolation="lanczos")
    ((noisy, timesteps, told),) = calls
    (loss,) = losses_of(sink)
    return Step(noisy, timesteps, told["hidden"], told["text_embeds"], told["time_ids"], loss)


@pytest.fixture(scope="module")
def expected(pictures: Path, tiny_sdxl: Path) -> Step:
    """The same from diffusers' and Pillow's own functions."""
    pipeline = cast("Any", StableDiffusionXLPipeline).from_pretrained(tiny_sdxl, dtype=torch.float32)
    scheduler: Any = cast("Any", DDPMScheduler).from_config(pipeline.scheduler.config)
    config = make_config(pictures)
    (batch,) = epoch_batches(read_dataset(config), config.seed, 1)
    names = [sample.picture.path.name for sample in batch]
    assert sorted(names) == sorted(CAPTIONS)
    with torch.no_grad():
        latents = torch.cat(
            [latent_of(pipeline, pictures / "img" / "1_ohwx person" / name) for name in names]
        )
        hidden, _, pooled, _ = pipeline.encode_prompt(
            [CAPTIONS[name] for name in names], do_classifier_free_guidance=False
        )
        noise = known_noise(latents.shape)
        noisy = scheduler.add_noise(latents, noise, TIMESTEPS)
        # The bucket that Kohya's rules give is 64 wide and 128 high; 96 x 128 is cut to it in the middle.
        time_ids = torch.tensor([[200.0, 150, 0, 16, 128, 64]] * 2)
        conditions = {"text_embeds": pooled, "time_ids": time_ids}
        predicted = pipeline.unet(noisy, TIMESTEPS, hidden, added_cond_kwargs=conditions).sample
    loss = torch.nn.functional.mse_loss(predicted, noise).item()
    return Step(noisy, TIMESTEPS, hidden, pooled, time_ids, loss)


def latent_of(pipeline: Any, file: Path) -> Tensor:
    upright = cast("Any", ImageOps).exif_transpose(Image.open(file)).convert("RGB")
    cut = upright.resize((96, 128), Image.Resampling.LANCZOS).crop((16, 0, 80, 128))
    pixels = cast("Any", VaeImageProcessor)().preprocess(cut)
    distribution = pipeline.vae.encode(pixels).latent_dist
    latent = distribution.mean + distribution.std * known_noise(distribution.mean.shape)
    return latent * 0.13025


def test_pictures_are_noised_as_diffusers_does(shown: Step, expected: Step) -> None:
    assert torch.equal(shown.timesteps, expected.timesteps)
    torch.testing.assert_close(shown.noisy, expected.noisy, rtol=1e-4, atol=1e-5)


def test_each_picture_has_its_own_caption(shown: Step, expected: Step) -> None:
    assert not torch.equal(expected.hidden[0], expected.hidden[1])
    torch.testing.assert_close(shown.hidden, expected.hidden)
    torch.testing.assert_close(shown.pooled, expected.pooled)


def test_sizes_and_crop_are_told(shown: Step, expected: Step) -> None:
    torch.testing.assert_close(shown.time_ids, expected.time_ids, rtol=0, atol=0)


def test_the_first_loss_is_that_of_the_base_model(shown: Step, expected: Step) -> None:
    assert shown.loss == pytest.approx(expected.loss, rel=1e-4)


class Draws(NamedTuple):
    timesteps: list[int]
    noisy: Tensor


def draws_of(project: Path, model: Path, patch: pytest.MonkeyPatch, seed: int = 7, steps: int = 2) -> Draws:
    """What a training with batches of 8 draws at random; its UNet does nothing, quickly."""
    timesteps: list[int] = []
    noisy: list[Tensor] = []

    def recorded(_unet: Unet, latents: Tensor, times: Tensor, *_conditions: Tensor) -> Tensor:
        timesteps.extend(int(time) for time in times)
        noisy.append(latents)
        return latents.clone().requires_grad_()

    patch.setattr(Unet, "predict", recorded)
    run_training(project, model, train_batch_size=8, max_train_steps=steps, max_resolution="64,64", seed=seed)
    return Draws(timesteps, torch.cat(noisy))


def test_every_timestep_is_as_likely_as_any_other(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = draws_of(project, tiny_sdxl, monkeypatch, steps=250).timesteps
    assert len(drawn) == 2000
    assert min(drawn) < 5
    assert max(drawn) > 994
    tenths = torch.bincount(torch.tensor(drawn) // 100, minlength=10)
    # Five standard deviations of a count of 2000 tries at 1 in 10.
    assert (tenths - 200).abs().max() <= 67


def test_the_seed_decides_noise_and_timesteps(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, again, other = (draws_of(project, tiny_sdxl, monkeypatch, seed) for seed in (7, 7, 8))
    assert one.timesteps == again.timesteps
    assert torch.equal(one.noisy, again.noisy)
    assert one.timesteps != other.timesteps
    assert len(set(one.timesteps)) > 8


def test_half_precision_gradients_are_those_of_fp32_in_every_layer(tiny_sdxl: Path) -> None:
    by_dtype: list[Tensor] = []
    generator = torch.Generator().manual_seed(4)
    noisy, hidden, pooled = (
        torch.randn(shape, generator=generator) for shape in ((2, 4, 8, 8), (2, 77, 72), (2, 40))
    )
    time_ids = torch.tensor([[64.0, 64, 0, 0, 64, 64]] * 2)
    pairs: list[tuple[str, Tensor, Tensor]] = []
    for dtype in (torch.float32, torch.bfloat16):
        unet = DiffusersModel(str(tiny_sdxl), local=True).unet(dtype)
        lora = plain_lora("unet", unet.module, 4, 2.0, torch.Generator().manual_seed(1))
        filler = torch.Generator().manual_seed(2)
        for pair in lora.pairs:
            pair.up.copy_(torch.randn(pair.up.shape, generator=filler) * 0.1)
        lora.flat.publish()
        predicted = unet.predict(noisy, TIMESTEPS, hidden.to(dtype), pooled.to(dtype), time_ids)
        torch.autograd.backward(predicted.float().square().mean())
        lora.flat.collect()
        by_dtype.append(lora.flat.gradients)
        pairs = [(pair.name, pair.down, pair.up) for pair in lora.pairs]
    exact, half = by_dtype
    for name, *matrices in pairs:
        for matrix in matrices:
            # A pair's matrices are views of the flat weights, to which the gradients are parallel.
            start = matrix.storage_offset()
            wanted, got = (gradients[start : start + matrix.numel()] for gradients in (exact, half))
            assert torch.cosine_similarity(wanted, got, dim=0) > 0.9, name
