"""Pictures drawn while the model learns, so that a person sees what it has learnt."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from lora_bridge.failures import problem_of
from lora_bridge.files import write_atomically
from lora_bridge.png_text import KEY, parameters_text
from lora_bridge.problems import ProblemError
from lora_bridge.progress import StopRequested
from lora_bridge.protocol_types import PhaseEvent, Problem, SampleEvent, WarningEvent
from lora_bridge.sample_prompts import parse_prompts
from lora_bridge.sample_times import SampleTimes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from lora_bridge.painter import Painter
    from lora_bridge.protocol_types import TrainConfig
    from lora_bridge.sample_prompts import SamplePrompt
    from lora_bridge.sink import Sink

_NO_PROMPTS = Problem(
    code="no_sample_prompts",
    message="There is nothing to draw: this run has no sample prompts.",
    hint="Set Sample prompts or Sample prompts file, under Samples, before the next run.",
)


class Studio:
    """Knows when the prompts of a run are due, and has them drawn into the job's folder."""

    def __init__(
        self,
        config: TrainConfig,
        prompts: Sequence[SamplePrompt],
        painter: Painter | None,
        seed: int,
        folder: Path,
    ) -> None:
        """`seed` is the run's and `folder` the job's; without prompts no painter is needed."""
        self._config = config
        self._times = SampleTimes(config)
        self._prompts = prompts
        self._reads_file = bool(config.sample_prompts_file.strip())
        self._painter = painter
        self._seed = seed
        self._folder = folder.absolute() / "samples"

    def opens_early(self) -> bool:
        """Whether to draw before the first step."""
        return self._times.opens_early and self._has_prompts()

    def is_due(self, step: int, epoch: int, *, ends_epoch: bool) -> bool:
        """Whether to draw after this step, counted from 1."""
        return self._has_prompts() and self._times.is_due(step, epoch, ends_epoch=ends_epoch)

    def draw(self, step: int, epoch: int, sink: Sink, *, asked: bool = False) -> None:
        """Draw every prompt, or as many as there is time for before a stop.

        A picture that cannot be drawn or written ends the round with a warning: the training is worth more.
        `asked`: a person waits for it, and is told where there is nothing to draw.
        """
        if self._painter is not None:
            self._draw_all(self._painter, step, epoch, sink)
        if asked and not self._prompts:
            sink.emit(WarningEvent(problem=_NO_PROMPTS))

    def _draw_all(self, painter: Painter, step: int, epoch: int, sink: Sink) -> None:
        try:
            self._read_again(painter, sink)
            total = len(self._prompts)
            sink.emit(PhaseEvent(phase="sampling", done=0, total=total))
            for done, prompt in enumerate(self._prompts, start=1):
                seed = prompt.seed_in(self._seed)
                file = self._write(prompt, step, seed, painter.draw(prompt, seed, sink))
                sink.emit(_event(prompt, seed, file, step, epoch))
                sink.emit(PhaseEvent(phase="sampling", done=done, total=total))
        except StopRequested:
            pass  # the training asks the sink itself
        except (OSError, ProblemError) as error:
            sink.emit(WarningEvent(problem=_failure(step, error)))
        except RuntimeError as error:
            # What torch throws where there is not enough memory, and much else.
            if problem_of(error).code != "out_of_memory":
                raise
            sink.emit(WarningEvent(problem=_failure(step, error)))
        if torch.cuda.is_initialized():
            # What the pictures needed is given back before the next step asks for memory of other shapes.
            torch.cuda.empty_cache()

    def _has_prompts(self) -> bool:
        return self._reads_file or len(self._prompts) > 0

    def _read_again(self, painter: Painter, sink: Sink) -> None:
        """The prompts as their file is now. While something is wrong with it the last good ones stay."""
        if not self._reads_file:
            return
        try:
            prompts = parse_prompts(self._config)
        except ProblemError as error:
            sink.emit(WarningEvent(problem=error.problem))
            return
        painter.learn(prompts)
        self._prompts = prompts

    def _write(self, prompt: SamplePrompt, step: int, seed: int, pixels: Tensor) -> Path:
        self._folder.mkdir(parents=True, exist_ok=True)
        file = _unused(self._folder / f"{self._config.output_name}_{step:06d}_{prompt.index:02d}_{seed}.png")
        model = Path(self._config.pretrained_model_name_or_path).stem
        text = parameters_text(prompt, seed, model, self._config.output_name)
        write_atomically(file, _png(pixels, text))
        return file


def _event(prompt: SamplePrompt, seed: int, file: Path, step: int, epoch: int) -> SampleEvent:
    return SampleEvent(
        path=str(file),
        index=prompt.index,
        prompt=prompt.text,
        negative_prompt=prompt.negative,
        width=prompt.width,
        height=prompt.height,
        seed=seed,
        sample_steps=prompt.steps,
        cfg_scale=prompt.cfg_scale,
        sampler=prompt.sampler,
        step=step,
        epoch=epoch,
    )


def _unused(file: Path) -> Path:
    """It, or with a number where a picture was drawn at this step before."""
    free, number = file, 1
    while free.exists():
        number += 1
        free = file.with_stem(f"{file.stem}-{number}")
    return free


def _failure(step: int, error: Exception) -> Problem:
    problem = problem_of(error)
    message = f"The samples of step {step} are not all there: {problem.message}"
    return Problem(code="sample_failed", message=message, hint=problem.hint)


def _png(pixels: Tensor, text: str) -> bytes:
    """A PNG file of pixels [3, H, W] from -1 to 1, with a text for A1111 and its like."""
    levels = ((pixels + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    stream = io.BytesIO()
    about = PngInfo()
    about.add_text(KEY, text)
    Image.fromarray(levels.permute(1, 2, 0).contiguous().numpy()).save(stream, "PNG", pnginfo=about)
    return stream.getvalue()
