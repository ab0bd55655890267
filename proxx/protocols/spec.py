"""What a dialect must bring: the shape of every protocol package."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol as Shape

from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.events import Usage
from proxx.protocols.hub.request import Request


@dataclass(slots=True)
class Seen:
    """What a watcher has understood of a reply so far."""

    spoke: bool = False  # something a reader of the answer would notice
    finished: bool = False  # a finish reason, or the dialect's own end
    ended: bool = False  # the dialect's end mark itself
    frames: int = 0
    usage: Usage | None = None
    error: dict[str, object] | None = None  # the upstream's own error, in its own shape
    malformed: str = ""  # why the reply cannot be one of this dialect


class Watch(Shape):
    """Reads a reply that passes by. `feed` takes any piece and returns the bytes to forward, whole frames only."""

    seen: Seen

    def feed(self, piece: bytes) -> bytes:
        """Take bytes as they arrive; return those that may be forwarded now."""

    def close(self) -> bytes:
        """Say that the upstream has ended; return what completes a good ending, such as a missing end mark."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """One dialect: how its requests are read and sent on, its replies watched, and its errors written."""

    name: str
    label: str
    stream_type: str
    read_request: Callable[[bytes], Request]
    same_dialect: Callable[..., bytes]
    watch_stream: Callable[..., Watch]
    watch_whole: Callable[[bytes], Seen]
    rename_whole: Callable[[bytes, str], bytes]
    write_error: Callable[[ErrorFacts], bytes]
    write_stream_error: Callable[[ErrorFacts], bytes]
    heartbeat: bytes
