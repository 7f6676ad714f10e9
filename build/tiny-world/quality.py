"""What the models of the tiny world know, and what the trainer teaches them, in figures.

python build/tiny-world/quality.py --sample DIR [--quick] [--report FILE]

`--quick` leaves out what takes long: the training without regularization, the one of ten times the steps, the
mutants. Ends with 1 when a figure is not as good as it must be. Two processes of one core each; the mutants'
tests run beside the long training.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import sys
import tempfile
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent), str(_HERE.parents[1] / "python-bridge")]
os.environ |= {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "TRANSFORMERS_VERBOSITY": "error"}

import measures  # noqa: E402
from mutants import MutantsError, run_mutants  # noqa: E402
from portrait import BACKGROUNDS, HAIR_COLOURS  # noqa: E402
from report import Report  # noqa: E402
from teaching import Lesson, prepare, read_sample, teach  # noqa: E402

if TYPE_CHECKING:
    from drawing import Reading
    from measures import Taught

LONGER = 10
"""Times the sample's epochs: the training that overfits."""
POINTS = 10
"""Of its curve."""


def measure_all(
    pool: ProcessPoolExecutor, sample: Path, folder: Path, report: Report, *, quick: bool
) -> None:
    """Start everything, the longest first, and note the figures as they come."""
    prepare(sample, folder)
    epochs = read_sample(sample)["parameters"]["epoch"]
    longer = None
    if not quick:
        changes = {"epoch": LONGER * epochs, "save_every_n_epochs": LONGER * epochs // POINTS}
        longer = pool.submit(teach, sample, folder, "longer", **changes)
    lesson = pool.submit(teach, sample, folder, "nova")
    captions, by_chance = pool.submit(measures.captions_right), pool.submit(measures.captions_by_chance)
    drawings = pool.submit(measures.drawings_right, prompted=True)
    unprompted = pool.submit(measures.drawings_right, prompted=False)
    base = pool.submit(measures.taught, None)
    alone = None if quick else pool.submit(teach, sample, folder, "alone", reg_data_dir="")

    with_lora = pool.submit(measures.taught, lesson.result().files[0])
    _check_captions(report, captions.result(), by_chance.result())
    _check_drawings(report, drawings.result(), unprompted.result())
    _check_teaching(report, lesson.result(), base.result(), with_lora.result())
    if alone is not None and longer is not None:
        without = pool.submit(measures.taught, alone.result().files[0])
        _check_prior(report, base.result(), with_lora.result(), without.result())
        _check_mutants(report)
        files = sorted(longer.result().files)
        points = list(pool.map(measures.taught, files))
        _check_overfitting(report, with_lora.result(), points, longer.result().steps)


def _check_captions(report: Report, right: Reading, by_chance: Reading) -> None:
    report.check(
        "captions of 200 unseen pictures are right", str(right), "each >= 0.90", passed=min(right) >= 0.9
    )
    report.check("the same with shuffled weights", str(by_chance), "mean < 0.40", passed=by_chance.mean < 0.4)


def _check_drawings(report: Report, right: Reading, unprompted: Reading) -> None:
    report.check(
        "100 drawings of unseen people show what was asked",
        str(right),
        "mean >= 0.80",
        passed=right.mean >= 0.8,
    )
    chance = (1 / len(HAIR_COLOURS) + 1 / 2 + 1 / len(BACKGROUNDS)) / 3
    report.check(
        "with an empty prompt",
        str(unprompted),
        f"mean within 0.10 of chance, {chance:.2f}",
        passed=abs(unprompted.mean - chance) <= 0.1,
    )


def _check_teaching(report: Report, lesson: Lesson, base: Taught, lora: Taught) -> None:
    report.check(
        f"the sample's {lesson.steps} steps on one core",
        f"{lesson.seconds:.0f} s",
        "< 180 s",
        passed=lesson.seconds < 180,
    )
    rises = [after - before for before, after in zip(base.likeness, lora.likeness, strict=True)]
    share = sum(rise >= measures.CLEAR_RISE for rise in rises) / len(rises)
    report.check(
        f"likeness to Nova rises by {measures.CLEAR_RISE} or more",
        f"on {share:.0%} of {len(rises)} seeds, from {base.mean_likeness:.2f} to {lora.mean_likeness:.2f}",
        ">= 90 %",
        passed=share >= 0.9,
    )
    report.check(
        "Nova has the background that is asked for",
        f"{lora.background:.2f} of 32 pictures",
        ">= 0.70",
        passed=lora.background >= 0.7,
    )


def _check_prior(report: Report, base: Taught, with_class: Taught, without: Taught) -> None:
    kept = abs(with_class.class_likeness - base.class_likeness)
    drifted = abs(without.class_likeness - base.class_likeness)
    report.check(
        "drift of the class with regularization pictures",
        f"{kept:.3f}, without {drifted:.3f}",
        "less than half of a drift of 0.20 or more",
        passed=drifted >= 0.2 and kept < drifted / 2,
    )


def _check_mutants(report: Report) -> None:
    try:
        results = run_mutants()
    except MutantsError as error:
        report.check("mutants", str(error), "can be judged", passed=False)
        return
    for mutant in results:
        report.check(
            f"mutant: {mutant.what}",
            f"caught by {mutant.caught_by}" if mutant.caught_by else mutant.flaw,
            "caught",
            passed=mutant.caught_by is not None,
        )


def _check_overfitting(report: Report, usual: Taught, points: list[Taught], steps: int) -> None:
    for number, point in enumerate(points, start=1):
        report.curve.append(
            {
                "step": steps * number // len(points),
                "likeness": round(point.mean_likeness, 4),
                "follows": round(point.follows, 4),
                "validationLoss": round(point.validation_loss, 5),
            }
        )
        print(
            "          " + ", ".join(f"{name} {value}" for name, value in report.curve[-1].items()),
            flush=True,
        )
    last = points[-1]
    report.check(
        f"with {steps} steps Nova has the background, glasses and hat that are asked for",
        f"{last.follows:.2f}, with the usual steps {usual.follows:.2f}",
        "0.10 less",
        passed=last.follows <= usual.follows - 0.1,
    )
    report.check(
        "and is no more like Nova",
        f"{last.mean_likeness:.2f}, with the usual steps {usual.mean_likeness:.2f}",
        "no rise above 0.10",
        passed=last.mean_likeness <= usual.mean_likeness + 0.1,
    )
    losses = [point.validation_loss for point in points]
    best = losses.index(min(losses))
    report.check(
        "the validation loss turns",
        f"lowest {min(losses):.4f} at step {report.curve[best]['step']}, at the end {losses[-1]:.4f}",
        "lowest before the end",
        passed=best < len(losses) - 1 and losses[-1] > 1.02 * min(losses),
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sample", type=Path, required=True, metavar="DIR")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--report", type=Path, metavar="FILE")
    arguments = parser.parse_args()
    report = Report()
    try:
        with (
            tempfile.TemporaryDirectory() as folder,
            ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as pool,
        ):
            measure_all(pool, arguments.sample, Path(folder), report, quick=arguments.quick)
    finally:
        if arguments.report is not None:
            report.save(arguments.report)
    failed = sum(not check.passed for check in report.checks)
    print(f"{len(report.checks) - failed} of {len(report.checks)} figures are as they must be.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
