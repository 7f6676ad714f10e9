"""Kohya's latents beside the pictures: used when they are what the VAE would give, else refused."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from training_support import ListSink, make_config, save_picture, warnings_of

from lora_bridge.dataset import read_dataset
from lora_bridge.latents import prepare_latents
from lora_bridge.model import open_base_model
from lora_bridge.protocol_types import LogEvent, WarningEvent
from lora_bridge.render import render
from lora_bridge.vae import Vae
from lora_bridge.views import cached_views, centred_view

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lora_bridge.dataset import Sample
    from lora_bridge.model import BaseModel

CPU = torch.device("cpu")
SCALE = 0.13025


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))


@pytest.fixture
def base(tiny_sdxl: Path) -> BaseModel:
    return open_base_model(str(tiny_sdxl))


@pytest.fixture
def photo(project: Path) -> Path:
    """The only picture, wider than its bucket of 128x64."""
    for picture in (project / "img" / "2_ohwx person").iterdir():
        picture.unlink()
    file = project / "img" / "2_ohwx person" / "photo.png"
    save_picture(file, (330, 180))
    return file


def samples_of(project: Path, **changes: Any) -> tuple[Sample, ...]:
    return read_dataset(make_config(project, cache_latents_to_disk=True, **changes)).samples


def kohyas(sample: Sample, base: BaseModel, **changes: Any) -> dict[str, Any]:
    """What Kohya would write: the crop is its letter box, the latents are not scaled."""
    views = (centred_view(sample), centred_view(sample)._replace(flipped=True))
    vae = base.vae()
    means = [vae.mean(render(sample, view).pixels[None])[0] / SCALE for view in views]
    noise = torch.randn(means[0].shape, generator=torch.Generator().manual_seed(1))
    width, height = sample.fit.bucket
    shown_height = width * sample.picture.size.height / sample.picture.size.width
    if shown_height <= height:
        top = (height - shown_height) // 2
        crop = [0.0, top, float(width), top + shown_height]
    else:
        shown_width = height * sample.picture.size.width / sample.picture.size.height
        left = (width - shown_width) // 2
        crop = [left, 0.0, left + shown_width, float(height)]
    arrays = {
        "latents": (means[0] + 0.01 * means[0].std() * noise).numpy(),
        "latents_flipped": means[1].numpy(),
        "original_size": np.array(sample.picture.size),
        "crop_ltrb": np.array(crop),
    }
    return {name: array for name, array in (arrays | changes).items() if array is not None}


def write(sample: Sample, arrays: dict[str, Any], suffix: str = "", legacy: bool = False) -> Path:
    picture = sample.picture
    name = f"{picture.path.stem}_{picture.size.width:04d}x{picture.size.height:04d}_sdxl.npz"
    file = picture.path.with_suffix(".npz") if legacy else picture.path.with_name(name)
    np.savez(file, **{name + suffix: array for name, array in arrays.items()})
    return file


def prepared(project: Path, base: BaseModel, **changes: Any) -> tuple[list[torch.Tensor], ListSink]:
    config = make_config(project, **{"cache_latents_to_disk": True, **changes})
    dataset = read_dataset(config)
    sink = ListSink()
    store = prepare_latents(base, config, dataset, CPU, sink)
    latents = [store.get(sample, view).latent for sample in dataset.samples for view in cached_views(sample)]
    return latents, sink


def scaled(array: Any) -> torch.Tensor:
    return torch.as_tensor(array) * SCALE


@pytest.mark.parametrize(("suffix", "legacy"), [("", False), ("", True), ("_8x16", False)])
def test_a_file_that_fits_is_used(
    project: Path, photo: Path, base: BaseModel, suffix: str, legacy: bool
) -> None:
    (sample,) = samples_of(project)
    assert sample.fit.bucket == (128, 64)
    assert sample.fit.resized != sample.fit.bucket
    arrays = kohyas(sample, base)
    file = write(sample, arrays, suffix, legacy)
    before = file.read_bytes()
    latents, sink = prepared(project, base, flip_aug=True)
    torch.testing.assert_close(latents[0], scaled(arrays["latents"]), rtol=0, atol=0)
    torch.testing.assert_close(latents[1], scaled(arrays["latents_flipped"]), rtol=0, atol=0)
    assert warnings_of(sink) == []
    assert any("2 of Kohya's latents" in event.text for event in sink.of(LogEvent))
    assert file.read_bytes() == before
    assert sorted(photo.parent.iterdir()) == sorted([photo, file])


def test_without_latents_on_disk_none_is_looked_for(project: Path, photo: Path, base: BaseModel) -> None:
    (sample,) = samples_of(project)
    arrays = kohyas(sample, base)
    write(sample, arrays)
    latents, sink = prepared(project, base, cache_latents_to_disk=False)
    assert not torch.equal(latents[0], scaled(arrays["latents"]))
    assert photo.exists()
    assert sink.of(LogEvent) == []


def with_nan(latents: Any) -> Any:
    latents[0, 0, 0] = np.nan
    return latents


MISFITS: list[tuple[str, Callable[[Any], Any] | None, str]] = [
    ("original_size", lambda it: it + 1, "had another size"),
    ("original_size", None, "had another size"),
    ("latents", lambda it: it[:, :, :-4], "of another size"),
    ("latents", lambda it: it.astype(np.int64), "of another size"),
    ("latents", None, "of another size"),
    ("crop_ltrb", lambda it: it + 4, "cut in another way"),
    ("crop_ltrb", lambda it: it.astype(str), "cut in another way"),
    ("crop_ltrb", None, "cut in another way"),
    ("latents", with_nan, "finite"),
    ("latents", lambda it: it * SCALE, "another VAE"),
    ("latents", lambda it: it[:, ::-1].copy(), "another VAE"),
    ("latents", np.zeros_like, "another VAE"),
    ("latents", lambda it: it.astype(object), "damaged"),
]


@pytest.mark.parametrize(("array", "change", "reason"), MISFITS)
@pytest.mark.usefixtures("photo")
def test_a_file_that_does_not_fit_is_refused_with_the_reason(
    project: Path, base: BaseModel, array: str, change: Callable[[Any], Any] | None, reason: str
) -> None:
    (sample,) = samples_of(project)
    expected, _ = prepared(project, base, cache_latents_to_disk=False)
    arrays = kohyas(sample, base)
    changed = None if change is None else change(arrays[array])
    file = write(sample, kohyas(sample, base, **{array: changed}))
    latents, sink = prepared(project, base)
    assert torch.equal(latents[0], expected[0])
    (warning,) = sink.of(WarningEvent)
    assert warning.problem.code == "kohya_latents_refused"
    assert reason in warning.problem.message
    assert file.name in warning.problem.message
    assert str(file.parent) in warning.problem.message


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x93NUMPY\x01\x00"])
def test_a_damaged_file_is_refused(project: Path, photo: Path, base: BaseModel, content: bytes) -> None:
    photo.with_suffix(".npz").write_bytes(content)
    _, sink = prepared(project, base)
    assert "damaged" in sink.of(WarningEvent)[0].problem.message


def test_an_archive_that_is_cut_within_is_refused(project: Path, photo: Path, base: BaseModel) -> None:
    (sample,) = samples_of(project)
    file = write(sample, kohyas(sample, base))
    content = bytearray(file.read_bytes())
    content[400:420] = bytes(20)
    file.write_bytes(content)
    _, sink = prepared(project, base)
    assert photo.exists()
    assert "damaged" in sink.of(WarningEvent)[0].problem.message


def test_a_picture_that_is_newer_is_encoded(project: Path, photo: Path, base: BaseModel) -> None:
    (sample,) = samples_of(project)
    file = write(sample, kohyas(sample, base))
    time = photo.stat().st_mtime_ns
    os.utime(file, ns=(time - 1, time - 1))
    _, sink = prepared(project, base)
    assert "newer" in sink.of(WarningEvent)[0].problem.message


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"resize_interpolation": "lanczos"}, "Resize interpolation"),
        ({"alpha_mask": True}, "masks"),
        ({"flip_aug": True}, "mirrored"),
    ],
)
def test_pictures_that_are_shown_in_another_way_are_encoded(
    project: Path, photo: Path, base: BaseModel, changes: dict[str, Any], reason: str
) -> None:
    (sample,) = samples_of(project)
    write(sample, kohyas(sample, base, latents_flipped=None))
    _, sink = prepared(project, base, **changes)
    assert photo.exists()
    assert reason in sink.of(WarningEvent)[0].problem.message


@pytest.mark.parametrize("kind", ["transparent", "turned"])
def test_pictures_that_kohya_reads_otherwise_are_encoded(
    project: Path, photo: Path, base: BaseModel, kind: str
) -> None:
    content = Image.open(photo).convert("RGB")
    if kind == "transparent":
        content.putalpha(128)
        content.save(photo)
    else:
        exif = Image.Exif()
        exif[0x0112] = 3
        content.save(photo, exif=exif)
    (sample,) = samples_of(project)
    write(sample, kohyas(sample, base))
    _, sink = prepared(project, base)
    assert "transparency" in sink.of(WarningEvent)[0].problem.message


def test_pictures_that_share_a_name_are_encoded(project: Path, photo: Path, base: BaseModel) -> None:
    save_picture(photo.with_suffix(".webp"), (330, 180), hue=90)
    write(samples_of(project)[0], kohyas(samples_of(project)[0], base))
    _, sink = prepared(project, base)
    assert "share their name" in sink.of(WarningEvent)[0].problem.message


def test_one_comparison_stands_for_its_folder(
    project: Path, photo: Path, base: BaseModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(3):
        save_picture(photo.with_name(f"more{number}.png"), (330, 180), hue=30 * number)
    other = project / "img" / "1_other"
    for number in range(2):
        save_picture(other / f"{number}.png", (128, 128), hue=70 + number)
    for sample in samples_of(project):
        strange = sample.picture.path.parent == other
        arrays = kohyas(sample, base)
        write(sample, arrays | {"latents": arrays["latents"][::-1].copy()} if strange else arrays)
    compared: list[int] = []
    mean: Any = Vae.mean

    def counted(self: Any, pixels: torch.Tensor) -> torch.Tensor:
        compared.append(len(pixels))
        return mean(self, pixels)

    monkeypatch.setattr(Vae, "mean", counted)
    _, sink = prepared(project, base)
    assert compared == [1, 1]
    assert [event.text for event in sink.of(LogEvent)] == [f"4 of Kohya's latents used in {photo.parent}."]
    (warning,) = sink.of(WarningEvent)
    assert str(other) in warning.problem.message
    assert "0_0128x0128_sdxl.npz" in warning.problem.message
