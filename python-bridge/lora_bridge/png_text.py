"""What a picture says of how it was drawn, in the form that A1111 writes and most tools read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lora_bridge.sampler_names import a1111_name

if TYPE_CHECKING:
    from lora_bridge.sample_prompts import SamplePrompt

KEY = "parameters"
"""Of the text in a PNG file."""


def parameters_text(prompt: SamplePrompt, seed: int, model: str, lora: str) -> str:
    """The prompt, what it should not show, and a line of settings.

    `model` is the base model's name, `lora` the name under which the LoRA is trained.
    """
    settings = {
        "Steps": prompt.steps,
        "Sampler": a1111_name(prompt.sampler),
        "CFG scale": f"{prompt.cfg_scale:g}",
        "Seed": seed,
        "Size": f"{prompt.width}x{prompt.height}",
        "Model": _quoted(model),
        "LoRA": _quoted(lora),
    }
    line = ", ".join(f"{key}: {value}" for key, value in settings.items())
    negative = [f"Negative prompt: {prompt.negative}"] if prompt.negative else []
    return "\n".join([prompt.text, *negative, line])


def _quoted(value: str) -> str:
    """As A1111 does with what would end the value early."""
    if not any(mark in value for mark in ',:\n"'):
        return value
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
