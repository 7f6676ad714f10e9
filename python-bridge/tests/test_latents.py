"""Latents: drawn by what is in a picture, kept in memory and on disk, never stale."""

from __future__ import annotations

import os
import random
import shutil
from typing import TYPE_CHECKING, Any

import pytest
import torch
from latents_support import CPU, Counting, phases_of, pictures_of, prepare, same
from PIL import Image
from training_support import ListSink, make_config, save_picture

from lora_bridge.dataset import read_dataset
from lora_bridge.latents import prepare_latents
from lora_bridge.views import cached_views, centred_view, draw_view

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))


def test_kept_or_encoded_anew_the_latents_are_the_same(project: Path, tiny_sdxl: Path) -> None:
    first = Counting(tiny_sdxl)
    _, in_memory = prepare(project, first)
    _, anew = prepare(project, Counting(tiny_sdxl), cache_latents=False)
    _, written = prepare(project, Counting(tiny_sdxl), cache_latents_to_disk=True)
    _, other_run = prepare(project, Counting(tiny_sdxl), seed=12345)
    assert len(in_memory) == 4
    assert same(in_memory, anew)
    assert same(in_memory, written)
    assert same(in_memory, other_run)
    assert first.batches == [1, 1, 1, 1]
    assert in_memory[0].shape == (4, 16, 16)
    assert in_memory[0].dtype == torch.float32


def test_each_picture_is_drawn_by_itself(project: Path, tiny_sdxl: Path) -> None:
    """Two pictures alike have one latent wherever they lie; all other views have noise of their own."""
    pictures = pictures_of(project)
    shutil.copy(pictures[0], pictures[3])
    base = Counting(tiny_sdxl)
    _, latents = prepare(project, base, flip_aug=True)
    assert torch.equal(latents[0], latents[6])
    assert [base.seeds.index(seed) for seed in base.seeds] == [0, 1, 2, 3, 4, 5, 0, 1]


