"""Latents that Kohya's trainer left beside the pictures, used where they can be trusted.

Kohya believes any file of the right name with the right keys (sd-scripts `strategy_base.py`). Here a file
must fit the picture, its bucket and its crop, be no older than the picture, and come from the VAE of this
run, for which the first file of each folder stands. Nothing is written or removed there.
"""

from __future__ import annotations

import zipfile
import zlib
from collections import Counter
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from PIL import Image

from lora_bridge.buckets import LATENT_STEP
from lora_bridge.images import UNREADABLE
from lora_bridge.latent_encoder import Latent
from lora_bridge.picture_edits import edit_file
from lora_bridge.protocol_types import LogEvent, Problem, WarningEvent
from lora_bridge.render import render
from lora_bridge.vae import LATENT_CHANNELS
from lora_bridge.wording import listed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray
    from torch import Tensor

    from lora_bridge.buckets import Size
    from lora_bridge.latent_encoder import Shown
    from lora_bridge.sink import Sink
    from lora_bridge.vae import Vae
    from lora_bridge.views import View

_ORIENTATION = 0x0112
_SAME_COLOURS = frozenset({"RGB", "L", "P", "CMYK"})
"""Pillow's modes that Kohya's conversion to RGB and ours treat alike, when nothing is transparent."""
_ARRAYS = ("latents", "latents_flipped", "original_size", "crop_ltrb")
_LEAST_CORRELATION = 0.99
_SCALES = (0.8, 1.25)
"""How much larger theirs may be; latents that are scaled already are an eighth of ours."""
_DAMAGED = (
    OSError,
    ValueError,
    KeyError,
    EOFError,
    MemoryError,
    RuntimeError,
    zipfile.BadZipFile,
    zlib.error,
)
"""What numpy and zipfile throw at what is no whole archive of arrays; ValueError where it has pickles."""


class _RefusedError(Exception):
    """A file is not used; the message says why."""


class KohyaLatents:
    """Finds and checks Kohya's files."""

    def __init__(self, shown: Sequence[Shown], vae: Callable[[], Vae], sink: Sink) -> None:
        """`shown` is all that will be asked for; `vae` loads the VAE, once a file is to be compared."""
        paths = {each.sample.picture.path for each in shown}
        self._sharing = Counter(path.with_suffix("") for path in paths)
        self._vae = vae
        self._sink = sink
        self._trusted: dict[Path, bool] = {}
        self._used: Counter[Path] = Counter()
        self._refused: dict[tuple[Path, str], list[str]] = {}

    def find(self, shown: Shown) -> Latent | None:
        """The latent of a picture, or None where there is none that can be trusted."""
        picture = shown.sample.picture.path
        folder = picture.parent
        file = _file_of(shown)
        if file is None or self._trusted.get(folder) is False:
            return None
        try:
            self._require_alone(picture)
            _require_alike(shown)
            unscaled = _read(file, shown)
            if folder not in self._trusted:
                self._trusted[folder] = _is_of(self._vae(), unscaled, shown)
            if not self._trusted[folder]:
                raise _RefusedError("as they are of another VAE or of other pictures")
        except _RefusedError as refusal:
            self._refused.setdefault((folder, str(refusal)), []).append(file.name)
            return None
        self._used[folder] += 1
        return Latent(self._vae().scaled(unscaled), None)

    def tell(self) -> None:
        """Report what was used, and each reason for what was not."""
        for folder, count in self._used.items():
            self._sink.emit(LogEvent(level="info", text=f"{count} of Kohya's latents used in {folder}."))
        for (folder, reason), names in self._refused.items():
            self._sink.emit(
                WarningEvent(
                    problem=Problem(
                        code="kohya_latents_refused",
                        message=f"Kohya's latents in {folder} are not used, {reason}: {listed(names)}.",
                        hint="Nothing is lost: the pictures are encoded anew.",
                    )
                )
            )

    def _require_alone(self, picture: Path) -> None:
        if self._sharing[picture.with_suffix("")] > 1:
            raise _RefusedError("as two pictures share their name")


def _file_of(shown: Shown) -> Path | None:
    picture = shown.sample.picture
    width, height = picture.size
    newer = picture.path.with_name(f"{picture.path.stem}_{width:04d}x{height:04d}_sdxl.npz")
    legacy = picture.path.with_suffix(".npz")
    return next((file for file in (newer, legacy) if file.is_file()), None)


