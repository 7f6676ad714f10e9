"""Pictures as the VAE gets them, against pixels computed by hand."""

from __future__ import annotations

import colorsys
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from PIL import Image
from sample_support import make_sample

from lora_bridge.buckets import Size
from lora_bridge.colours import vary_colours
from lora_bridge.images import UNREADABLE
from lora_bridge.problems import ProblemError
from lora_bridge.render import render
from lora_bridge.resizing import resize
from lora_bridge.views import Colour, View, centred_view

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

    from lora_bridge.dataset import Sample

_CHOICES = ["auto", "lanczos", "area", "bicubic", "bilinear", "nearest", "box", "hamming"]


def _noise(width: int, height: int, channels: int = 3) -> NDArray[np.uint8]:
    return np.random.default_rng(width + height).integers(0, 256, (height, width, channels), dtype=np.uint8)


def _saved(folder: Path, pixels: NDArray[np.uint8], name: str = "a.png") -> Path:
    Image.fromarray(pixels).save(folder / name)
    return folder / name


def _sample_of(file: Path, **changes: Any) -> Sample:
    """Shown without resizing, as large as whole steps of 64 allow."""
    with Image.open(file) as image:
        return make_sample(image.size, file, bucket_no_upscale=True, **changes)


def _area_by_hand(pixels: NDArray[np.uint8], size: Size) -> NDArray[np.float64]:
    """The mean under each pixel, from an enlargement in which both grids fall on whole pixels."""
    height, width, channels = pixels.shape
    large = pixels.repeat(size.height, axis=0).repeat(size.width, axis=1).astype(np.float64)
    return large.reshape(size.height, height, size.width, width, channels).mean(axis=(1, 3))


@pytest.mark.parametrize("size", [Size(5, 4), Size(7, 9), Size(19, 11), Size(20, 6), Size(1, 1)])
def test_area_is_the_mean_of_what_a_pixel_covers(size: Size) -> None:
    pixels = _noise(20, 12)
    shrunk = np.asarray(resize(Image.fromarray(pixels), size, "area"), dtype=np.float64)
    assert np.abs(shrunk - _area_by_hand(pixels, size)).max() <= 0.5001
    # Pillow's box filter takes whole pixels only.
    boxed = np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.BOX), dtype=np.float64)
    whole = 20 % size.width == 0 and 12 % size.height == 0
    assert (np.abs(boxed - _area_by_hand(pixels, size)).max() < 2) == whole


@pytest.mark.parametrize(
    ("size", "same"),
    [(Size(20, 11), "area"), (Size(13, 9), "area"), (Size(21, 12), "lanczos"), (Size(30, 6), "lanczos")],
)
def test_auto_shrinks_by_area_and_enlarges_by_lanczos(size: Size, same: str) -> None:
    picture = Image.fromarray(_noise(20, 12))
    auto = resize(picture, size, "auto").tobytes()
    assert [choice for choice in ("area", "lanczos") if resize(picture, size, choice).tobytes() == auto] == [
        same
    ]


def test_each_filter_is_another_one() -> None:
    picture = Image.fromarray(_noise(40, 30))
    shrunk = {choice: resize(picture, Size(23, 17), choice) for choice in _CHOICES if choice != "auto"}
    assert len({each.tobytes() for each in shrunk.values()}) == len(shrunk)
    assert {each.size for each in shrunk.values()} == {(23, 17)}


@pytest.mark.parametrize("choice", _CHOICES)
def test_every_filter_renders_what_is_one_colour_as_that_colour(tmp_path: Path, choice: str) -> None:
    file = tmp_path / "a.png"
    Image.new("RGB", (150, 90), (255, 0, 51)).save(file)
    sample = make_sample(
        (150, 90), file, max_resolution="64", min_bucket_reso=64, resize_interpolation=choice
    )
    pixels = render(sample, centred_view(sample)).pixels
    assert pixels.shape == (3, sample.fit.bucket.height, sample.fit.bucket.width)
    assert pixels.dtype == torch.float32
    assert torch.allclose(pixels.amin((1, 2)), torch.tensor([1, -1, -0.6]))
    assert torch.allclose(pixels.amax((1, 2)), torch.tensor([1, -1, -0.6]))


def test_a_view_is_cut_from_the_picture_and_mirrored(tmp_path: Path) -> None:
    pixels = _noise(150, 90)
    sample = _sample_of(_saved(tmp_path, pixels))
    view = View(Size(150, 90), 17, 5, Size(128, 64), flipped=False, colour=None)
    shown = render(sample, view).pixels
    by_hand = pixels[5 : 5 + 64, 17 : 17 + 128] / 127.5 - 1
    assert np.allclose(shown.permute(1, 2, 0).numpy(), by_hand, atol=1e-6)
    mirrored = render(sample, view._replace(flipped=True)).pixels
    assert torch.equal(mirrored, shown.flip(2))
    assert mirrored.is_contiguous()


