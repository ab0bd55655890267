"""What arrived at the simulated provider and what it answered, byte for byte, for assertions.

Headers are kept with their secrets: tests must see which key was sent. `/sim/journal` therefore answers only
loopback callers (server.py). Entries are readable from any thread.
"""

import base64
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

ENTRIES = 5000  # a demo runs for hours
BODY_LIMIT = 8 * 1024 * 1024  # of one answer; a flood is counted, not kept


@dataclass(slots=True)
class Entry:
    """One request and its answer.

    `outcome` is `open`, then `complete` (all was sent), `cut` (a scripted end), or `client_gone`. Times are
    monotonic seconds. `answer` holds the body bytes handed to the socket, without transfer framing.
    """

    id: str
    number: int
    connection: int
    method: str
    path: str
    query: str
    headers: list[tuple[str, str]]
    body: bytes
    arrived: float = field(default_factory=time.monotonic)
    dialect: str = ""
    model: str = ""
    wishes: dict[str, Any] = field(default_factory=dict)  # what the dialect noted while reading (Ask.wishes)
    status: int | None = None
    answer_headers: list[tuple[str, str]] = field(default_factory=list)
    answer: bytearray = field(default_factory=bytearray)
    answer_bytes: int = 0
    outcome: str = "open"
    ended: float | None = None
    done: threading.Event = field(default_factory=threading.Event, repr=False)

    def header(self, name: str) -> str | None:
        """Return the first value of a request header, whatever its case."""
        return next((value for key, value in self.headers if key.lower() == name.lower()), None)

    @property
    def json(self) -> Any:
        """Return the request body as data."""
        return json.loads(self.body)

    def sent(self, data: bytes) -> None:
        """Note body bytes given to the socket."""
        self.answer_bytes += len(data)
        room = BODY_LIMIT - len(self.answer)
        if room > 0:
            self.answer += data[:room]

    def end(self, outcome: str) -> None:
        """Close the entry; the first outcome stays."""
        if self.outcome == "open":
            self.outcome = outcome
            self.ended = time.monotonic()
            self.done.set()

    def wait(self, seconds: float = 5.0) -> str:
        """Wait until the answer ended in some way and return the outcome; raise TimeoutError."""
        if not self.done.wait(seconds):
            raise TimeoutError(f"Request {self.number} to {self.path} is still open after {seconds} s.")
        return self.outcome

    def as_json(self) -> dict[str, Any]:
        """Return the entry as data; bodies as text, or as base64 where they are not UTF-8."""
        return {
            "id": self.id,
            "number": self.number,
            "connection": self.connection,
            "method": self.method,
            "path": self.path,
            "query": self.query,
            "headers": self.headers,
            "dialect": self.dialect,
            "model": self.model,
            "status": self.status,
            "outcome": self.outcome,
            "answer_bytes": self.answer_bytes,
            "answer_headers": self.answer_headers,
            **_text("body", self.body),
            **_text("answer", bytes(self.answer)),
        }


class Journal:
    """The entries, oldest first."""

    def __init__(self) -> None:
        self._entries: deque[Entry] = deque(maxlen=ENTRIES)
        self._changed = threading.Condition()
        self._count = 0

    def open(self, **facts: Any) -> Entry:
        """Begin an entry for a request that arrived whole."""
        with self._changed:
            self._count += 1
            entry = Entry(number=self._count, **facts)
            self._entries.append(entry)
            self._changed.notify_all()
        return entry

    def __iter__(self) -> Iterator[Entry]:
        return iter(list(self._entries))

    def __len__(self) -> int:
        return len(self._entries)

    def __getitem__(self, index: int) -> Entry:
        return self._entries[index]

    @property
    def last(self) -> Entry:
        """Return the newest entry."""
        return self._entries[-1]

    def find(self, request_id: str) -> Entry | None:
        """Return the entry whose answer carried this `x-request-id`."""
        return next((entry for entry in self if entry.id == request_id), None)

    def wait_for(self, count: int, seconds: float = 5.0) -> list[Entry]:
        """Wait until that many requests have arrived since the last `clear`; raise TimeoutError."""
        return self.wait_until(lambda entries: len(entries) >= count, seconds)

    def wait_until(self, holds: Callable[[list[Entry]], bool], seconds: float = 5.0) -> list[Entry]:
        """Wait until the list of arrived requests satisfies `holds`; raise TimeoutError."""
        with self._changed:
            if not self._changed.wait_for(lambda: holds(list(self._entries)), seconds):
                raise TimeoutError(f"Only {len(self._entries)} requests arrived in {seconds} s.")
            return list(self._entries)

    def clear(self) -> None:
        """Forget everything; numbers go on."""
        self._entries.clear()


def _text(name: str, data: bytes) -> dict[str, str]:
    try:
        return {name: data.decode()}
    except UnicodeDecodeError:
        return {f"{name}_base64": base64.b64encode(data).decode()}
