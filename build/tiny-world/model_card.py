"""The model card that is written beside the models."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def model_card(log: Path, seed: int) -> str:
    """In Hugging Face's usual form, with what the training said of itself at its end."""
    lines = [line.split("s  ", 1) for line in log.read_text(encoding="utf-8").splitlines()]
    said = [text for _, text in lines if text.startswith(("VAE, ", "judge, ", "BLIP, ", "SDXL, "))]
    minutes = float(lines[-1][0]) / 60
    results = "\n".join(f"- {text}" for text in said)
    return f"""\
---
license: apache-2.0
language: en
---

# The tiny world's models

Made by `npm run build:tiny-world` with seed {seed} in {minutes:.0f} minutes on two cores, from pictures
that the project draws itself (`../portrait.py`, `../world.py`): no photograph, no other model and no outside
data is in them. `training.log` has the versions and how each training went.

| folder | what it is |
| --- | --- |
| `sdxl` | SDXL's structure at small size, 128 x 128 pixels, in diffusers' format, fp16 |
| `blip` | BLIP for captioning at small size, in transformers' format, fp16 |
| `judge.safetensors` | the small classifier that reads pictures back (`../judge.py`), fp16 |

What the training measured at its end, on pictures and prompts that it had not seen:

{results}

They know men and women in front of a plain background, in the words of `../world.py`, and nothing else. They
are for trying out and testing LoRA Atelier; `npm run quality` measures with them what the trainer teaches.
"""
