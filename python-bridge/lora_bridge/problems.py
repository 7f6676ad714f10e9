"""Failures that a person should read."""

from __future__ import annotations

from msgspec import UNSET

from lora_bridge.protocol_types import Problem


class ProblemError(Exception):
    """A failure with a stable code, one sentence that names the file or the field, and what to do next."""

    def __init__(self, code: str, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.problem = Problem(code=code, message=message, hint=UNSET if hint is None else hint)
