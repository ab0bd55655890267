"""Tools' names on their way into an upstream that is stricter about names, and back in its answer.

One table serves one request: tools, tool choice, and the calls and results of the history all go through it, so one
tool has one name. Declare the tools first: who comes first keeps the plain name. The way back is looked up, never
guessed from the name's look.
"""

import hashlib
import re
from collections.abc import Sequence

import msgspec

from proxx.protocols.hub.events import Event, PartOpened
from proxx.protocols.spec import Mend

OPENAI = re.compile(r"[a-zA-Z0-9_-]+")  # also Anthropic's and most others'
LONGEST = 64
BETWEEN = "__"  # namespace and name

_HASH = 8


class NameTable:
    """The names of one request: `allowed` matches a whole name that the upstream takes, `longest` is in characters."""

    __slots__ = ("_allowed", "_clients", "_longest", "_upstream")

    def __init__(self, allowed: re.Pattern[str] = OPENAI, longest: int = LONGEST) -> None:
        self._allowed, self._longest = allowed, longest
        self._upstream: dict[tuple[str, str], str] = {}
        self._clients: dict[str, tuple[str, str]] = {}

    def upstream(self, name: str, namespace: str = "") -> str:
        """Return the name under which the upstream knows a tool: always the same for the same tool."""
        known = self._upstream.get((namespace, name))
        return known if known is not None else self._enter(namespace, name)

    def client(self, upstream_name: str) -> tuple[str, str]:
        """Return namespace and name of the tool that the upstream calls so; a name nobody gave it stays as it is."""
        return self._clients.get(upstream_name, ("", upstream_name))

    def mends(self) -> tuple[Mend, ...]:
        """Return what restores the names in an answer; nothing if all names are their own."""
        if all(upstream == name and not namespace for (namespace, name), upstream in self._upstream.items()):
            return ()
        return (RestoreNames(self),)

    def _enter(self, namespace: str, name: str) -> str:
        full = namespace + BETWEEN + name if namespace else name
        fitting = full
        attempt = 0
        while not self._fits(fitting) or fitting in self._clients:
            fitting = self._hashed(full, "" if not attempt else f"\0{namespace}\0{attempt}")
            attempt += 1
        self._upstream[namespace, name] = fitting
        self._clients[fitting] = (namespace, name)
        return fitting

    def _fits(self, name: str) -> bool:
        return len(name) <= self._longest and self._allowed.fullmatch(name) is not None

    def _hashed(self, full: str, salt: str) -> str:
        digest = hashlib.sha256((full + salt).encode(errors="replace")).hexdigest()[:_HASH]
        first = full[:1] if self._allowed.fullmatch(full[:1]) else "_"
        rest = "".join(sign if self._allowed.fullmatch("a" + sign) else "_" for sign in full[1:])
        return f"{(first + rest)[: self._longest - _HASH - 1]}_{digest}"


class RestoreNames:
    """The mend that gives calls in an answer the names that the client knows."""

    __slots__ = ("_table",)

    def __init__(self, table: NameTable) -> None:
        self._table = table

    def __call__(self, events: Sequence[Event]) -> list[Event]:
        """Return the events with the client's names and namespaces."""
        return [
            self._restored(event) if type(event) is PartOpened and event.kind == "call" else event for event in events
        ]

    def _restored(self, event: PartOpened) -> PartOpened:
        namespace, name = self._table.client(event.name)
        if name == event.name and not namespace:
            return event
        return msgspec.structs.replace(event, name=name, namespace=namespace)
