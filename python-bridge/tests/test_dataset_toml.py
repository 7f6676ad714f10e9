"""Datasets in sd-scripts' TOML."""

from __future__ import annotations

from pathlib import Path

import pytest
from training_support import make_config, save_picture

from lora_bridge.buckets import Size
from lora_bridge.dataset import epoch_batches, read_dataset
from lora_bridge.plan import make_plan
from lora_bridge.problems import ProblemError

EVERYTHING = """
[general]
caption_extension = ".caption"
shuffle_caption = true
keep_tokens = 1
flip_aug = true
min_bucket_reso = 128

[[datasets]]
resolution = 256
batch_size = 3
enable_bucket = true
max_bucket_reso = 512
bucket_reso_steps = 32
bucket_no_upscale = true
validation_split = 0.5
validation_seed = 4
keep_tokens = 2
resize_interpolation = "cubic"

  [[datasets.subsets]]
  image_dir = "anna"
  class_tokens = "anna woman"
  num_repeats = 3
  keep_tokens = 3
  keep_tokens_separator = "|||"
  caption_separator = "/"
  secondary_separator = ";;;"
  enable_wildcard = true
  caption_prefix = "photo of"
  caption_suffix = "end"
  caption_dropout_rate = 0.1
  caption_dropout_every_n_epochs = 2
  caption_tag_dropout_rate = 0.25
  token_warmup_min = 2
  token_warmup_step = 10
  color_aug = true
  flip_aug = false
  random_crop = true
  face_crop_aug_range = [1.5, 3]
  alpha_mask = true
  cache_info = true
  conditioning_data_dir = "masks"
  resize_interpolation = "area"
  [datasets.subsets.custom_attributes]
  diff_output_preservation = true

  [[datasets.subsets]]
  image_dir = "women"
  is_reg = true

[[datasets]]
resolution = [128, 192]
enable_bucket = false

  [[datasets.subsets]]
  image_dir = "anna"
  num_repeats = 0

  [[datasets.subsets]]
  image_dir = "ben"
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Folders anna (4 pictures), women, ben and masks; no TOML yet."""
    for index in range(4):
        save_picture(tmp_path / "anna" / f"{index}.png", size=(256, 256))
    save_picture(tmp_path / "women" / "a.png", size=(256, 256))
    save_picture(tmp_path / "ben" / "a.png", size=(300, 300))
    save_picture(tmp_path / "masks" / "0.jpg", size=(256, 256))
    return tmp_path


def toml(folder: Path, text: str, **changes: object) -> dict[str, object]:
    """Changes of a config that has `text` as its dataset config."""
    (folder / "sets.toml").write_text(text, encoding="utf-8")
    return {"dataset_config": str(folder / "sets.toml"), "train_data_dir": "", **changes}


def refusal(folder: Path, text: str, **changes: object) -> ProblemError:
    with pytest.raises(ProblemError) as caught:
        make_plan(make_config(folder, **toml(folder, text, **changes)))
    return caught.value


def test_every_key_counts_where_it_stands(folder: Path) -> None:
    changes = toml(folder, EVERYTHING, masked_loss=True, dataset_repeats=7, train_batch_size=5)
    dataset = read_dataset(make_config(folder, **changes))
    first, second = dataset.parts
    assert (first.rules.resolution, first.rules.step, first.rules.upscale) == (Size(256, 256), 32, False)
    assert (first.batch_size, first.validation_split, first.validation_seed) == (3, 0.5, 4)
    assert (second.rules.resolution, second.rules.enabled) == (Size(128, 192), False)
    assert (second.batch_size, second.validation_split) == (5, 0.0)
    anna, women = first.folders
    (ben,) = second.folders
    assert [(each.source.prompt, each.source.repeats) for each in (anna, women, ben)] == [
        ("anna woman", 3),
        ("", 7),
        ("", 7),
    ]
    assert [each.source.regularization for each in (anna, women, ben)] == [False, True, False]
    assert [each.subset.preserves_output for each in (anna, women, ben)] == [True, False, False]
    assert [each.subset.captions.keep_tokens for each in (anna, women, ben)] == [3, 2, 1]
    assert [each.subset.pictures.interpolation for each in (anna, women, ben)] == ["area", "bicubic", "auto"]
    assert [each.subset.pictures.flip for each in (anna, women, ben)] == [False, True, True]
    captions, pictures = anna.subset.captions, anna.subset.pictures
    assert (captions.extension, captions.shuffle, captions.keep_tokens_separator) == (".caption", True, "|||")
    assert (captions.separator, captions.secondary_separator, captions.wildcard) == ("/", ";;;", True)
    assert (captions.prefix, captions.suffix) == ("photo of", "end")
    assert (captions.dropout_rate, captions.dropout_every_n_epochs) == (0.1, 2)
    assert (captions.tag_dropout_rate, captions.token_warmup_min, captions.token_warmup_step) == (0.25, 2, 10)
    assert (pictures.color, pictures.random_crop, pictures.alpha_mask) == (True, True, True)
    assert pictures.face_crop == (1.5, 3.0)
    masks = {picture.path.name: picture.mask for picture in anna.pictures}
    assert masks["0.png"] == folder / "masks" / "0.jpg"
    assert women.subset.masks is None
    assert {problem.code for problem in dataset.oddities} >= {"folder_ignored", "cache_info_ignored"}


