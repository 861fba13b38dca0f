"""Arguments of a request at the socket, checked. Each raises a ValueError that says what was expected."""

from __future__ import annotations

from agent.control.protocol import ControlRequest


def whole(request: ControlRequest, name: str, default: int, low: int, high: int) -> int:
    """A whole number in these bounds."""
    value = request.arguments.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name}: expected a whole number from {low} to {high}, got {value!r:.40}")
    return value


def text(request: ControlRequest, name: str, default: str | None = None) -> str:
    """A text that is not empty."""
    value = request.arguments.get(name, default)
    if not isinstance(value, str) or not value:
        raise ValueError(f"{name}: expected a text, got {value!r:.40}")
    return value


def names(request: ControlRequest, name: str) -> list[str]:
    """A list of names; all where none are given."""
    value = request.arguments.get(name) or ["*"]
    if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
        raise ValueError(f"{name}: expected a list of names, got {value!r:.40}")
    return value
