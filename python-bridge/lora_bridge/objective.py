"""What the model is asked, and how its answer is judged. Nothing here waits for the device."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from lora_bridge import noise as noises
from lora_bridge.loss import huber_thresholds, sample_losses
from lora_bridge.loss_weights import loss_weights

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from lora_bridge.protocol_types import TrainConfig


class Drawn(NamedTuple):
    """A question: latents with noise in them."""

    noisy: Tensor
    """[B, 4, h, w]; what the model is shown."""
    timesteps: Tensor
    """[B], int64."""
    noise: Tensor
    """[B, 4, h, w]; what the target is made of. With input perturbation `noisy` has a little more in it."""


class Objective:
    """The question and the judgement that a config asks for, as tables over timesteps on the device."""

    def __init__(self, config: TrainConfig, signal: Tensor, weights: Tensor) -> None:
        """`signal` is the noise schedule and `weights` what the loss counts, both [1000], fp32."""
        self._config = config
        self._signal = signal
        self._weights = weights
        bends = config.loss_type in ("huber", "smooth_l1")
        self._thresholds = huber_thresholds(config, signal) if bends else None

    def draw(self, latents: Tensor, generator: torch.Generator) -> Drawn:
        """Draw noise and timesteps for latents [B, 4, h, w], which are on the generator's device."""
        config = self._config
        noise = self._draw_noise(latents, generator)
        lowest, end = config.min_timestep, config.max_timestep
        timesteps = noises.draw_timesteps(len(latents), lowest, end, generator)
        shown = noise
        if config.ip_noise_gamma > 0:
            strength = _strength(
                config.ip_noise_gamma, generator, random=config.ip_noise_gamma_random_strength
            )
            shown = noises.disturbed_noise(noise, strength, generator)
        return Drawn(self.mix(latents, shown, timesteps), timesteps, noise)

    def draw_share(self, latents: Tensor, share: slice, count: int, generator: torch.Generator) -> Drawn:
        """Draw for a share of a batch of `count` what it has when the batch is drawn for as a whole."""
        if len(latents) == count:
            return self.draw(latents, generator)
        whole = latents.new_zeros(count, *latents.shape[1:])
        whole[share] = latents
        drawn = self.draw(whole, generator)
        return Drawn(drawn.noisy[share], drawn.timesteps[share], drawn.noise[share])

    def mix(self, latents: Tensor, noise: Tensor, timesteps: Tensor) -> Tensor:
        """Latents [B, 4, h, w] with this noise in them at timesteps [B]."""
        return noises.add_noise(latents, noise, self._signal[timesteps])

    def target(self, latents: Tensor, drawn: Drawn) -> Tensor:
        """What the model should answer, [B, 4, h, w]: the noise, or the velocity."""
        if self._config.v_parameterization:
            return noises.velocity(latents, drawn.noise, self._signal[drawn.timesteps])
        return drawn.noise

    def losses(
        self,
        prediction: Tensor,
        latents: Tensor,
        drawn: Drawn,
        masks: Tensor | None,
        target: Tensor | None = None,
    ) -> Tensor:
        """The loss of each sample, [B], fp32, but for its own weight. `masks` [B, 1, h, w], 0 to 1.

        A `target` [B, 4, h, w] stands in for the objective's own.
        """
        thresholds = None if self._thresholds is None else self._thresholds[drawn.timesteps]
        target = self.target(latents, drawn) if target is None else target
        losses = sample_losses(prediction, target, self._config.loss_type, thresholds, masks)
        return losses * self._weights[drawn.timesteps]

    def _draw_noise(self, latents: Tensor, generator: torch.Generator) -> Tensor:
        config = self._config
        noise = noises.draw_like(latents, generator)
        if config.noise_offset > 0:
            offset = _strength(config.noise_offset, generator, random=config.noise_offset_random_strength)
            noise = noises.offset_noise(noise, latents, offset, config.adaptive_noise_scale, generator)
        if config.multires_noise_iterations > 0:
            noise = noises.pyramid_noise(
                noise, config.multires_noise_iterations, config.multires_noise_discount, generator
            )
        return noise


def make_objective(config: TrainConfig, device: torch.device) -> Objective:
    """The objective of a config.

    With zero terminal SNR the weights know of it, unless Kohya's results are wanted: it takes them from the
    schedule before.
    """
    plain = noises.alphas_cumprod()
    signal = noises.zero_terminal(plain) if config.zero_terminal_snr else plain
    weights = loss_weights(config, noises.signal_to_noise(plain if config.kohya_exact else signal))
    return Objective(config, signal.to(device), weights.to(device))


def step_generator(seed: int, step: int, device: torch.device) -> torch.Generator:
    """The chance of one step. It depends on nothing before, so that a resumed run draws the same."""
    return noises.generator_of(f"step-{seed}-{step}", device)


def _strength(most: float, generator: torch.Generator, *, random: bool) -> float | Tensor:
    return noises.draw_strength(most, generator) if random else most