def test_parts_share_no_batches_and_have_their_own_regularization(folder: Path) -> None:
    config = make_config(folder, **toml(folder, EVERYTHING))
    dataset = read_dataset(config)
    assert [sample.part for sample in dataset.validation] == [0, 0]
    batches = epoch_batches(dataset, 7, 1)
    assert all(len({(each.part, each.fit.bucket) for each in batch}) == 1 for batch in batches)
    # anna: 2 of 4 pictures, 3 times, with as much regularization, 3 at a time; ben: once.
    assert sorted(len(batch) for batch in batches) == [1, 3, 3, 3, 3]
    plan = make_plan(config)
    assert (plan.batches_per_epoch, plan.total_steps, plan.validation_images) == (5, 5, 2)
    assert [(bucket.resolution, bucket.count) for bucket in plan.buckets] == [
        ((128, 192), 1),
        ((256, 256), 12),
    ]


def test_the_same_folder_in_two_resolutions(folder: Path) -> None:
    text = "".join(
        f"[[datasets]]\nresolution = {side}\n[[datasets.subsets]]\nimage_dir = 'anna'\n"
        for side in (128, 192)
    )
    dataset = read_dataset(make_config(folder, **toml(folder, text)))
    assert [(sample.part, sample.fit.bucket.width) for sample in dataset.samples] == [(0, 128)] * 4 + [
        (1, 192)
    ] * 4
    assert not dataset.oddities
    broken = dataset.samples[0].picture.path
    assert len(dataset.without({broken}).samples) == 6


def test_a_folder_counts_once_in_a_dataset(folder: Path) -> None:
    text = """
    [[datasets]]
    [[datasets.subsets]]
    image_dir = "anna"
    num_repeats = 2
    [[datasets.subsets]]
    image_dir = "women/../anna/"
    num_repeats = 9
    """
    plan = make_plan(make_config(folder, **toml(folder, text)))
    assert [concept.repeats for concept in plan.concepts] == [2]
    (said,) = [warning.message for warning in plan.warnings if warning.code == "folder_twice"]
    assert "datasets[0].subsets[1]" in said


