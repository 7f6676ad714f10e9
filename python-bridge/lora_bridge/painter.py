"""Draws pictures with the UNet as it is, LoRA included."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from lora_bridge.buckets import LATENT_STEP
from lora_bridge.identify import Prediction
from lora_bridge.problems import ProblemError
from lora_bridge.progress import check_stop
from lora_bridge.samplers import Denoising
from lora_bridge.vae import LATENT_CHANNELS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sample_prompts import SamplePrompt
    from lora_bridge.sink import Sink
    from lora_bridge.text import Texts
    from lora_bridge.unet import Unet
    from lora_bridge.vae import Vae


class Painter:
    """What it takes to draw prompts. It changes nothing in the UNet and in torch's own generators."""

    def __init__(self, config: TrainConfig, unet: Unet, vae: Vae, texts: Texts, device: torch.device) -> None:
        """`unet` and `texts` are on `device`, `vae` on the CPU. `texts` knows all prompts."""
        self._prediction = Prediction(config.v_parameterization, config.zero_terminal_snr)
        self._unet = unet
        self._vae = vae
        self._texts = texts
        self._device = device

    def learn(self, prompts: Sequence[SamplePrompt]) -> None:
        """Be able to draw these too. Raises StopRequested."""
        self._texts.learn([text for prompt in prompts for text in (prompt.text, prompt.negative)])

    # No inference mode: what that leaves behind, no training could use.
    @torch.no_grad()
    def draw(self, prompt: SamplePrompt, seed: int, sink: Sink) -> Tensor:
        """The picture of a prompt, [3, height, width] on the CPU, from about -1 to 1.

        All chance comes from `seed`, drawn on the CPU so that it means the same on every device. Raises
        ProblemError `sample_not_finite`; StopRequested between two steps.
        """
        pixels = self._vae.decode(self._latent(prompt, torch.Generator().manual_seed(seed), sink))
        if not pixels.isfinite().all():
            raise ProblemError(
                "sample_not_finite",
                f"The picture of prompt {prompt.index + 1} is not made of finite numbers.",
                "Lower the learning rate, use bf16 instead of fp16, or try another base model.",
            )
        return pixels

    def _latent(self, prompt: SamplePrompt, generator: torch.Generator, sink: Sink) -> Tensor:
        """A scaled latent [4, height / 8, width / 8], fp32.

        Where the scale is above 1 it is guided away from the negative prompt (Ho & Salimans 2022).
        """
        guided = prompt.cfg_scale > 1
        shown = [prompt.negative, prompt.text] if guided else [prompt.text]
        hidden, pooled = self._texts.embed_prompts(shown)
        size = [prompt.height, prompt.width]
        time_ids = torch.tensor([[*size, 0, 0, *size]] * len(shown), dtype=torch.float32).to(self._device)

        denoising = Denoising(prompt.sampler, prompt.steps, generator, self._prediction)
        shape = (1, LATENT_CHANNELS, prompt.height // LATENT_STEP, prompt.width // LATENT_STEP)
        latents = torch.randn(shape, generator=generator).to(self._device) * denoising.first_sigma
        for timestep in denoising.timesteps():
            check_stop(sink)
            noisy = denoising.model_input(latents, timestep).expand(len(shown), -1, -1, -1)
            times = timestep.to(self._device).expand(len(shown))
            predictions = self._unet.predict(noisy, times, hidden, pooled, time_ids).float()
            away, prediction = predictions[:1], predictions[-1:]
            if guided:
                prediction = away + prompt.cfg_scale * (prediction - away)
            latents = denoising.step(prediction, timestep, latents)
        return latents[0]
