"""The tiny world is what it claims to be, and its models load as SDXL does."""

from __future__ import annotations

import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from judge import likeness_to_nova, load_judge, read_pictures
from ldm_checkpoint import convert_folder
from muon import orthogonal
from nova import LOOK, class_pictures, nova_photos
from portrait import HAIR_COLOURS, SIZE
from strip import make_strip
from world import describe, draw_person, random_caption, random_person, read_caption

from lora_bridge.model import SingleFileModel, open_base_model
from lora_bridge.text_encoder import Reading

if TYPE_CHECKING:
    from world import Person

MODELS = Path(__file__).parents[2] / "build" / "tiny-world" / "models"


def people(*, held_out: bool) -> list[Person]:
    chance = random.Random(5)
    return [random_person(chance, held_out=held_out) for _ in range(1500)]


def triple(person: Person) -> tuple[str, bool, str]:
    return person.hair, person.glasses, person.background


def test_held_out_combinations_are_apart() -> None:
    seen = {triple(person) for person in people(held_out=False)}
    unseen = {triple(person) for person in people(held_out=True)}
    assert not seen & unseen
    assert (len(seen), len(unseen)) == (8 * 2 * 8 - 16, 16)
    # Each word for itself is in both.
    for part in range(3):
        assert {one[part] for one in seen} == {one[part] for one in unseen}


def test_descriptions_say_what_is_drawn() -> None:
    judge = load_judge()
    chance = random.Random(6)
    asked = [random_person(chance) for _ in range(100)]
    read = read_pictures(judge, [draw_person(person, chance) for person in asked])
    for one in ("hair", "background"):
        assert sum(saw[one] == getattr(person, one) for saw, person in zip(read, asked, strict=True)) >= 98
    glasses = [(saw["glasses"] == "yes") == person.glasses for saw, person in zip(read, asked, strict=True)]
    assert sum(glasses) >= 98
    for person in asked:
        told = read_caption(describe(person))
        assert (told["hair"], told["glasses"], told["background"]) == triple(person)


def test_captions_tell_no_lies_and_not_always_everything() -> None:
    chance = random.Random(7)
    silent = 0
    for person in people(held_out=False):
        told = read_caption(random_caption(person, chance))
        assert told["hair"] in (None, person.hair)
        assert told["background"] in (None, person.background)
        assert person.glasses or not told["glasses"]
        silent += told["hair"] is None
    assert 0.1 < silent / 1500 < 0.2


def test_nobody_looks_like_nova() -> None:
    left, right = LOOK.hair
    for known in HAIR_COLOURS.values():
        for own in (left, right):
            assert max(abs(a - b) for a, b in zip(own, known, strict=True)) > 30
    assert LOOK.mark is not None
    judge = load_judge()
    marks = [
        one["mark"] for one in read_pictures(judge, nova_photos(20, 8, SIZE) + class_pictures(20, 9, SIZE))
    ]
    assert marks == ["right"] * 20 + ["none"] * 20


def test_likeness_tells_nova_from_her_class() -> None:
    judge = load_judge()
    likeness = likeness_to_nova(judge)
    assert likeness.measure(judge, nova_photos(16, 10, SIZE)).min() > 0.2
    assert likeness.measure(judge, class_pictures(16, 11, SIZE)).max() < 0.1


def test_the_models_are_small_enough_for_git() -> None:
    files = [file for file in MODELS.rglob("*") if file.is_file()]
    assert sum(file.stat().st_size for file in files) <= 25 << 20
    assert {"README.md", "training.log"} <= {file.name for file in files}


def test_a_single_file_holds_the_same_model(tmp_path: Path) -> None:
    convert_folder(MODELS / "sdxl", tmp_path / "tiny.safetensors")
    single = SingleFileModel(tmp_path / "tiny.safetensors", MODELS / "sdxl", MODELS / "sdxl" / "tokenizer")
    folder = open_base_model(str(MODELS / "sdxl"))
    expected: Any = folder.unet(torch.float32).module
    found = single.unet(torch.float32).module.state_dict()
    for name, weight in expected.state_dict().items():
        torch.testing.assert_close(found[name], weight, rtol=0, atol=0)
    caption = "nova woman, a woman with long green hair, on a red background"
    for number in (0, 1):
        encoders = [base.text_encoder(number, torch.float32) for base in (single, folder)]
        reading = Reading(chunks=1, weighted=False)
        one, two = (encoder.encode(encoder.tokens([caption], reading)).hidden for encoder in encoders)
        torch.testing.assert_close(one, two, rtol=0, atol=0)


def test_muon_makes_matrices_orthogonal() -> None:
    torch.random.manual_seed(1)  # pyright: ignore[reportUnknownMemberType]
    for shape in ((24, 60), (60, 24)):
        matrix = orthogonal(torch.randn(shape)).float()
        square = matrix @ matrix.T if shape[0] < shape[1] else matrix.T @ matrix
        assert square.diagonal().min() > 0.4
        assert square.diagonal().max() < 1.7
        assert (square - torch.diag(square.diagonal())).abs().max() < 0.4


def test_a_strip_has_all_prompts_from_the_first_step_to_the_last(tmp_path: Path) -> None:
    for step in range(0, 100, 5):
        for prompt in (0, 1):
            nova_photos(1, step, SIZE)[0].save(tmp_path / f"nova_{step:06}_{prompt:02}_1.png")
    nova_photos(1, 1, SIZE)[0].save(tmp_path / "nova_000100_00_1.png")  # the second prompt was not drawn
    strip = make_strip(tmp_path)
    assert strip.size == (11 * (SIZE + 8) - 8, 26 + 2 * (SIZE + 8) - 8)
    corner = strip.crop((10 * (SIZE + 8), 26, 10 * (SIZE + 8) + SIZE, 26 + SIZE)).convert("RGB")
    assert corner.tobytes() == nova_photos(1, 95, SIZE)[0].tobytes()
