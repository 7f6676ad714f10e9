"""How a picture is shown to the model: where it is cut, whether it is mirrored, how its colours are varied.

The rules are those of sd-scripts' `library/train_util.py` (`trim_and_resize_if_required`, `crop_target`,
`AugHelper`) but for what the functions below say. Reads no pictures and needs no torch.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from msgspec import Struct

from lora_bridge.buckets import Size
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import Problem

if TYPE_CHECKING:
    import random
    from collections.abc import Iterator
    from pathlib import Path

    from lora_bridge.dataset import Sample
    from lora_bridge.protocol_types import TrainConfig

_FLIP_CHANCE = 0.5
_COLOUR_CHANCE = 0.33
_HUE_DEGREES = 16.0
"""Kohya's 8 on OpenCV's circle of 180."""
_GAMMA = (0.95, 1.05)
_FACE_NAME = re.compile(r".+_(\d+)_(\d+)_(\d+)_(\d+)")
_FACE_WOBBLE = 1 / 20


class PictureRules(Struct, frozen=True):
    """What may be done to the pictures of a folder."""

    flip: bool
    color: bool
    random_crop: bool
    face_crop: tuple[float, float] | None
    """Smallest and largest size of the picture around a face, in faces: at 2.0 the face takes half of it."""
    interpolation: str
    """One of the choices of `resize_interpolation`."""
    alpha_mask: bool


class Colour(NamedTuple):
    """A change of colours."""

    hue: float
    """Degrees to turn the hue by."""
    gamma: float
    """What brightness from 0 to 1 is raised to."""


class View(NamedTuple):
    """A picture resized to `resized`, cut to `bucket` at `left`, `top`, then mirrored, then coloured."""

    resized: Size
    left: int
    """In the picture as it is in the file, not mirrored."""
    top: int
    bucket: Size
    flipped: bool
    colour: Colour | None


class Face(NamedTuple):
    """Where a face is, in pixels of the whole picture."""

    x: int
    """Of its middle, as `y`."""
    y: int
    width: int
    height: int

    @property
    def size(self) -> int:
        return max(self.width, self.height)


def picture_rules(config: TrainConfig) -> PictureRules:
    """The rules that a config asks for. Raises ProblemError `bad_face_crop_aug_range`."""
    return PictureRules(
        flip=config.flip_aug,
        color=config.color_aug,
        random_crop=config.random_crop,
        face_crop=parse_face_crop(config.face_crop_aug_range),
        interpolation=config.resize_interpolation,
        alpha_mask=config.alpha_mask,
    )


def parse_face_crop(text: str) -> tuple[float, float] | None:
    """`2.0,4.0` as Kohya writes it; None for nothing. Raises ProblemError `bad_face_crop_aug_range`."""
    if not text.strip():
        return None
    try:
        smallest, largest = (float(part) for part in text.split(","))
    except ValueError:
        smallest, largest = 0.0, 0.0
    if not 1 <= smallest <= largest < float("inf"):
        raise ProblemError(
            "bad_face_crop_aug_range",
            f"Face crop range is “{text}”, which is not two numbers from 1 upwards, the smaller one first.",
            "Write how many faces large the picture around a face may be, such as 2.0,4.0, or nothing.",
        )
    return smallest, largest


def require_views(config: TrainConfig) -> None:
    """Raise ProblemError for parameters of the pictures that contradict each other."""
    picture_rules(config)
    sources = config.conditioning_data_dir.strip() or config.alpha_mask or config.dataset_config.strip()
    if config.masked_loss and not sources:
        raise ProblemError(
            "masks_missing",
            "Masked loss is on, but there is no Mask folder and Alpha mask is off, so nothing says where the "
            "loss counts.",
            "Choose a Mask folder, turn Alpha mask on to use transparency, or turn Masked loss off.",
        )


def view_warnings(config: TrainConfig) -> Iterator[Problem]:
    """What a person should know about how the pictures will be shown."""
    if config.conditioning_data_dir.strip() and not config.masked_loss:
        yield Problem(
            code="masks_unused",
            message="There is a Mask folder, but Masked loss is off, so the masks are not used.",
            hint="Turn Masked loss on, or clear Mask folder.",
        )
    varying = [
        label
        for label, on in (
            ("Random crop instead of center crop", config.random_crop),
            ("Color augmentation", config.color_aug),
            ("Face crop range", bool(config.face_crop_aug_range.strip())),
        )
        if on
    ]
    names = " and ".join(varying)
    if varying and config.cache_latents:
        yield Problem(
            code="latents_not_cached",
            message=f"Cache latents is on, but with {names} a picture looks different each time, so it is "
            "encoded anew for each step and the VAE stays in memory.",
            hint=f"This is slower. To encode each picture once, turn {names} off.",
        )


def centred_view(sample: Sample) -> View:
    """The view without chance: centre crop, nothing changed."""
    fit = sample.fit
    return View(fit.resized, fit.left, fit.top, fit.bucket, flipped=False, colour=None)


def crop_moves(sample: Sample) -> bool:
    """Whether `draw_view` cuts it elsewhere each time."""
    anywhere = sample.subset.pictures.random_crop and sample.fit.resized != sample.fit.bucket
    return anywhere or _face_of(sample) is not None


def cached_views(sample: Sample) -> tuple[View, ...]:
    """All views that `draw_view` can give, the unmirrored one first; () when they are too many to list."""
    rules = sample.subset.pictures
    if rules.color or crop_moves(sample):
        return ()
    view = centred_view(sample)
    return (view, view._replace(flipped=True)) if rules.flip else (view,)


def draw_view(sample: Sample, chance: random.Random) -> View:
    """A view that the rules allow.

    A random crop lies anywhere in the resized picture, each place alike. A picture whose name tells where a
    face is, is cut around it where there is a face crop range; Kohya does that only without buckets.
    """
    rules = sample.subset.pictures
    face = _face_of(sample)
    if face is not None and rules.face_crop is not None:
        view = _around_face(sample, face, rules.face_crop, chance)
    elif rules.random_crop:
        view = _anywhere(centred_view(sample), chance)
    else:
        view = centred_view(sample)
    flipped = rules.flip and chance.random() < _FLIP_CHANCE
    return view._replace(flipped=flipped, colour=_draw_colour(chance) if rules.color else None)


def time_ids(sample: Sample, view: View, *, kohya_exact: bool) -> tuple[int, int, int, int, int, int]:
    """SDXL's micro-conditioning: original height and width, top and left of the crop, height and width shown.

    The crop is where it was cut from the resized picture. For a mirrored view it is counted in the mirrored
    picture, as in diffusers' `train_text_to_image_lora_sdxl.py`, which mirrors before it crops.
    `kohya_exact`: the letter-box offsets of sd-scripts' `get_crop_ltrb`, whatever was really cut.
    """
    original, bucket = sample.picture.size, view.bucket
    if kohya_exact:
        left, top = _letter_box(original, bucket, flipped=view.flipped)
    elif view.flipped:
        left, top = view.resized.width - view.left - bucket.width, view.top
    else:
        left, top = view.left, view.top
    return original.height, original.width, top, left, bucket.height, bucket.width


def face_in_name(file: Path) -> Face | None:
    """The face that Kohya's face cropper (`detect_face_rotate.py`) wrote into a file's name."""
    match = _FACE_NAME.fullmatch(file.stem)
    if match is None:
        return None
    face = Face(*(int(part) for part in match.groups()))
    return face if face.width and face.height else None


def _face_of(sample: Sample) -> Face | None:
    """The face to cut around; None without a range, without a name that tells it, or outside the picture."""
    if sample.subset.pictures.face_crop is None:
        return None
    face = face_in_name(sample.picture.path)
    size = sample.picture.size
    return face if face is not None and face.x < size.width and face.y < size.height else None


def _around_face(sample: Sample, face: Face, faces: tuple[float, float], chance: random.Random) -> View:
    """Kohya's `crop_target`: never enlarged but to cover the bucket.

    A random crop keeps all of the face where it can; Kohya's may lose it.
    """
    picture, bucket = sample.picture.size, sample.fit.bucket
    cover = max(bucket.width / picture.width, bucket.height / picture.height)
    scales = [max(cover, min(1.0, min(bucket) / (face.size * times))) for times in faces]
    scale = chance.uniform(scales[1], scales[0])
    resized = Size(
        max(bucket.width, int(picture.width * scale + 0.5)),
        max(bucket.height, int(picture.height * scale + 0.5)),
    )
    random_crop = sample.subset.pictures.random_crop
    wobble = 0.0 if faces[0] == faces[1] else face.size * scale * _FACE_WOBBLE
    starts: list[int] = []
    for middle, length, side, whole in (
        (face.x, face.width, bucket.width, resized.width),
        (face.y, face.height, bucket.height, resized.height),
    ):
        slack = max(0.0, side - length * scale) / 2 if random_crop else wobble
        start = middle * scale - side / 2 + chance.uniform(-slack, slack)
        starts.append(max(0, min(round(start), whole - side)))
    left, top = starts
    return View(resized, left, top, bucket, flipped=False, colour=None)


def _anywhere(view: View, chance: random.Random) -> View:
    return view._replace(
        left=chance.randint(0, view.resized.width - view.bucket.width),
        top=chance.randint(0, view.resized.height - view.bucket.height),
    )


def _draw_colour(chance: random.Random) -> Colour | None:
    """Kohya's `AugHelper.color_aug`: a third of the pictures, half of them in hue, half in gamma."""
    if chance.random() >= _COLOUR_CHANCE:
        return None
    if chance.random() < 0.5:
        return Colour(hue=chance.uniform(-_HUE_DEGREES, _HUE_DEGREES), gamma=1.0)
    return Colour(hue=0.0, gamma=chance.uniform(*_GAMMA))


def _letter_box(original: Size, bucket: Size, *, flipped: bool) -> tuple[int, int]:
    """Left and top of a picture that is fitted into its bucket instead of covering it."""
    if bucket.aspect <= original.aspect:
        return 0, int((bucket.height - bucket.width / original.aspect) // 2)
    width = bucket.height * original.aspect
    left = (bucket.width - width) // 2
    return int(bucket.width - (left + width) if flipped else left), 0
