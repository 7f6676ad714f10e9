"""What the tests of the training share: a config, pictures, a sink."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from default_config import default_config
from PIL import Image

from lora_bridge import train
from lora_bridge.inspection import inspect_lora
from lora_bridge.protocol_types import StepEvent, TrainConfig, WarningEvent

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from lora_bridge.protocol_types import Inspection, JobEvent
    from lora_bridge.sink import Ending


class ListSink:
    """Keeps the events; asks to stop, or to pause, once an event satisfies `stop_when` or `pause_when`.

    `wishes` are taken one by one, as the app's markers are.
    """

    def __init__(
        self,
        stop_when: Callable[[JobEvent], bool] = lambda _event: False,
        *,
        pause_when: Callable[[JobEvent], bool] = lambda _event: False,
    ) -> None:
        self.events: list[JobEvent] = []
        self.wishes: set[Literal["save", "sample"]] = set()
        self._stop_when = stop_when
        self._pause_when = pause_when
        self._stop = False
        self._pause = False

    def emit(self, event: JobEvent) -> None:
        self.events.append(event)
        self._stop = self._stop or self._stop_when(event)
        self._pause = self._pause or self._pause_when(event)

    def stop_requested(self) -> bool:
        return self._stop or self._pause

    def pause_requested(self) -> bool:
        return self._pause and not self._stop

    def take(self, wish: Literal["save", "sample"]) -> bool:
        if wish not in self.wishes:
            return False
        self.wishes.remove(wish)
        return True

    def of(self, kind: type[Any]) -> list[Any]:
        """The events of one type."""
        return [event for event in self.events if isinstance(event, kind)]


def save_picture(file: Path, size: tuple[int, int] = (128, 128), hue: int = 0) -> None:
    """A picture that is not the same everywhere."""
    file.parent.mkdir(parents=True, exist_ok=True)
    picture = Image.linear_gradient("L").resize(size).convert("HSV")
    channels = (Image.new("L", size, hue), Image.new("L", size, 200), picture.getchannel("V"))
    Image.merge("HSV", channels).convert("RGB").save(file)


def make_config(project: Path, **changes: Any) -> TrainConfig:
    """A config for the project; without changes, one that a tiny model trains in a second."""
    values: dict[str, Any] = {
        **default_config(),
        "pretrained_model_name_or_path": str(project / "no-model"),
        "output_name": "ohwx",
        "save_precision": "float",
        "training_comment": "a comment",
        "train_data_dir": str(project / "img"),
        "output_dir": str(project / "model"),
        "logging_dir": str(project / "log"),
        "train_batch_size": 2,
        "epoch": 1,
        "save_every_n_epochs": 0,
        "save_state_every_n_minutes": 0,
        "save_state_on_train_end": False,
        "log_with": "none",
        "mixed_precision": "no",
        "seed": 7,
        "learning_rate": 1e-3,
        "lr_scheduler": "constant",
        "max_resolution": "128,128",
        "min_bucket_reso": 64,
        "max_bucket_reso": 256,
        "network_dim": 4,
        "network_alpha": 2.0,
        "gradient_checkpointing": False,
        "sample_every_n_epochs": 0,
        "sample_at_first": False,
        "sample_sampler": "euler_a",
    }
    return TrainConfig(**{**values, **changes})


def run_training(
    project: Path, model: Path, sink: ListSink | None = None, **changes: Any
) -> tuple[Ending, ListSink]:
    sink = sink or ListSink()
    config = make_config(project, pretrained_model_name_or_path=str(model), **changes)
    return train.run(config, sink, project / "job", "cpu"), sink


def losses_of(sink: ListSink) -> list[float]:
    return [step.loss for step in sink.of(StepEvent)]


def require_learnt(ending: Ending, sink: ListSink, steps: int) -> Inspection:
    """What is in the LoRA of a run of so many steps, each with a loss; all its numbers are finite."""
    losses = losses_of(sink)
    assert len(losses) == steps
    assert None not in losses
    found = inspect_lora(str(ending.outputs[0]))
    assert found.modules
    assert not found.non_finite_tensors
    return found


def warnings_of(sink: ListSink) -> list[str]:
    return [warning.problem.code for warning in sink.of(WarningEvent)]
