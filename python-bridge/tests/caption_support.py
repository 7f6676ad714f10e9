"""Caption jobs for tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from job_support import golden

from lora_bridge.protocol_types import CaptionConfig, CaptionEvent

if TYPE_CHECKING:
    from job_support import CollectingSink


def caption_config(**changes: object) -> CaptionConfig:
    """The golden caption job's config, changed."""
    settings: dict[str, Any] = {**golden("jobs.jsonl")[2]["config"], **changes}
    return CaptionConfig(**settings)


def captions(sink: CollectingSink) -> list[CaptionEvent]:
    return [event for event in sink.events if isinstance(event, CaptionEvent)]