def test_a_view_is_resized_before_it_is_cut(tmp_path: Path) -> None:
    pixels = _noise(300, 180)
    sample = _sample_of(_saved(tmp_path, pixels))
    view = View(Size(100, 90), 20, 13, Size(64, 64), flipped=False, colour=None)
    by_hand = _area_by_hand(pixels, Size(100, 90))[13:77, 20:84] / 127.5 - 1
    assert np.abs(render(sample, view).pixels.permute(1, 2, 0).numpy() - by_hand).max() < 1.01 / 127.5 / 2


def test_hue_is_turned_as_hsv_has_it() -> None:
    pixels = (_noise(9, 7) / np.float32(255)).astype(np.float32)
    turned = vary_colours(pixels, Colour(hue=-13.0, gamma=1.0))
    for before, after in zip(pixels.reshape(-1, 3), turned.reshape(-1, 3), strict=True):
        hue, saturation, value = colorsys.rgb_to_hsv(*before.tolist())
        expected = colorsys.hsv_to_rgb((hue - 13 / 360) % 1, saturation, value)
        assert after.tolist() == pytest.approx(expected, abs=1e-5)


def test_grey_has_no_hue_and_gamma_keeps_black_and_white() -> None:
    grey = (
        np.linspace(0, 1, 48, dtype=np.float32).reshape(4, 4, 3).mean(axis=2, keepdims=True).repeat(3, axis=2)
    )
    assert np.allclose(vary_colours(grey, Colour(hue=16.0, gamma=1.0)), grey)
    ends = np.array([[[0, 0.5, 1]]], dtype=np.float32)
    assert vary_colours(ends, Colour(0, 0.95)).ravel().tolist() == pytest.approx([0, 0.5**0.95, 1])


def test_colours_are_changed_after_the_cut(tmp_path: Path) -> None:
    sample = _sample_of(_saved(tmp_path, _noise(128, 64)))
    plain = render(sample, centred_view(sample)).pixels
    varied = render(sample, centred_view(sample)._replace(colour=Colour(0, 1.05))).pixels
    assert torch.allclose(varied, ((plain + 1) / 2) ** 1.05 * 2 - 1, atol=1e-5)


def test_transparency_is_white_and_no_mask_unless_it_is_made_one(tmp_path: Path) -> None:
    pixels = np.zeros((64, 128, 4), dtype=np.uint8)
    pixels[:, :64] = (255, 0, 0, 255)
    pixels[:, 64:100] = (0, 0, 255, 51)
    file = _saved(tmp_path, pixels)
    rendered = render(_sample_of(file), centred_view(_sample_of(file)))
    assert rendered.mask is None
    assert torch.equal(rendered.pixels[:, 3, 120], torch.ones(3))
    masked = _sample_of(file, alpha_mask=True)
    pixels_seen, mask = render(masked, centred_view(masked))
    assert torch.equal(pixels_seen[:, 3, 70], torch.tensor([-1.0, -1, 1]))
    assert mask is not None
    assert mask.shape == (1, 8, 16)
    assert mask.dtype == torch.float32
    assert torch.allclose(mask[0, 4], torch.tensor([1.0] * 8 + [0.2] * 4 + [0.1] + [0] * 3))
    flipped = render(masked, centred_view(masked)._replace(flipped=True)).mask
    assert flipped is not None
    assert torch.equal(flipped, mask.flip(2))


def test_an_opaque_picture_has_no_mask(tmp_path: Path) -> None:
    sample = _sample_of(_saved(tmp_path, _noise(64, 64)), alpha_mask=True)
    assert render(sample, centred_view(sample)).mask is None


def test_a_mask_file_is_resized_and_cut_with_its_picture(tmp_path: Path) -> None:
    file = _saved(tmp_path, _noise(300, 180, channels=4))
    # Half as large as the picture; only its red counts.
    mask = np.zeros((90, 150, 3), dtype=np.uint8)
    mask[..., 1] = 255
    mask[18:54, 30:90, 0] = 255
    sample = make_sample(
        (300, 180), file, _saved(tmp_path, mask, "mask.png"), bucket_no_upscale=True, alpha_mask=True
    )
    view = View(Size(300, 180), 20, 12, Size(256, 128), flipped=False, colour=None)
    shown = render(sample, view).mask
    assert shown is not None
    expected = np.zeros((180, 300))
    expected[36:108, 60:180] = 1
    blocks = expected[12:140, 20:276].reshape(16, 8, 32, 8).mean(axis=(1, 3))
    assert np.allclose(shown[0].numpy(), blocks, atol=1e-6)


def test_a_picture_or_mask_that_is_broken_is_named(tmp_path: Path) -> None:
    file = _saved(tmp_path, _noise(64, 64))
    broken = tmp_path / "broken.png"
    broken.write_bytes(file.read_bytes()[:300])
    with pytest.raises(UNREADABLE):
        render(make_sample((64, 64), broken, bucket_no_upscale=True), centred_view(_sample_of(file)))
    with pytest.raises(ProblemError, match=r"broken\.png") as caught:
        render(make_sample((64, 64), file, broken, bucket_no_upscale=True), centred_view(_sample_of(file)))
    assert caught.value.problem.code == "mask_unreadable"
