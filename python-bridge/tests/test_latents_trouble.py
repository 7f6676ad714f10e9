"""Latents where something is wrong: numbers that are not finite, broken pictures, full disks, a stop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from latents_support import CPU, Counting, pictures_of, prepare, same
from training_support import ListSink, make_config, save_picture, warnings_of

from lora_bridge import latent_encoder
from lora_bridge.dataset import read_dataset
from lora_bridge.latents import prepare_latents
from lora_bridge.problems import ProblemError
from lora_bridge.progress import StopRequested
from lora_bridge.protocol_types import PhaseEvent
from lora_bridge.views import centred_view

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))


@pytest.mark.parametrize("spoil", ["nan", "inf"])
@pytest.mark.parametrize("changes", [{}, {"vae_batch_size": 2}, {"cache_latents": False}])
def test_a_latent_that_is_not_finite_names_its_picture(
    project: Path, tiny_sdxl: Path, spoil: str, changes: dict[str, Any]
) -> None:
    broken = pictures_of(project)[1 if "vae_batch_size" in changes else 0]
    with pytest.raises(ProblemError) as caught:
        prepare(project, Counting(tiny_sdxl, spoil), **changes)
    assert caught.value.problem.code == "latent_not_finite"
    assert str(broken) in caught.value.problem.message


def ignore(*_: Any) -> None:
    pass


def test_a_latent_on_disk_that_is_not_finite_names_its_picture(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(latent_encoder, "require_finite", ignore)
        prepare(project, Counting(tiny_sdxl, "nan"), cache_latents_to_disk=True)
    with pytest.raises(ProblemError, match=r"0\.png") as caught:
        prepare(project, Counting(tiny_sdxl), cache_latents_to_disk=True)
    assert caught.value.problem.code == "latent_not_finite"


def cut_short(picture: Path) -> None:
    content = picture.read_bytes()
    picture.write_bytes(content[: len(content) // 2])


@pytest.mark.parametrize("changes", [{}, {"flip_aug": True}, {"cache_latents": False}, {"color_aug": True}])
def test_broken_pictures_are_left_out(project: Path, tiny_sdxl: Path, changes: dict[str, Any]) -> None:
    broken = pictures_of(project)[2]
    cut_short(broken)
    store, latents = prepare(project, Counting(tiny_sdxl), **changes)
    assert store.unreadable == {broken}
    assert len(latents) == (6 if "flip_aug" in changes else 3)


@pytest.mark.parametrize("changes", [{}, {"cache_latents": False}])
def test_broken_pictures_are_all_named_when_refused(
    project: Path, tiny_sdxl: Path, changes: dict[str, Any]
) -> None:
    for picture in pictures_of(project):
        cut_short(picture)
    with pytest.raises(ProblemError) as caught:
        prepare(project, Counting(tiny_sdxl), broken_images="refuse", **changes)
    assert caught.value.problem.code == "broken_images"
    assert all(str(picture) in caught.value.problem.message for picture in pictures_of(project))


def test_a_picture_that_breaks_later_is_named(project: Path, tiny_sdxl: Path) -> None:
    config = make_config(project, cache_latents=False)
    dataset = read_dataset(config)
    store = prepare_latents(Counting(tiny_sdxl), config, dataset, CPU, ListSink())
    sample = dataset.samples[0]
    cut_short(sample.picture.path)
    with pytest.raises(ProblemError) as caught:
        store.get(sample, centred_view(sample))
    assert caught.value.problem.code == "unreadable_image"
    assert str(sample.picture.path) in caught.value.problem.message


def test_a_stop_keeps_what_is_on_disk(project: Path, tiny_sdxl: Path) -> None:
    sink = ListSink(lambda event: isinstance(event, PhaseEvent) and event.done == 2)
    with pytest.raises(StopRequested):
        prepare(project, Counting(tiny_sdxl), sink, cache_latents_to_disk=True)
    base = Counting(tiny_sdxl)
    prepare(project, base, cache_latents_to_disk=True)
    assert len(base.batches) == 2


def test_a_folder_that_cannot_be_written_is_no_hindrance(
    project: Path, tiny_sdxl: Path, tmp_path: Path
) -> None:
    (tmp_path / "data").write_text("in the way")
    sink = ListSink()
    _, latents = prepare(project, Counting(tiny_sdxl), sink, cache_latents_to_disk=True)
    assert len(latents) == 4
    assert warnings_of(sink) == ["cache_not_written"]


def test_a_picture_edited_while_it_is_read_is_not_kept(
    project: Path, tiny_sdxl: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content was read before, its pixels after the edit."""
    picture = pictures_of(project)[0]
    render: Any = latent_encoder.render

    def edit_first(sample: Any, view: Any) -> Any:
        if sample.picture.path == picture:
            save_picture(picture, hue=200)
        return render(sample, view)

    original = picture.read_bytes()
    with monkeypatch.context() as patch:
        patch.setattr(latent_encoder, "render", edit_first)
        prepare(project, Counting(tiny_sdxl), cache_latents_to_disk=True)
    picture.write_bytes(original)
    _, latents = prepare(project, Counting(tiny_sdxl), cache_latents_to_disk=True)
    assert same(latents, prepare(project, Counting(tiny_sdxl))[1])
