"""Short ways to tell a reply as events, and to look at what was written of it."""

from collections.abc import Sequence
from typing import Any

from proxx.protocols.hub.events import (
    ArgsDelta,
    Ended,
    Event,
    Finished,
    PartClosed,
    PartOpened,
    Started,
    TextDelta,
    Usage,
    UsageReported,
)


def reply(*events: Event, reason: str = "stop", usage: Usage | None = None, **finish: Any) -> list[Event]:
    """Return a whole reply around these events."""
    counted = [UsageReported(usage)] if usage else []
    return [Started("up", "upstream"), *events, Finished(reason, **finish), *counted, Ended()]


def text(part: int, *pieces: str, **members: Any) -> list[Event]:
    """Return a text in pieces."""
    return [PartOpened(part, "text", **members), *(TextDelta(part, one) for one in pieces), PartClosed(part)]


def call(part: int, *pieces: str, **members: Any) -> list[Event]:
    """Return a call, its arguments in pieces."""
    opened = PartOpened(part, "call", **({"id": f"c{part}", "name": "f"} | members))
    return [opened, *(ArgsDelta(part, one) for one in pieces), PartClosed(part)]


def types(events: Sequence[dict[str, Any]]) -> list[str]:
    """Return the types of written events."""
    return [event["type"].removeprefix("response.") for event in events]


def output(events: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the output of the last written event."""
    return events[-1]["response"]["output"]
