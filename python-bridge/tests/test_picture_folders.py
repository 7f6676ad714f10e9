"""What is found in a folder: pictures, the captions and masks that belong to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest
from training_support import make_config, save_picture

from lora_bridge.dataset import read_dataset
from lora_bridge.plan import make_plan
from lora_bridge.problems import ProblemError

if TYPE_CHECKING:
    from pathlib import Path

    from lora_bridge.protocol_types import Plan


def masked(project: Path, **changes: object) -> Plan:
    return make_plan(
        make_config(project, masked_loss=True, conditioning_data_dir=str(project / "masks"), **changes)
    )


def messages(plan: Plan, code: str) -> list[str]:
    return [warning.message for warning in plan.warnings if warning.code == code]


def masks_of(project: Path, **changes: object) -> list[str | None]:
    config = make_config(project, conditioning_data_dir=str(project / "masks"), **changes)
    (folder,) = read_dataset(config).folders()
    return [picture.mask and str(picture.mask.relative_to(project / "masks")) for picture in folder.pictures]


def test_a_mask_has_the_pictures_name_with_any_extension(project: Path) -> None:
    save_picture(project / "masks" / "0.png")
    save_picture(project / "masks" / "1.JPG")
    (project / "masks" / "2.png").write_bytes(b"no picture")
    (project / "masks" / "3.txt").write_text("no picture")
    assert masks_of(project, masked_loss=True) == ["0.png", "1.JPG", None, None]
    (said,) = messages(masked(project), "mask_missing")
    assert "2.png, 3.png" in said
    assert "0.png" not in said


def test_masks_are_not_looked_for_without_masked_loss(project: Path) -> None:
    config = make_config(project, conditioning_data_dir=str(project / "not there"))
    (folder,) = read_dataset(config).folders()
    assert folder.subset.masks is None
    assert "masks_unused" in {warning.code for warning in make_plan(config).warnings}


def test_masks_may_lie_in_a_folder_of_the_same_name(project: Path) -> None:
    for index in range(4):
        save_picture(project / "masks" / "2_ohwx person" / f"{index}.png")
    save_picture(project / "masks" / "0.png")
    assert masks_of(project, masked_loss=True)[0] == "2_ohwx person/0.png"
    assert not messages(masked(project), "mask_missing")


def test_a_missing_folder_of_masks_is_an_error(project: Path) -> None:
    with pytest.raises(ProblemError, match="masks") as caught:
        masked(project)
    assert caught.value.problem.code == "folder_missing"


def test_regularization_needs_no_masks(project: Path) -> None:
    for index in range(4):
        save_picture(project / "masks" / f"{index}.png")
    save_picture(project / "reg" / "1_person" / "unmasked.png")
    assert not messages(masked(project, reg_data_dir=str(project / "reg")), "mask_missing")


def test_broken_pictures_can_be_refused(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff")
    with pytest.raises(ProblemError, match=r"broken\.jpg") as caught:
        make_plan(make_config(project, broken_images="refuse"))
    assert caught.value.problem.code == "broken_images"


def test_pictures_that_turn_out_broken_are_left_out_or_refused(project: Path) -> None:
    broken = project / "img" / "2_ohwx person" / "1.png"
    dataset = read_dataset(make_config(project)).without({broken})
    assert len(dataset.samples) == 3
    assert dataset.folders()[0].unreadable == (broken,)
    whole = read_dataset(make_config(project, broken_images="refuse"))
    assert whole.without(()).samples == whole.samples
    with pytest.raises(ProblemError, match=r"1\.png"):
        whole.without({broken})


def test_pictures_that_share_a_caption_file_are_named(project: Path) -> None:
    folder = project / "img" / "2_ohwx person"
    save_picture(folder / "0.jpg")
    (said,) = messages(make_plan(make_config(project)), "shared_caption")
    assert "0.jpg, 0.png." in said
    (folder / "0.txt").unlink()
    assert not messages(make_plan(make_config(project)), "shared_caption")


def test_a_thousand_pictures_are_planned_again_at_once(tmp_path: Path) -> None:
    first = tmp_path / "img" / "10_ohwx person" / "0.png"
    save_picture(first, size=(64, 64))
    for folder, count in ((first.parent, 1000), (tmp_path / "reg" / "1_person", 997)):
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            (folder / f"{index}.png").write_bytes(first.read_bytes())
            (folder / f"{index}.txt").write_text("a caption", encoding="utf-8")
    config = make_config(tmp_path, reg_data_dir=str(tmp_path / "reg"), epoch=50)
    assert make_plan(config).regularization_images == 997
    times: list[float] = []
    for _ in range(3):
        start = time.process_time()
        make_plan(config)
        times.append(time.process_time() - start)
    assert min(times) < 0.3