def _require_alike(shown: Shown) -> None:
    """Refuse where Kohya would not show the picture as it is shown here."""
    picture, rules = shown.sample.picture, shown.sample.subset.pictures
    if rules.interpolation != "auto":
        raise _RefusedError("as Resize interpolation is not auto")
    if picture.mask is not None or rules.alpha_mask:
        raise _RefusedError("as they do not say what masks are used here")
    if edit_file(picture.path).exists():
        raise _RefusedError("as the picture is cropped or turned here, which Kohya does not know")
    try:
        with Image.open(picture.path) as image:
            # Asking a PNG without EXIF for it decodes all its pixels in search of some.
            has_exif = image.format != "PNG" or "exif" in image.info
            turned = has_exif and image.getexif().get(_ORIENTATION, 1) != 1
            same = image.mode in _SAME_COLOURS and not image.has_transparency_data
    except UNREADABLE:
        raise _RefusedError("as the picture cannot be read") from None
    if turned or not same:
        raise _RefusedError("as Kohya neither turns pictures upright nor knows transparency")


def _read(file: Path, shown: Shown) -> Tensor:
    """[4, h, w] un-scaled, fp32, of the view. Raises _RefusedError."""
    picture, view = shown.sample.picture, shown.view
    try:
        if file.stat().st_mtime_ns < picture.path.stat().st_mtime_ns:
            raise _RefusedError("as the picture is newer")
        arrays = _arrays_of(file, view)
    except _DAMAGED:
        raise _RefusedError("as the file is damaged") from None
    latent = arrays.get("latents")
    if latent is None or latent.shape != (LATENT_CHANNELS, *_latent_size(view)) or latent.dtype.kind != "f":
        raise _RefusedError("as they are of another size")
    if view.flipped:
        latent = arrays.get("latents_flipped", np.zeros(0))
        if latent.shape != arrays["latents"].shape:
            raise _RefusedError("as they lack mirrored pictures")
    original, crop = arrays.get("original_size"), arrays.get("crop_ltrb")
    if original is None or tuple(original.tolist()) != picture.size:
        raise _RefusedError("as the picture had another size")
    if not _is_close(crop, _letter_box(picture.size, view.bucket)):
        raise _RefusedError("as the picture was cut in another way")
    tensor = torch.as_tensor(latent.astype(np.float32))
    if not tensor.isfinite().all():
        raise _RefusedError("as not all of their numbers are finite")
    return tensor


def _is_close(array: NDArray[Any] | None, to: tuple[float, ...]) -> bool:
    if array is None or array.shape != (len(to),) or array.dtype.kind not in "fiu":
        return False
    return bool(np.allclose(array, to, atol=1.0))


def _arrays_of(file: Path, view: View) -> dict[str, NDArray[Any]]:
    """The arrays of a file by name. Newer ones of Kohya's hold several sizes, each with its own names."""
    if not zipfile.is_zipfile(file):
        raise ValueError
    height, width = _latent_size(view)
    suffix = f"_{height}x{width}"
    arrays: dict[str, NDArray[Any]] = {}
    with np.load(file, allow_pickle=False) as archive:
        for name in _ARRAYS:
            key = name + suffix if name + suffix in archive.files else name
            if key in archive.files:
                arrays[name] = archive[key]
    return arrays


def _latent_size(view: View) -> tuple[int, int]:
    return view.bucket.height // LATENT_STEP, view.bucket.width // LATENT_STEP


def _letter_box(original: Size, bucket: Size) -> tuple[float, float, float, float]:
    """Left, top, right and bottom as Kohya's `get_crop_ltrb` has them: they follow from the sizes alone."""
    if bucket.aspect > original.aspect:
        width, height = bucket.height * original.aspect, float(bucket.height)
    else:
        width, height = float(bucket.width), bucket.width / original.aspect
    left, top = (bucket.width - width) // 2, (bucket.height - height) // 2
    return left, top, left + width, top + height


def _is_of(vae: Vae, unscaled: Tensor, shown: Shown) -> bool:
    """Whether a latent is what this VAE makes of the view, but for the chance in it and rounding."""
    try:
        pixels = render(*shown).pixels
    except UNREADABLE:
        raise _RefusedError("as the picture cannot be read") from None
    ours, theirs = vae.mean(pixels[None])[0].flatten(), vae.scaled(unscaled).flatten()
    correlation = float(torch.corrcoef(torch.stack([ours, theirs]))[0, 1])
    smallest, largest = _SCALES
    return correlation > _LEAST_CORRELATION and smallest < float(theirs.std() / ours.std()) < largest