def test_folders_are_looked_for_beside_the_file_first(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = folder / "elsewhere"
    save_picture(elsewhere / "anna" / "other.png")
    save_picture(elsewhere / "only here" / "a.png")
    monkeypatch.chdir(elsewhere)
    text = "[[datasets]]\n" + "".join(
        f"[[datasets.subsets]]\nimage_dir = {name!r}\n" for name in ("anna", "only here", str(folder / "ben"))
    )
    folders = read_dataset(make_config(folder, **toml(folder, text))).folders()
    assert [Path(each.source.folder) for each in folders] == [
        folder / "anna",
        elsewhere / "only here",
        folder / "ben",
    ]


SUBSET = "[[datasets]]\n[[datasets.subsets]]\nimage_dir = 'anna'\n"


@pytest.mark.parametrize(
    ("text", "place", "to_do"),
    [
        (
            SUBSET + "num_repeats = 'x'",
            "datasets[0].subsets[0].num_repeats: expected a whole number, got text",
            "",
        ),
        (SUBSET + "num_repeats = -1", "datasets[0].subsets[0].num_repeats: expected a whole number >= 0", ""),
        (SUBSET + "num_repeat = 1", "datasets[0].subsets[0]: “num_repeat”", "num_repeats"),
        (SUBSET + "zzz = 1", "datasets[0].subsets[0]: “zzz”", "Remove"),
        (SUBSET + "batch_size = 1", "datasets[0].subsets[0]: “batch_size”", "[[datasets]]"),
        (SUBSET + "metadata_file = 'a.json'", "datasets[0].subsets[0]: “metadata_file”", "captions"),
        (SUBSET + "caption_extension = 'txt'", "subsets[0].caption_extension: expected text", ".txt"),
        (SUBSET + "caption_dropout_rate = nan", "subsets[0].caption_dropout_rate: expected a number", ""),
        (SUBSET + "flip_aug = 1", "subsets[0].flip_aug: expected true or false, got a whole number", ""),
        (SUBSET + "resize_interpolation = 'x'", "subsets[0].resize_interpolation: invalid", "lanczos"),
        (SUBSET + "face_crop_aug_range = [1]", "subsets[0].face_crop_aug_range: expected a list", ""),
        (SUBSET + "face_crop_aug_range = [3, 1]", "datasets[0].subsets[0]: Face crop range", ""),
        (SUBSET + "keep_tokens_separator = ','\ncaption_separator = ','", "datasets[0].subsets[0]: ", ""),
        (SUBSET + "custom_attributes = {x = 1}", "subsets[0].custom_attributes: “x”", "Remove"),
        (
            SUBSET + "[[datasets.subsets]]\nis_reg = true",
            "datasets[0].subsets[1]: image_dir is missing",
            "image_dir",
        ),
        ("[[datasets]]\nnetwork_multiplier = 1.0\n", "datasets[0]: “network_multiplier”", "full strength"),
        ("[[datasets]]\nimage_dir = 'a'\n", "datasets[0]: “image_dir”", "[[datasets.subsets]]"),
        ("[[datasets]]\nresolution = 1.5\n", "datasets[0].resolution: expected a whole number or a list", ""),
        ("[[datasets]]\nresolution = [1]\n", "datasets[0].resolution: expected a list", ""),
        (
            "[[datasets]]\nresolution = [1, -1]\n",
            "datasets[0].resolution[1]: expected a whole number >= 1",
            "",
        ),
        ("[[datasets]]\nbatch_size = 0\n", "datasets[0].batch_size: expected a whole number >= 1", ""),
        ("[[datasets]]\nsubsets = []", "datasets[0].subsets: expected a list", ""),
        ("[[datasets]]", "datasets[0]: subsets is missing", "subsets"),
        ("datasets = 3", "datasets: expected a list, got a whole number", ""),
        ("[general]\nkeep_tokens = 1.0", "general.keep_tokens: expected a whole number, got a number", ""),
        ("[general]\nprior_loss_weight = 1.0", "general: “prior_loss_weight”", "Prior loss weight"),
        ("[general]\n", "sets.toml: datasets is missing", "datasets"),
        ("", "sets.toml: datasets is missing", "datasets"),
        ("a = = 1", "line 1, column 5", "line"),
        ("[general]\nx = 'a", "at end of document", "line"),
        ("a = " + "1" * 5000, "not TOML", "line"),
        ("a = " + "[" * 5000 + "]" * 5000, "not TOML: it is nested too deeply", "line"),
        ("[[datasets]]\nbucket_reso_steps = 40\n" + SUBSET.partition("\n")[2], "datasets[0]: Bucket", ""),
    ],
)
def test_what_is_wrong_is_named_with_its_place(folder: Path, text: str, place: str, to_do: str) -> None:
    problem = refusal(folder, text).problem
    assert place in problem.message
    assert "sets.toml" in problem.message
    assert to_do in str(problem.hint)


def test_a_missing_folder_is_named(folder: Path) -> None:
    error = refusal(folder, SUBSET.replace("anna", "nobody"))
    assert error.problem.code == "folder_missing"
    assert str(folder / "nobody") in error.problem.message


@pytest.mark.parametrize(
    ("file", "code"), [("none.toml", "dataset_config_missing"), ("", "dataset_config_unreadable")]
)
def test_a_file_that_cannot_be_read(folder: Path, file: str, code: str) -> None:
    with pytest.raises(ProblemError) as caught:
        make_plan(make_config(folder, dataset_config=str(folder / file)))
    assert caught.value.problem.code == code


def test_a_folder_that_is_no_path(folder: Path) -> None:
    assert refusal(folder, SUBSET.replace("'anna'", '"a\\u0000b"')).problem.code == "folder_unreadable"


def test_a_file_of_another_encoding(folder: Path) -> None:
    file = folder / "sets.toml"
    file.write_bytes(SUBSET.encode("utf-16"))
    with pytest.raises(ProblemError, match="UTF-8"):
        make_plan(make_config(folder, dataset_config=str(file)))
    file.write_bytes(SUBSET.encode("utf-8-sig").replace(b"\n", b"\r\n"))
    assert make_plan(make_config(folder, dataset_config=str(file))).images == 4


def test_a_folder_without_masks_is_named_where_the_loss_is_masked(folder: Path) -> None:
    text = SUBSET + "conditioning_data_dir = 'masks'\n"
    text += "[[datasets.subsets]]\nimage_dir = 'ben'\n"
    text += "[[datasets.subsets]]\nimage_dir = 'women'\nalpha_mask = true\n"
    plan = make_plan(make_config(folder, **toml(folder, text, masked_loss=True)))
    said = [each.message for each in plan.warnings if each.code == "mask_missing"]
    assert len(said) == 2
    assert "1.png, 2.png, 3.png" in said[0]
    assert str(folder / "ben") in said[1]


def test_only_regularization_in_a_dataset(folder: Path) -> None:
    error = refusal(
        folder, SUBSET + "[[datasets]]\n[[datasets.subsets]]\nimage_dir = 'women'\nis_reg = true\n"
    )
    assert error.problem.code == "no_images"
    assert "women" in error.problem.message


def test_warnings_of_the_rules_name_their_place_once(folder: Path) -> None:
    text = SUBSET.replace("[[datasets]]\n", "[[datasets]]\ntoken_warmup_min = 5\n", 1)
    text += "[[datasets.subsets]]\nimage_dir = 'ben'\n"
    plan = make_plan(make_config(folder, **toml(folder, text)))
    (said,) = [each.message for each in plan.warnings if each.code == "token_warmup_ignored"]
    assert said.startswith("sets.toml, datasets[0].subsets[0]: ")
