"""Steps to compare with the reference: what each is configured with, and the pictures that it shows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from PIL import Image
from step_reference import Shown

if TYPE_CHECKING:
    from pathlib import Path

    from step_reference import Piece

UPRIGHT, FLAT = (91, 128), (128, 91)
BUCKETS = {UPRIGHT: (64, 128), FLAT: (128, 64)}
STARTS = {UPRIGHT: (13, 0), FLAT: (0, 13)}
"""Left and top of the crop in the middle: of 27 pixels that are too many 14 are on the other side."""
PICTURES = {"small": (UPRIGHT, 1), "double": (UPRIGHT, 2), "flat": (FLAT, 1), "other": (UPRIGHT, 1)}
"""Their size when fitted, and how many times as large the file is."""
MASKED = ("small", "double", "flat")
LONG = ", ".join(f"a {colour} hat" for colour in ("red", "green", "blue", "grey") * 7)
CAPTIONS: dict[str, tuple[Piece, ...]] = {
    "small": (("ohwx person with green hair", 1.0),),
    "double": (("ohwx person, " + LONG, 1.0),),
    "flat": (("ohwx person at the sea, " + ", ".join([LONG] * 3), 1.0),),
    "other": (("a man", 1.0),),
}
WEIGHTED: dict[str, tuple[Piece, ...]] = {
    **CAPTIONS,
    "small": (("ohwx person with ", 1.0), ("green hair", 1.3), (" and a hat", 1.0)),
    "flat": (*CAPTIONS["flat"], (", ", 1.0), ("all of this", 0.5)),
}
TIMES = (0, 100, 700, 930, 400, 10, 850)
ENCODERS = {"text_encoder_lr": 5e-4, "text_encoder2_lr": 2e-4}


class Case(NamedTuple):
    """A step, and the pictures that it shows."""

    options: dict[str, Any]
    flat: bool = False
    """Whether one of the training pictures is of another shape, so that there is another batch."""
    regularization: bool = False
    masks: bool = False

    @property
    def trained(self) -> set[str]:
        """The parts of the model that learn."""
        rates = {
            "unet": self.options.get("unet_lr", 1.0),
            "text_encoder_1": self.options.get("text_encoder_lr", 0.0),
            "text_encoder_2": self.options.get("text_encoder2_lr", 0.0),
        }
        return {part for part, rate in rates.items() if rate}


V = {"v_parameterization": True}
HUBER = {"loss_type": "huber", "huber_c": 0.2, "huber_scale": 0.7}
ACCUMULATED = {"gradient_accumulation_steps": 2}
CASES = {
    "eps": Case({}),
    "v": Case(V),
    "min-snr": Case({"min_snr_gamma": 5.0}),
    "min-snr of v": Case({**V, "min_snr_gamma": 5.0}),
    "debiased": Case({"debiased_estimation_loss": True}),
    "debiased v": Case({**V, "debiased_estimation_loss": True}),
    "v like noise": Case({**V, "scale_v_pred_loss_like_noise_pred": True}),
    "noise like v": Case({"v_pred_like_loss": 0.3}),
    "zero terminal": Case({**V, "zero_terminal_snr": True, "min_snr_gamma": 5.0}),
    "zero terminal as Kohya": Case(
        {**V, "zero_terminal_snr": True, "min_snr_gamma": 5.0, "kohya_exact": True}
    ),
    "l1": Case({"loss_type": "l1"}),
    "huber": Case(HUBER),
    "huber, exponential": Case({**HUBER, "huber_schedule": "exponential"}),
    "huber, constant": Case({**HUBER, "huber_schedule": "constant"}),
    "smooth l1": Case({**HUBER, "loss_type": "smooth_l1"}),
    "masked": Case({}, masks=True),
    "prior": Case({"prior_loss_weight": 0.3}, regularization=True),
    "masked, with prior": Case({"prior_loss_weight": 2.0}, regularization=True, masks=True),
    "noise offset": Case({"noise_offset": 0.1, "adaptive_noise_scale": 0.2}),
    "pyramid": Case({"multires_noise_iterations": 5, "multires_noise_discount": 0.4}),
    "input perturbation": Case({**V, "ip_noise_gamma": 0.2}),
    "150 tokens": Case({"max_token_length": "150"}),
    "225 tokens": Case({"max_token_length": "225", **ACCUMULATED}, flat=True),
    "flip": Case({"flip_aug": True, "train_batch_size": 8}, regularization=True),
    "accumulation, a batch is short": Case(ACCUMULATED, flat=True),
    "accumulation of single pictures": Case({**ACCUMULATED, "train_batch_size": 1}),
    "encoders": Case(ENCODERS),
    "encoders alone": Case({"unet_lr": 0.0, **ENCODERS}),
    "first encoder alone": Case({"unet_lr": 0.0, "text_encoder_lr": 5e-4, "text_encoder2_lr": 0.0}),
    "encoders, 225 tokens": Case({**ENCODERS, **ACCUMULATED, "max_token_length": "225"}, flat=True),
    "weighted captions": Case({**ENCODERS, **ACCUMULATED, "weighted_captions": True}, flat=True),
    "no caches": Case({"cache_latents": False, "cache_text_encoder_outputs": False}),
    "checkpointing": Case({**ENCODERS, "gradient_checkpointing": True}),
    "selective checkpointing": Case({"gradient_checkpointing": True, "checkpointing_method": "selective"}),
}
ALL: dict[str, Any] = {
    **V, **HUBER, **ENCODERS,
    "zero_terminal_snr": True,
    "scale_v_pred_loss_like_noise_pred": True,
    "min_snr_gamma": 5.0,
    "prior_loss_weight": 0.3,
    "max_token_length": "225",
    "weighted_captions": True,
    "flip_aug": True,
    "noise_offset": 0.1,
    "ip_noise_gamma": 0.1,
    "train_batch_size": 3,
    "gradient_accumulation_steps": 4,
    "gradient_checkpointing": True,
}  # fmt: skip
CASES["everything"] = Case(ALL, flat=True, regularization=True, masks=True)


def make_picture(file: Path, name: str, *, mask: bool = False) -> None:
    """A picture that differs from its reflections; a large file has each pixel of the small one fourfold."""
    size, times = PICTURES[name]
    across = Image.linear_gradient("L").rotate(90).resize(size)
    down = Image.linear_gradient("L").resize(size)
    channels = (down, across) if mask else (across, down)
    picture = Image.merge("RGB", (*channels, Image.new("L", size, 40 * list(PICTURES).index(name))))
    file.parent.mkdir(parents=True, exist_ok=True)
    picture.resize((size[0] * times, size[1] * times), Image.Resampling.NEAREST).save(file)


def make_project(folder: Path, case: Case) -> None:
    captions = WEIGHTED if case.options.get("weighted_captions") else CAPTIONS
    names = ["small", "double", *(["flat"] if case.flat else []), *(["other"] if case.regularization else [])]
    for name in names:
        parent = "reg/1_man" if name == "other" else "img/1_ohwx person"
        make_picture(folder / parent / f"{name}.png", name)
        text = "".join(text if weight == 1 else f"({text}:{weight})" for text, weight in captions[name])
        (folder / parent / f"{name}.txt").write_text(text, encoding="utf-8")
        if case.masks and name in MASKED:
            make_picture(folder / "masks" / f"{name}.png", name, mask=True)


def options_of(project: Path, case: Case) -> dict[str, Any]:
    folders: dict[str, Any] = {}
    if case.masks:
        folders |= {"masked_loss": True, "conditioning_data_dir": str(project / "masks")}
    if case.regularization:
        folders["reg_data_dir"] = str(project / "reg")
    size = 4 if case.regularization else 2
    return {"train_batch_size": size, "max_train_steps": 1, **folders, **case.options}


def shown_as(project: Path, file: Path, options: dict[str, Any], *, flipped: bool) -> Shown:
    """What the reference is told of a picture; all of it follows from the rules of buckets and crops."""
    size, times = PICTURES[file.stem]
    bucket, (left, top) = BUCKETS[size], STARTS[size]
    box = (left, top, left + bucket[0], top + bucket[1])
    if options.get("kohya_exact"):
        # The picture as wide as its bucket is 90 high: so much is free above it.
        assert size == UPRIGHT
        told_left, told_top = 0, 18
    else:
        told_left, told_top = size[0] - box[2] if flipped else left, top
    captions = WEIGHTED if options.get("weighted_captions") else CAPTIONS
    return Shown(
        file=file,
        size=size,
        box=box,
        flipped=flipped,
        time_ids=(size[1] * times, size[0] * times, told_top, told_left, bucket[1], bucket[0]),
        caption=captions[file.stem],
        mask=mask if (mask := project / "masks" / file.name).exists() else None,
        weight=options["prior_loss_weight"] if file.stem == "other" else 1.0,
    )
