"""Plans: what is found in folders, what it amounts to in steps, what a person is warned of."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from training_support import make_config, save_picture

from lora_bridge.dataset import epoch_batches, read_dataset
from lora_bridge.images import load_picture, picture_size
from lora_bridge.plan import make_plan
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import ConceptSource
from lora_bridge.run_length import Schedule, schedule_of

if TYPE_CHECKING:
    from lora_bridge.protocol_types import Plan

EXPECTED = {"base_model_missing"}


def codes(plan: Plan) -> set[str]:
    """The warnings but for those that every plan in these tests has."""
    return {warning.code for warning in plan.warnings} - EXPECTED


def test_the_guides_example(tmp_path: Path) -> None:
    for index in range(10):
        save_picture(tmp_path / "img" / "20_rihanna woman" / f"{index}.png", size=(1024, 1024))
    config = make_config(
        tmp_path, train_batch_size=4, epoch=20, max_resolution="1024,1024", max_bucket_reso=2048
    )
    plan = make_plan(config)
    assert (plan.images, plan.batches_per_epoch, plan.steps_per_epoch) == (10, 50, 50)
    assert (plan.epochs, plan.total_steps) == (20, 1000)
    assert [(bucket.resolution, bucket.count) for bucket in plan.buckets] == [((1024, 1024), 200)]
    assert plan.concepts[0].prompt == "rihanna woman"
    assert codes(plan) == {"caption_missing"}


@pytest.mark.parametrize("number", [7, 200, 450])
def test_the_guides_example_with_regularization(tmp_path: Path, number: int) -> None:
    for index in range(10):
        save_picture(tmp_path / "img" / "20_rihanna woman" / f"{index}.png")
    for index in range(number):
        save_picture(tmp_path / "reg" / "1_woman" / f"{index}.png", size=(8, 8))
    changes = {"train_batch_size": 4, "reg_data_dir": str(tmp_path / "reg"), "enable_bucket": False}
    for epochs in (1, 10):
        plan = make_plan(make_config(tmp_path, epoch=epochs, **changes))
        assert (plan.batches_per_epoch, plan.steps_per_epoch) == (100, 100)
        assert (plan.epochs, plan.total_steps) == (epochs, 100 * epochs)
        assert (plan.images, plan.regularization_images) == (10, min(number, 200 * epochs))
    plan = make_plan(make_config(tmp_path, max_train_steps=1000, **changes))
    assert (plan.epochs, plan.total_steps) == (10, 1000)


def test_regularization_doubles_an_epoch(project: Path) -> None:
    for index in range(20):
        save_picture(project / "reg" / "1_person" / f"{index}.png")
    plan = make_plan(make_config(project, reg_data_dir=str(project / "reg")))
    assert (plan.images, plan.regularization_images) == (4, 8)
    assert plan.buckets[0].count == 16
    assert plan.total_steps == 8
    assert codes(plan) == set()


@pytest.mark.parametrize(("exact", "total"), [(False, 1 + 2 + 1 + 2), (True, 4)])
def test_steps_are_exact_where_regularization_of_several_shapes_takes_turns(
    tmp_path: Path, exact: bool, total: int
) -> None:
    for index in range(2):
        save_picture(tmp_path / "img" / "1_a" / f"{index}.png")
        save_picture(tmp_path / "reg" / "1_b" / f"{index}.png")
    save_picture(tmp_path / "reg" / "1_b" / "2.png", size=(64, 192))
    save_picture(tmp_path / "reg" / "1_b" / "3.png", size=(64, 192))
    changes = {"train_batch_size": 4, "reg_data_dir": str(tmp_path / "reg"), "kohya_exact": exact}
    config = make_config(tmp_path, epoch=4, **changes)
    plan = make_plan(config)
    assert (plan.steps_per_epoch, plan.total_steps) == (1, total)
    assert plan.regularization_images == (2 if exact else 4)
    dataset = read_dataset(config)
    assert sum(len(epoch_batches(dataset, 7, epoch)) for epoch in range(1, 5)) == total
    assert make_plan(make_config(tmp_path, max_train_steps=4, **changes)).epochs == (4 if exact else 3)


@given(st.lists(st.integers(1, 9), min_size=1, max_size=6), st.integers(1, 40), st.integers(1, 4))
def test_a_schedule_is_what_counting_epoch_by_epoch_gives(
    cycle: list[int], amount: int, accumulation: int
) -> None:
    def batches_of(epoch: int) -> int:
        return cycle[(epoch - 1) % len(cycle)]

    steps = [-(-batches_of(epoch) // accumulation) for epoch in range(1, amount + 1)]
    changes = {"gradient_accumulation_steps": accumulation}
    by_epochs = schedule_of(make_config(Path(), epoch=amount, **changes), batches_of, len(cycle))
    assert by_epochs == Schedule(cycle[0], steps[0], amount, sum(steps))
    needed = next(epoch for epoch in range(1, amount + 1) if sum(steps[:epoch]) >= amount)
    by_steps = schedule_of(make_config(Path(), max_train_steps=amount, **changes), batches_of, len(cycle))
    assert by_steps == Schedule(cycle[0], steps[0], needed, amount)


def test_short_batches_and_accumulation(project: Path) -> None:
    save_picture(project / "img" / "3_tall" / "a.png", size=(64, 192))
    plan = make_plan(make_config(project, train_batch_size=4, gradient_accumulation_steps=2))
    assert [bucket.count for bucket in plan.buckets] == [3, 8]
    assert (plan.batches_per_epoch, plan.steps_per_epoch) == (3, 2)
    assert "short_batches" in codes(plan)


def test_max_train_steps_wins(project: Path) -> None:
    plan = make_plan(make_config(project, epoch=50, max_train_steps=9))
    assert (plan.steps_per_epoch, plan.epochs, plan.total_steps) == (4, 3, 9)
    assert codes(plan) == {"epochs_overridden"}


def test_every_epoch_has_every_sample_in_an_order_of_its_own(project: Path) -> None:
    dataset = read_dataset(make_config(project, train_batch_size=3))
    first, again, second = (epoch_batches(dataset, 7, epoch) for epoch in (1, 1, 2))
    assert first == again
    assert first != second
    assert sorted(len(batch) for batch in first) == [2, 3, 3]
    names = sorted(sample.picture.path.name for batch in second for sample in batch)
    assert names == sorted(2 * [f"{index}.png" for index in range(4)])


def test_concepts_instead_of_folders(project: Path) -> None:
    concept = ConceptSource(
        folder=str(project / "img" / "2_ohwx person"), prompt="a cat", repeats=5, regularization=False
    )
    plan = make_plan(make_config(project, train_data_dir=str(project / "not-made-yet")), [concept])
    assert plan.buckets[0].count == 20


def test_only_the_chosen_files_of_a_concept_count(project: Path) -> None:
    folder = str(project / "img" / "2_ohwx person")
    chosen = ConceptSource(
        folder=folder, prompt="a cat", repeats=5, regularization=False, files=["0.png", "3.png", "gone.png"]
    )
    plan = make_plan(make_config(project), [chosen])
    assert (plan.concepts[0].images, plan.buckets[0].count) == (2, 10)


def test_a_folder_of_pictures_itself_is_one_concept(project: Path) -> None:
    plan = make_plan(make_config(project, train_data_dir=str(project / "img" / "2_ohwx person")))
    assert (plan.concepts[0].repeats, plan.concepts[0].prompt) == (2, "ohwx person")
    assert codes(plan) == {"leaf_folder"}


def test_odd_folders_are_named(project: Path) -> None:
    save_picture(project / "img" / "0_zero" / "a.png")
    save_picture(project / "img" / "no number" / "a.png")
    save_picture(project / "img" / "loose.png")
    (project / "img" / "1_empty").mkdir()
    plan = make_plan(make_config(project))
    assert plan.images == 4
    assert codes(plan) == {"folder_ignored", "loose_images", "empty_folder"}
    ignored = [warning.message for warning in plan.warnings if warning.code == "folder_ignored"]
    assert any("0_zero" in message for message in ignored)
    assert any("no number" in message for message in ignored)


@pytest.mark.parametrize("what", ["missing", "empty", "broken"])
def test_nothing_to_train_on_is_an_error_that_names_the_folder(tmp_path: Path, what: str) -> None:
    folder = tmp_path / "img"
    if what == "empty":
        folder.mkdir()
    if what == "broken":
        (folder / "1_a").mkdir(parents=True)
        (folder / "1_a" / "x.png").write_bytes(b"no picture")
    with pytest.raises(ProblemError) as caught:
        make_plan(make_config(tmp_path))
    assert caught.value.problem.code == ("folder_missing" if what == "missing" else "no_images")
    assert str(folder) in caught.value.problem.message


def test_an_unreadable_picture_is_named_and_left_out(project: Path) -> None:
    (project / "img" / "2_ohwx person" / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    plan = make_plan(make_config(project))
    assert plan.images == 4
    assert codes(plan) == {"unreadable_image"}
    assert any("broken.jpg" in warning.message for warning in plan.warnings)


def test_captions_that_cannot_be_used_fall_back_and_are_named(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    (folder / "0.txt").write_bytes("café".encode("latin-1"))
    (folder / "1.txt").write_text(" \n\n", encoding="utf-8")
    (folder / "2.txt").unlink()
    (folder / "3.txt").write_text("﻿first line\nsecond line", encoding="utf-8")
    config = make_config(project)
    captions = [picture.caption.text for picture in read_dataset(config).folders()[0].pictures]
    assert captions == ["ohwx person"] * 3 + ["first line"]
    plan = make_plan(config)
    assert codes(plan) == {"caption_missing", "caption_unusable"}
    unusable = " ".join(warning.message for warning in plan.warnings if warning.code == "caption_unusable")
    assert "0.png" in unusable
    assert "1.png" in unusable


def test_a_changed_caption_is_read_again(project: Path) -> None:
    config = make_config(project)
    read_dataset(config)
    (project / "img" / "2_ohwx person" / "0.txt").write_text("something else entirely", encoding="utf-8")
    assert read_dataset(config).folders()[0].pictures[0].caption.text == "something else entirely"


def test_face_crops_share_a_caption(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    save_picture(folder / "0_000_128_128_00.png")
    pictures = read_dataset(make_config(project)).folders()[0].pictures
    crop = next(picture for picture in pictures if picture.path.stem.startswith("0_"))
    assert crop.caption.text == "ohwx person, colour 0"


def test_enlarged_pictures_are_named(project: Path) -> None:
    save_picture(project / "img" / "1_small" / "tiny.png", size=(64, 64))
    config = make_config(project, bucket_no_upscale=False)
    assert "upscaled" in codes(make_plan(config))


@pytest.mark.parametrize(
    ("changes", "code", "field"),
    [
        ({"bucket_reso_steps": 48}, "bad_bucket_reso_steps", "Bucket resolution steps"),
        ({"validation_split": 0.5, "train_data_dir": ""}, "folder_not_chosen", "image folder"),
        ({"full_bf16": True}, "full_bf16_needs_bf16", "Full bf16 training"),
        ({"min_timestep": 999, "max_timestep": 500}, "timesteps_empty", "Min Timestep"),
        ({"optimizer": "no such"}, "unknown_optimizer", "Optimizer"),
        ({"vae": "nowhere.safetensors"}, "vae_missing", "VAE"),
        ({"masked_loss": True}, "masks_missing", "Masked loss"),
        ({"caption_extension": ".png"}, "caption_extension", "Caption file extension"),
        (
            {"bucket_no_upscale": False, "min_bucket_reso": 192},
            "bad_min_bucket_reso",
            "Minimum bucket resolution",
        ),
        (
            {"bucket_no_upscale": False, "max_bucket_reso": 64},
            "bad_max_bucket_reso",
            "Maximum bucket resolution",
        ),
        ({"enable_bucket": False, "max_resolution": "100,100"}, "bad_resolution", "Max resolution"),
    ],
)
def test_contradictions_name_the_field(
    project: Path, changes: dict[str, object], code: str, field: str
) -> None:
    with pytest.raises(ProblemError) as caught:
        make_plan(make_config(project, **changes))
    assert caught.value.problem.code == code
    assert field in caught.value.problem.message


def test_without_buckets_all_pictures_have_one_size(project: Path) -> None:
    save_picture(project / "img" / "1_tall" / "a.png", size=(64, 192))
    plan = make_plan(make_config(project, enable_bucket=False))
    assert [(bucket.resolution, bucket.count) for bucket in plan.buckets] == [((128, 128), 9)]


def test_parameters_that_do_nothing_or_harm_are_named(project: Path) -> None:
    config = make_config(project, network_alpha=8.0, lr_warmup=10, checkpointing_method="selective")
    assert codes(make_plan(config)) == {"alpha_above_rank", "warmup_ignored", "checkpointing_ignored"}


def test_bucket_limits_below_one_step_are_one_step(project: Path) -> None:
    config = make_config(project, bucket_no_upscale=False, bucket_reso_steps=128, min_bucket_reso=64)
    plan = make_plan(config)
    assert [bucket.resolution for bucket in plan.buckets] == [(128, 128)]
    assert codes(plan) == {"bucket_limits_rounded"}


def test_pictures_are_upright_and_opaque(tmp_path: Path) -> None:
    turned = tmp_path / "turned.jpg"
    exif = Image.Exif()
    exif[0x0112] = 6
    left_red = Image.new("RGB", (80, 40), "blue")
    left_red.paste("red", (0, 0, 40, 40))
    left_red.save(turned, exif=exif, quality=95)
    assert picture_size(turned) == (40, 80)
    upright = load_picture(turned)
    assert upright.size == (40, 80)
    top, bottom = (upright.crop((10, y, 30, y + 10)).convert("HSV").getextrema() for y in (10, 60))
    assert (top[0], bottom[0]) == ((0, 0), (170, 170))

    clear = tmp_path / "clear.png"
    Image.new("RGBA", (8, 8), (0, 0, 0, 0)).save(clear)
    assert load_picture(clear).getpixel((4, 4)) == (255, 255, 255)


def test_a_plan_needs_no_torch() -> None:
    code = "import sys, lora_bridge.plan; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_captions_are_read_from_files_with_the_extension_asked_for(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    for index in range(4):
        (folder / f"{index}.caption").write_text(f"picture {index}", encoding="utf-8")
    (chosen,) = read_dataset(make_config(project, caption_extension=".caption")).folders()
    assert [picture.caption.text for picture in chosen.pictures] == [f"picture {n}" for n in range(4)]
    (usual,) = read_dataset(make_config(project)).folders()
    assert usual.pictures[2].caption.text == "ohwx person, colour 2"
