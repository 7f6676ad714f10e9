"""Draws one prompt with and without a LoRA through diffusers alone and prints how much the pictures differ.

python lora_effect.py BASE_MODEL LORA: one JSON object, {"meanAbsoluteDifference": 0..255, "adapters": N}.
"""

from __future__ import annotations

import json
import sys

import numpy as np
import torch
from diffusers import DPMSolverMultistepScheduler, StableDiffusionXLPipeline


def draw(pipeline: StableDiffusionXLPipeline) -> np.ndarray:
    image = pipeline(
        prompt="a photo of a woman",
        width=128,
        height=128,
        num_inference_steps=4,
        guidance_scale=7,
        generator=torch.Generator().manual_seed(7),
    ).images[0]
    return np.asarray(image, dtype=np.float32)


base_model, lora = sys.argv[1:]
pipeline = StableDiffusionXLPipeline.from_pretrained(base_model, torch_dtype=torch.float32, local_files_only=True)
pipeline.scheduler = DPMSolverMultistepScheduler.from_config(pipeline.scheduler.config, use_karras_sigmas=True)
pipeline.set_progress_bar_config(disable=True)
without = draw(pipeline)
pipeline.load_lora_weights(lora)
adapters = sum("lora_A" in name for name, _ in pipeline.unet.named_parameters())
difference = float(np.abs(draw(pipeline) - without).mean())
print(json.dumps({"meanAbsoluteDifference": difference, "adapters": adapters}))
