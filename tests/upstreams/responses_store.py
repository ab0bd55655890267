"""What the simulated OpenAI keeps between requests: responses by id, and the sealed texts it gave out.

Everything belongs to an account; another account's things are not found, and its seals do not open.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Any

from tests.upstreams.dialect import World
from tests.upstreams.ids import letters

KEPT = 20_000  # a demo runs for hours


@dataclass(slots=True)
class Stored:
    """One response: the resource as it was answered, the input items with ids, and the events of its stream."""

    account: str
    response: dict[str, Any]
    input: list[dict[str, Any]]
    events: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    waits: bool = False  # a background response that nobody has looked at: queued

    @property
    def history(self) -> list[dict[str, Any]]:
        """Return input and output as the next turn sees them."""
        return [*self.input, *self.response["output"]]


@dataclass(frozen=True, slots=True)
class Seal:
    """What an encrypted text holds: whose it is, of which item, and the words."""

    account: str
    item: str
    text: str


class Store:
    """Responses and seals of one simulated provider."""

    def __init__(self) -> None:
        self._responses: OrderedDict[str, Stored] = OrderedDict()
        self._items: OrderedDict[str, tuple[str, dict[str, Any], dict[str, Any] | None]] = OrderedDict()
        self._seals: OrderedDict[str, Seal] = OrderedDict()

    def keep(self, stored: Stored) -> None:
        """Keep a response under its id."""
        self._responses[stored.response["id"]] = stored
        _forget_old(self._responses)
        items = stored.history
        for item, before in zip(items, [None, *items], strict=False):
            if item.get("id"):
                thought = before if before is not None and before["type"] == "reasoning" else None
                self._items[item["id"]] = (stored.account, item, thought)
        _forget_old(self._items)

    def find(self, id: str, account: str) -> Stored | None:
        """Return a response of this account."""
        found = self._responses.get(id)
        return found if found is not None and found.account == account else None

    def drop(self, id: str) -> None:
        """Forget a response and its items."""
        stored = self._responses.pop(id, None)
        for item in stored.history if stored is not None else ():
            self._items.pop(item.get("id", ""), None)

    def history(self, id: str, account: str) -> list[dict[str, Any]] | None:
        """Return all items up to and with a response, oldest first; None if one of them is not there."""
        items: list[dict[str, Any]] = []
        next_id: str | None = id
        while next_id is not None:
            found = self.find(next_id, account)
            if found is None:
                return None
            items = [*found.history, *items]
            next_id = found.response["previous_response_id"]
        return items

    def item(self, id: str, account: str) -> tuple[dict[str, Any], dict[str, Any] | None] | None:
        """Return a kept item and the reasoning item that stands right before it, if there is one."""
        owner, item, before = self._items.get(id, ("", {}, None))
        return (item, before) if owner == account else None

    def seal(self, seal: Seal, blob: str = "") -> str:
        """Give out an encrypted text; a script may say which."""
        blob = blob or f"gAAAAAB{letters(120)}=="
        self._seals[blob] = seal
        _forget_old(self._seals)
        return blob

    def opened(self, blob: str) -> Seal | None:
        """Return what an encrypted text holds, if it was given out here."""
        return self._seals.get(blob)


def store_of(world: World) -> Store:
    """Return the provider's store."""
    store: Store = world.memory.setdefault("responses", Store())
    return store


def _forget_old(table: OrderedDict[str, Any]) -> None:
    while len(table) > KEPT:
        table.popitem(last=False)
