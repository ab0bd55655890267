"""Answers of OpenAI's endpoints beside chat: of a script only its text is said, if that."""

import base64
import json
import struct
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.answer import SSE, Frame, Refusal
from tests.upstreams.dialect import Ask, Speaker
from tests.upstreams.said import Counts, End, Said, ToolCall

Body = Callable[[str, Counts], Any]


@dataclass(frozen=True, slots=True)
class MediaAsk(Ask):
    """A request with the body that answers it, made from the scripted text and the counts."""

    body: Body = lambda text, counts: {}
    stream_type: str = SSE
    events: dict[str, str] = field(default_factory=dict)  # of an event stream: the types of its delta and its end


class MediaSpeaker(Speaker):
    """One answer. As a stream it is server-sent events, or raw bytes under the type of the media."""

    def __init__(self, ask: MediaAsk) -> None:
        self._ask = ask
        self._text = ""
        self.stream_type = ask.stream_type

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what OpenAI sends beside a good answer."""
        return (
            ("x-request-id", request_id),
            ("openai-organization", "org-sim"),
            ("openai-processing-ms", "42"),
            ("openai-version", "2020-10-01"),
        )

    def open(self, choice: int) -> list[Frame]:
        """Begin: raw media have a head."""
        return [] if self._ask.stream_type == SSE else [Frame("open", HEADS.get(self._ask.stream_type, b""))]

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Send a piece."""
        self._text += piece
        if self._ask.stream_type != SSE:
            return [Frame("text", piece.encode())]
        kind = self._ask.events.get("delta", "")
        sound = {"audio": base64.b64encode(piece.encode()).decode()}
        members = sound if kind.startswith("speech") else {"delta": piece}
        return [Frame("text", _event({"type": kind, **members}))] if kind else []

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Nobody thinks here."""
        return []

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Nobody calls tools here."""
        return []

    def finish(self, end: End, choice: int) -> list[Frame]:
        """Nothing says why."""
        return []

    def close(self, counts: Counts) -> list[Frame]:
        """End: an event stream says all of it once more."""
        if self._ask.stream_type != SSE:
            return []
        made = self._ask.body(self._text, counts)
        events = [{"type": self._ask.events["done"], **one} for one in (made if isinstance(made, list) else [made])]
        return [Frame("end", _event(event)) for event in events]

    def error(self, refusal: Refusal) -> list[Frame]:
        """Say an error in an event stream; raw media only break off."""
        return [Frame("error", _event(refusal.body))] if self._ask.stream_type == SSE else []

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the body."""
        return [Frame("whole", json.dumps(self._ask.body(said[0].text, counts), indent=2).encode() + b"\n")]

    def comment(self) -> list[Frame]:
        """Raw media have no comments."""
        return [Frame("open", b": SIM PROCESSING\n\n")] if self._ask.stream_type == SSE else []

    def late(self) -> list[Frame]:
        """Return what comes after the end."""
        return [Frame("text", b'data: {"late": true}\n\n' if self._ask.stream_type == SSE else b"late")]


# How files of each kind begin, so that a reader who looks knows them.
HEADS = {
    "audio/mpeg": b"ID3\x04\x00\x00\x00\x00\x00\x00",
    "audio/wav": b"RIFF\xff\xff\xff\xffWAVEfmt ",
    "audio/opus": b"OggS\x00\x02",
    "audio/aac": b"\xff\xf1\x50\x80",
    "audio/flac": b"fLaC\x00\x00\x00\x22",
    "audio/pcm": b"\x00\x00",
}


def image(text: str) -> str:
    """Return a picture of one pixel, whose colour is the text's, as base64 of a PNG."""
    colour = struct.pack(">I", zlib.crc32(text.encode()))[:3]

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress(b"\x00" + colour))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")).decode()


def now() -> int:
    """Return the time in whole seconds."""
    return int(time.time())


def _event(data: Any) -> bytes:
    name = data.get("type") if isinstance(data, dict) else None
    head = f"event: {name}\n".encode() if name else b""
    return head + b"data: " + json.dumps(data, separators=(",", ":")).encode() + b"\n\n"
