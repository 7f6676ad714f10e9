"""2000 datasets with everything wrong that folders and captions can have: a clear sentence, or a run."""

from __future__ import annotations

import re
import shutil
import signal
import sys
from collections import Counter
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
import pytest
import torch
from dataset_fuzz import Case, Entry, draw_case, kinds_of, write_tree
from fuzz_files import CAPTIONS, pictures
from job_support import CPU, events_of, make_job, start_bridge
from training_support import make_config

from lora_bridge import appearances, jobs
from lora_bridge.caption_rules import plain_caption
from lora_bridge.dataset import epoch_batches, read_dataset
from lora_bridge.images import UNREADABLE
from lora_bridge.materials import texts_of
from lora_bridge.metadata import RunFacts, file_metadata
from lora_bridge.model import DiffusersModel
from lora_bridge.plan import make_plan, make_schedule, plan_of
from lora_bridge.problems import ProblemError
from lora_bridge.protocol_types import FailedEvent, FinishedEvent, TrainConfig
from lora_bridge.render import render
from lora_bridge.system import stop_signals
from lora_bridge.text_encoder import TextEncoder, reading_of
from lora_bridge.views import centred_view, time_ids

if TYPE_CHECKING:
    from collections.abc import Iterator

    from lora_bridge.dataset import Dataset
    from lora_bridge.plan import Plan
    from lora_bridge.protocol_types import Problem

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning:PIL")

CASES = 2000
AT_ONCE = 100
MOST_STEPS = 3
MOST_SHOWN = 6
"""Of a step."""
RUN = range(0, CASES, 50)
"""Cases that are trained."""
OF_THEIR_OWN = RUN[:3]
"""Those of them that are trained in a process of their own."""
_TINY = {"min_bucket_reso": 64, "max_resolution": "64,64", "bucket_no_upscale": False}
_ONE_STEP = {"max_train_steps": 1, "epoch": 1, "gradient_accumulation_steps": 1, "sample_prompts": ""}
_LABELS = Path(__file__).parents[2] / "shared" / "parameters"


@pytest.fixture(scope="module")
def reader(tiny_sdxl: Path) -> TextEncoder:
    return DiffusersModel(str(tiny_sdxl), local=True).text_encoder(0, torch.float32)


@pytest.fixture(scope="module")
def labels() -> list[str]:
    """What the fields are called."""
    text = "\n".join(file.read_text(encoding="utf-8") for file in _LABELS.glob("*.ts"))
    found = [one or other for one, other in re.findall(r"label:\s*(?:'([^']+)'|\"([^\"]+)\")", text)]
    assert len(found) > 80
    return [label.partition(" (")[0] for label in found]


@pytest.mark.parametrize("first", range(0, CASES, AT_ONCE))
def test_a_dataset_ends_in_a_clear_sentence_or_can_be_read(
    tmp_path: Path, reader: TextEncoder, labels: list[str], first: int
) -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(first, first + AT_ONCE):
        case = draw_case(seed)
        root = tmp_path / str(seed)
        write_tree(root, case.tree)
        try:
            outcomes[_outcome_of(case, root, reader, labels)] += 1
        except Exception as error:
            raise AssertionError(f"{type(error).__name__}: {error}\n{case}") from error
        shutil.rmtree(root)
    assert outcomes["read"] > AT_ONCE / 4, outcomes
    assert sum(outcomes.values()) - outcomes["read"] > AT_ONCE / 10, outcomes


def _outcome_of(case: Case, root: Path, reader: TextEncoder, labels: list[str]) -> str:
    """`read`, or the code of the problem that was told."""
    config = make_config(root, **{**_TINY, **case.changes(root)})
    # Nothing that the app would not let through.
    config = msgspec.convert(msgspec.to_builtins(config), TrainConfig)
    problem = _problem_of(config, reader)
    if problem is None:
        return "read"
    _require_clear(problem)
    names = (*labels, str(root), *case.tree)
    assert any(name in problem.message for name in names), problem
    return problem.code


def _problem_of(config: TrainConfig, reader: TextEncoder) -> Problem | None:
    try:
        plan = make_plan(config)
        _require_plan(plan)
        _read_all(read_dataset(config), plan, reader)
    except ProblemError as error:
        return error.problem
    return None


def _require_clear(problem: Problem) -> None:
    """As the app gets it: text of one sentence or more, and what to do."""
    told = msgspec.json.decode(msgspec.json.encode(problem), type=type(problem))
    _require_sentence(told)
    assert told.hint, told


def _require_sentence(problem: Problem) -> None:
    assert problem.message.endswith("."), problem
    assert len(problem.message.split()) > 3, problem
    assert "Traceback" not in problem.message, problem


def _require_plan(plan: Plan) -> None:
    told = msgspec.json.decode(msgspec.json.encode(plan), type=type(plan))
    assert told.total_steps >= told.epochs > 0
    for warning in told.warnings:
        _require_sentence(warning)


