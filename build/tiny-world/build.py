"""The tiny world's models, made from nothing: a judge, a BLIP and an SDXL, with their log and model card.

python build/tiny-world/build.py --out DIR [--seed N]

Takes about 40 minutes on two cores.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import platform
import shutil
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

_HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(_HERE.parent), str(_HERE.parents[1] / "python-bridge")]
# Threads that spin while they wait take the core that another process needs.
os.environ["OMP_WAIT_POLICY"] = "PASSIVE"

import diffusers  # noqa: E402
import torch  # noqa: E402
import transformers  # noqa: E402
from diffusers import AutoencoderKL  # noqa: E402
from drawing import draw, held_out_people, prompt_of, read_back  # noqa: E402
from judge import load_judge, save_judge  # noqa: E402
from model_card import model_card  # noqa: E402
from train_blip import train_blip  # noqa: E402
from train_judge import train_judge  # noqa: E402
from train_sdxl import train_sdxl  # noqa: E402
from train_vae import train_decoder, train_vae  # noqa: E402
from training import Log  # noqa: E402
from vocabularies import drop_duplicates, write_clip_tokenizers  # noqa: E402

if TYPE_CHECKING:
    from diffusers import StableDiffusionXLPipeline

JUDGE, BLIP, SDXL, LOG, CARD = "judge.safetensors", "blip", "sdxl", "training.log", "README.md"
VAE = "vae-alone"
_LOOKS = 40


def build(out: Path, seed: int) -> None:
    """Train everything into a folder beside `out` that takes its place at the end."""
    new = out.with_name(f".{out.name}-new")
    shutil.rmtree(new, ignore_errors=True)
    new.mkdir(parents=True)
    log = Log(new / LOG, time.time())
    log.say(
        f"seed {seed}, torch {torch.__version__}, diffusers {diffusers.__version__}, "
        f"transformers {transformers.__version__}, Python {platform.python_version()}"
    )
    _use_one_core()
    write_clip_tokenizers(new / SDXL, seed)
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), _use_one_core) as beside:
        judge_made = beside.submit(_make_judge, new, seed, log)
        vae = train_vae(seed, log)
        vae.save_pretrained(new / VAE)
        others = [
            beside.submit(_make_blip, new, seed, log),
            beside.submit(train_decoder, new / VAE, seed, log),
        ]
        judge_made.result()
        pipeline = train_sdxl(vae, new / SDXL, seed, log, lambda painter: _look_at(painter, new, seed))
        for other in others:
            other.result()
    # Into the model that is there: one that was loaded would save the path that it came from.
    vae.load_state_dict(AutoencoderKL.from_pretrained(new / VAE).state_dict())
    shutil.rmtree(new / VAE)
    log.say(f"SDXL, finished, draws: {_look_at(pipeline, new, seed)}")
    pipeline.to(torch.float16).save_pretrained(new / SDXL)
    drop_duplicates(new / SDXL)
    log.say("finished")
    (new / CARD).write_text(model_card(new / LOG, seed), encoding="utf-8")
    old = out.with_name(f".{out.name}-old")
    shutil.rmtree(old, ignore_errors=True)
    if out.exists():
        out.rename(old)
    new.rename(out)
    shutil.rmtree(old, ignore_errors=True)


def _look_at(painter: StableDiffusionXLPipeline, folder: Path, seed: int) -> str:
    """Save what there is so far, to be tried out, and let the judge read what it draws."""
    painter.save_pretrained(folder / SDXL)
    people = held_out_people(_LOOKS, seed + 100)
    pictures = draw(painter, [prompt_of(person) for person in people])
    return str(read_back(load_judge(folder / JUDGE), pictures, people))


def _use_one_core() -> None:
    torch.set_num_threads(1)


def _make_judge(folder: Path, seed: int, log: Log) -> None:
    save_judge(train_judge(seed, log), folder / JUDGE)


def _make_blip(folder: Path, seed: int, log: Log) -> None:
    train_blip(seed, log).save(folder / BLIP)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=_HERE / "models", metavar="DIR")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    build(arguments.out.resolve(), arguments.seed)


if __name__ == "__main__":
    main()