def test_batches_give_what_single_pictures_give(project: Path, tiny_sdxl: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    save_picture(folder / "1b.png", (96, 160))
    save_picture(folder / "1c.png", (96, 160), hue=99)
    _, single = prepare(project, Counting(tiny_sdxl))
    base = Counting(tiny_sdxl)
    sink = ListSink()
    _, batched = prepare(project, base, sink, vae_batch_size=3)
    # Four of one size, two of another: what is left over is encoded at the end.
    assert sorted(base.batches) == [1, 2, 3]
    assert phases_of(sink)[-1] == ("caching_latents", 6, 6)
    for one, other in zip(single, batched, strict=True):
        torch.testing.assert_close(one, other)


def test_what_is_on_disk_needs_no_vae(project: Path, tiny_sdxl: Path) -> None:
    options: dict[str, Any] = {"cache_latents_to_disk": True, "flip_aug": True}
    first, second = Counting(tiny_sdxl), Counting(tiny_sdxl)
    sink = ListSink()
    _, written = prepare(project, first, **options)
    _, read = prepare(project, second, sink, **options)
    assert len(written) == 8
    assert same(written, read)
    assert (first.loaded, second.loaded) == (1, 0)
    assert phases_of(sink) == [
        ("loading_model", 0, 3),
        *(("caching_latents", done, 8) for done in range(9)),
    ]


def test_without_the_disk_nothing_is_written(project: Path, tiny_sdxl: Path, tmp_path: Path) -> None:
    prepare(project, Counting(tiny_sdxl))
    assert not (tmp_path / "data").exists()


def test_an_edited_picture_is_encoded_anew(project: Path, tiny_sdxl: Path) -> None:
    _, before = prepare(project, Counting(tiny_sdxl), cache_latents_to_disk=True)
    picture = pictures_of(project)[1]
    stat = picture.stat()
    content = Image.open(picture).convert("RGB")
    content.putpixel((5, 5), (255, 0, 255))
    content.save(picture)
    os.utime(picture, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    base = Counting(tiny_sdxl)
    _, after = prepare(project, base, cache_latents_to_disk=True)
    assert base.batches == [1]
    assert [torch.equal(one, other) for one, other in zip(before, after, strict=True)] == [
        True, False, True, True,
    ]  # fmt: skip
    _, fresh = prepare(project, Counting(tiny_sdxl))
    assert same(after, fresh)


@pytest.mark.parametrize(
    "change",
    [
        {"max_resolution": "64,64"},
        {"resize_interpolation": "nearest", "max_resolution": "96,96"},
        {"alpha_mask": True},
    ],
    ids=["resolution", "filter", "alpha mask"],
)
def test_another_way_to_show_a_picture_is_encoded_anew(
    project: Path, tiny_sdxl: Path, change: dict[str, Any]
) -> None:
    base = {name: change[name] for name in ("max_resolution",) if "resize_interpolation" in change}
    prepare(project, Counting(tiny_sdxl), cache_latents_to_disk=True, **base)
    counting = Counting(tiny_sdxl)
    _, latents = prepare(project, counting, cache_latents_to_disk=True, **change)
    assert len(counting.batches) == 4
    _, fresh = prepare(project, Counting(tiny_sdxl), **change)
    assert same(latents, fresh)


def test_another_vae_is_encoded_anew(project: Path, tiny_sdxl: Path, tmp_path: Path) -> None:
    model = tmp_path / "model"
    shutil.copytree(tiny_sdxl, model)
    prepare(project, Counting(model), cache_latents_to_disk=True)
    untouched = Counting(model)
    prepare(project, untouched, cache_latents_to_disk=True)
    assert untouched.loaded == 0
    weights = model / "vae" / "diffusion_pytorch_model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-2] ^= 1
    weights.write_bytes(content)
    changed = Counting(model)
    _, latents = prepare(project, changed, cache_latents_to_disk=True)
    assert changed.loaded == 1
    assert same(latents, prepare(project, Counting(model))[1])


def test_masks_are_kept_with_the_latents(project: Path, tiny_sdxl: Path) -> None:
    picture = pictures_of(project)[2]
    content = Image.open(picture).convert("RGBA")
    content.putalpha(Image.linear_gradient("L").resize(content.size))
    content.save(picture)
    masks: list[torch.Tensor | None] = []
    for _ in range(2):
        config = make_config(project, cache_latents_to_disk=True, alpha_mask=True, masked_loss=True)
        dataset = read_dataset(config)
        store = prepare_latents(Counting(tiny_sdxl), config, dataset, CPU, ListSink())
        found = [store.get(sample, centred_view(sample)).mask for sample in dataset.samples]
        assert [mask is None for mask in found] == [True, True, False, True]
        masks.append(found[2])
    assert masks[0] is not None
    assert masks[1] is not None
    assert masks[0].shape == (1, 16, 16)
    assert torch.equal(masks[0], masks[1])
    assert float(masks[0].min()) < 0.1
    assert float(masks[0].max()) > 0.9


def test_an_edited_mask_is_read_anew(project: Path, tiny_sdxl: Path) -> None:
    folder = project / "masks"
    folder.mkdir()
    options: dict[str, Any] = {
        "cache_latents_to_disk": True,
        "masked_loss": True,
        "conditioning_data_dir": str(folder),
    }
    means: list[float] = []
    for shade in (255, 0):
        for picture in pictures_of(project):
            Image.new("L", (128, 128), shade).save(folder / picture.name)
        config = make_config(project, **options)
        dataset = read_dataset(config)
        store = prepare_latents(Counting(tiny_sdxl), config, dataset, CPU, ListSink())
        mask = store.get(dataset.samples[0], centred_view(dataset.samples[0])).mask
        assert mask is not None
        means.append(float(mask.mean()))
    assert means == [1.0, 0.0]


def test_only_what_is_shown_anew_keeps_the_vae(project: Path, tiny_sdxl: Path) -> None:
    save_picture(project / "img" / "2_ohwx person" / "wide.png", (300, 130))
    base = Counting(tiny_sdxl)
    config = make_config(project, random_crop=True)
    dataset = read_dataset(config)
    store = prepare_latents(base, config, dataset, CPU, ListSink())
    assert base.batches == [1, 1, 1, 1]
    wide = dataset.samples[-1]
    assert cached_views(wide) == ()
    views = [draw_view(wide, random.Random(seed)) for seed in (1, 2)]
    assert views[0] != views[1]
    first, second, again = (store.get(wide, view).latent for view in (*views, views[0]))
    assert not torch.equal(first, second)
    assert torch.equal(first, again)
    assert len(base.batches) == 7


def test_validation_pictures_are_kept_as_they_are(project: Path, tiny_sdxl: Path) -> None:
    base = Counting(tiny_sdxl)
    config = make_config(project, color_aug=True, validation_split=0.5)
    dataset = read_dataset(config)
    assert len(dataset.validation) == 2
    store = prepare_latents(base, config, dataset, CPU, ListSink())
    assert base.batches == [1, 1]
    for sample in dataset.validation * 2:
        store.get(sample, centred_view(sample))
    assert base.batches == [1, 1]