def _read_all(dataset: Dataset, plan: Plan, reader: TextEncoder) -> None:
    """All that a training reads, but for the models."""
    config, schedule = dataset.config, make_schedule(dataset.config, dataset)
    for epoch in (1, 2):
        batches = epoch_batches(dataset, seed=7, epoch=epoch)
        assert epoch > 1 or len(batches) == plan.batches_per_epoch
        assert all(len({sample.fit.bucket for sample in batch}) == 1 for batch in batches)
    reading, broken = reading_of(config), set[Path]()
    for step in islice(appearances.steps(config, dataset, schedule, seed=7), MOST_STEPS):
        shown = [appearance for batch in step.batches for appearance in batch][:MOST_SHOWN]
        tokens = reader.tokens([appearance.text for appearance in shown], reading)
        assert tokens.weights is None or tokens.weights.isfinite().all()
        for sample, view, _text in shown:
            bucket = sample.fit.bucket
            told = time_ids(sample, view, kohya_exact=config.kohya_exact)
            assert told[-2:] == (bucket.height, bucket.width)
            try:
                rendered = render(sample, view)
            except UNREADABLE:
                broken.add(sample.picture.path)
                continue
            assert rendered.pixels.shape == (3, bucket.height, bucket.width)
            assert rendered.pixels.abs().max() <= 1
            if rendered.mask is not None:
                assert rendered.mask.shape == (1, bucket.height // 8, bucket.width // 8)
    facts = RunFacts(config, dataset, schedule, seed=7, warmup_steps=0, optimizer="AdamW")
    written = file_metadata(facts, Path("ohwx.safetensors"), step=1, epoch=1)
    assert all(value.encode() for value in written.values())
    texts = texts_of(dataset, [])
    for sample in dataset.validation[:2]:
        assert (
            texts is None or plain_caption(sample.subset.captions, sample.picture.caption) in texts.captions
        )
        assert centred_view(sample).bucket == sample.fit.bucket
    if broken:
        _require_plan(plan_of(config, dataset.without(broken)))


@pytest.fixture
def quiet_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """One processor, locks of our own, and the signal handlers put back."""
    monkeypatch.setenv("ATELIER_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setattr(jobs, "devices", lambda: [CPU])
    before = {number: signal.getsignal(number) for number in stop_signals()}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.mark.usefixtures("quiet_machine")
def test_a_training_ends_in_a_clear_sentence_or_a_lora(tmp_path: Path, tiny_sdxl: Path) -> None:
    outcomes: Counter[str] = Counter()
    for seed in RUN:
        folder = _make_job(tmp_path / str(seed), draw_case(seed), tiny_sdxl)
        jobs.run_job(folder)
        outcomes[_ending_of(folder, seed)] += 1
    assert outcomes["finished"] > len(RUN) / 4, outcomes
    assert len(outcomes) > 3, outcomes


def test_a_job_of_its_own_ends_in_a_clear_sentence_or_a_lora(tmp_path: Path, tiny_sdxl: Path) -> None:
    for seed in OF_THEIR_OWN:
        folder = _make_job(tmp_path / str(seed), draw_case(seed), tiny_sdxl)
        process = start_bridge(["job", str(folder)], tmp_path / "data", is_scripted=False)
        _, said = process.communicate(timeout=120)
        ending = _ending_of(folder, seed)
        assert (process.returncode == 0) == (ending == "finished")
        assert b"Traceback" not in said, said.decode()


def _make_job(root: Path, case: Case, model: Path) -> Path:
    """A job that trains a case for a step."""
    write_tree(root / "data", case.tree)
    changes = {
        **_TINY,
        **case.changes(root / "data"),
        **_ONE_STEP,
        "pretrained_model_name_or_path": str(model),
    }
    config = make_config(root, **changes)
    return make_job(root / "job", config=msgspec.to_builtins(config))


def _ending_of(folder: Path, seed: int) -> str:
    """`finished`, or the code that the job failed with."""
    match events_of(folder)[-1]:
        case FinishedEvent(outcome="completed"):
            return "finished"
        case FailedEvent(problem=problem):
            assert problem.code != "unexpected", f"{problem}\n{draw_case(seed)}"
            _require_clear(problem)
            return problem.code
        case last:
            raise AssertionError(f"{last}\n{draw_case(seed)}")


def test_the_cases_hold_every_kind(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every kind is drawn; which of them this system can have is said."""
    entries: dict[str, dict[str, Entry]] = {}
    drawn: Counter[str] = Counter()
    for seed in range(CASES):
        case = draw_case(seed)
        drawn += kinds_of(case)
        for path, entry in case.tree.items():
            name = f"1/{path.rpartition('/')[2]}"
            entries.setdefault(entry.kind, {"1": Entry("folder: plain"), name: entry})
    assert drawn.keys() >= {each.kind for each in (*CAPTIONS, *pictures())}
    possible = {
        kind
        for number, (kind, tree) in enumerate(entries.items())
        if not write_tree(tmp_path / str(number), tree)
    }
    said = f"{len(possible)} of {len(entries)} kinds of entries are possible here."
    with capsys.disabled():
        sys.stdout.write(f"\n{said}\n")
    assert {kind for kind in entries if kind.startswith(("caption: ", "toml: "))} <= possible
