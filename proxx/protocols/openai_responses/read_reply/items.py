"""Output items -> events, however much of an item's ladder an upstream sends.

An item may come in deltas, in `done` events that hold a text at once, or only as a whole: what was not yet said is said
when it becomes known, if what was said is its beginning. A part is opened when there is something to put into it.
"""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub import ids
from proxx.protocols.hub.events import (
    ArgsDelta,
    BlobGiven,
    Cited,
    Event,
    LogprobsGiven,
    PartClosed,
    PartOpened,
    ReasoningDelta,
    SummaryDelta,
    TextDelta,
)
from proxx.protocols.hub.parts import Blob, Compaction, Opaque, Part
from proxx.protocols.openai_responses.citations import read_annotation
from proxx.protocols.openai_responses.dialect import CALL_ID, CALL_ITEMS, HOSTED_ITEMS, NAME
from proxx.protocols.openai_responses.hosted import read_hosted
from proxx.protocols.openai_responses.read_reply.shapes import KINDS, Item, Piece, objects, read_item, text_of

_NAMED = ("function", "custom")  # kinds of calls that say which tool they call


class Telling:
    """What all items of one reply share: the numbers of parts, and what there was."""

    __slots__ = ("call_id", "called", "events", "family", "numbers", "refused", "said", "searches")

    def __init__(self, *, family: str, call_id: str) -> None:
        self.family, self.call_id = family, call_id
        self.events: list[Event] = []
        self.numbers = 0
        self.searches = 0
        self.called = self.refused = self.said = False

    def opened(self, **about: Any) -> int:
        """Open a part; return its number."""
        number = self.numbers
        self.numbers += 1
        self.events.append(PartOpened(number, **about))
        return number

    def whole(self, part: Part) -> None:
        """Tell a part that has no pieces."""
        self.events.append(PartClosed(self.opened(kind="whole"), part))


class GrowingItem:
    """One output item on its way. `said` holds, by channel and index, what was told of it."""

    __slots__ = ("_about", "_cited", "_closed", "_open", "_scored", "_summaries", "_telling", "done", "said")

    def __init__(self, telling: Telling) -> None:
        self._telling = telling
        self._about = Item()
        self._open: dict[tuple[str, int], int] = {}  # by channel and index: the part's number
        self._closed: set[tuple[str, int]] = set()
        self._cited: dict[int, int] = {}
        self._scored: set[int] = set()
        self._summaries: dict[int, int] = {}  # by the index that the upstream says, which may be any number
        self.done = False
        self.said: dict[tuple[str, int], list[str]] = {}

    def begin(self, raw: bytes) -> bool:
        """Take the item as its `added` event shows it; False for what is no item."""
        about = read_item(raw)
        if about is None:
            return False
        self._about = about
        if self._kind in _NAMED and about.name:
            self._call()
        return True

    @property
    def id(self) -> str:
        """The item's own id; empty until it is known."""
        return self._about.id or ""

    @property
    def _kind(self) -> str:
        return KINDS.get(self._about.type, "")

    def text_part(self, index: int) -> int | None:
        """Return the number of a text part of which something was told; None: ask `more`."""
        key = ("text", index)
        return self._open.get(key) if key in self.said else None

    def more(self, channel: str, index: int, text: str) -> None:
        """Tell more of one channel: text, refusal, args, summary or thought."""
        if not text:
            return
        self.said.setdefault((channel, index), []).append(text)
        number = self._number(channel, index)
        if number is None:
            return
        telling = self._telling
        if channel == "text":
            telling.said = True
            telling.events.append(TextDelta(number, text))
        elif channel == "refusal":
            telling.refused = True
            telling.events.append(TextDelta(number, text))
        elif channel == "args":
            telling.events.append(ArgsDelta(number, text))
        elif channel == "summary":
            place = self._summaries.setdefault(index, len(self._summaries))
            telling.events.append(SummaryDelta(number, place, text))
        else:
            telling.events.append(ReasoningDelta(number, text))

    def rest(self, channel: str, index: int, full: str | None) -> None:
        """Tell what of `full` was not yet told, if what was told is its beginning."""
        if not full:
            return
        told = "".join(self.said.get((channel, index), ()))
        if len(full) > len(told) and full.startswith(told):
            self.more(channel, index, full[len(told) :])

    def cite(self, index: int, annotation: dict[str, Any]) -> None:
        """Tell a source of the text."""
        number = self._number("text", index)
        self._cited[index] = self._cited.get(index, 0) + 1
        if number is not None:
            self._telling.events.append(Cited(number, read_annotation(annotation)))

    def score(self, index: int, tokens: list[dict[str, Any]]) -> None:
        """Tell probabilities of the text's tokens."""
        number = self._number("text", index)
        if tokens and number is not None:
            self._scored.add(index)
            self._telling.events.append(LogprobsGiven(number, tuple(tokens)))

    def piece(self, index: int, piece: Piece) -> None:
        """Take a content part as it is when it is done, and close it."""
        if piece.type == "refusal":
            self.rest("refusal", index, piece.refusal)
            self._close(("refusal", index))
        elif piece.type == "reasoning_text":
            self.rest("thought", index, piece.text)
        else:
            self.rest("text", index, piece.text)
            for annotation in (piece.annotations or [])[self._cited.get(index, 0) :]:
                self.cite(index, annotation)
            if index not in self._scored:
                self.score(index, piece.logprobs or [])
            self._close(("text", index))

    def end(self, raw: bytes) -> bool:
        """Take the item as it is when it is done, and close its parts; False for what is no item."""
        about = read_item(raw)
        if about is None or (KINDS.get(about.type) in _NAMED and not (about.name or self._about.name)):
            return False
        self.done = True
        self._about = msgspec.structs.replace(
            about, id=self._about.id or about.id, call_id=self._about.call_id or about.call_id
        )
        if about.type == "message":
            for index, piece in enumerate(about.content or ()):
                self.piece(index, piece)
        elif about.type == "reasoning":
            self._reasoning(about)
        elif self._kind and not (self._kind == "tool_search" and about.execution != "client"):
            self._call_done(about)
        elif not self._whole(about, raw):
            return False
        self.close()
        return True

    def close(self) -> None:
        """Close what is still open of the item."""
        for key in list(self._open):
            self._close(key)

    def _close(self, key: tuple[str, int]) -> None:
        number = self._open.pop(key, None)
        self._closed.add(key)
        if number is not None:
            self._telling.events.append(PartClosed(number))

    def _number(self, channel: str, index: int) -> int | None:
        """Return the number of the part that a channel belongs to, opening it if need be; None if it is closed, or
        may not be opened yet."""
        key = (channel, index) if channel in ("text", "refusal") else ("", 0)
        number = self._open.get(key)
        if number is not None or key in self._closed or channel == "args":
            return number
        item_id = self.id
        if key[0]:
            self.close()  # content parts follow one another
            number = self._telling.opened(kind=channel, item_id=item_id, phase=self._about.phase or "")
        else:
            number = self._telling.opened(kind="reasoning", item_id=item_id)
        self._open[key] = number
        return number

    def _call(self) -> None:
        """Open the call; tell what came before its name was known."""
        about, telling, key = self._about, self._telling, ("", 0)
        if key in self._open or key in self._closed:
            return
        telling.called = True
        given = about.call_id or about.id or ids.made(telling.call_id, telling.numbers)
        self._open[key] = number = telling.opened(
            kind="call",
            id=ids.fitted(given, pattern=CALL_ID),
            name=about.name or self._kind,
            namespace=about.namespace or "",
            tool_kind=self._kind,
            item_id=about.id or "",
        )
        held = "".join(self.said.get(("args", 0), ()))
        if held:
            telling.events.append(ArgsDelta(number, held))

    def _call_done(self, about: Item) -> None:
        self._call()
        member = CALL_ITEMS[self._kind][1]
        raw = bytes(getattr(about, member)) or (bytes(about.actions) if self._kind == "computer" else b"")
        self.rest("args", 0, text_of(raw))

    def _reasoning(self, about: Item) -> None:
        for index, piece in enumerate(about.summary or ()):
            self.rest("summary", index, piece.text)
        for index, piece in enumerate(about.content or ()):
            self.rest("thought", index, piece.text)
        if about.encrypted_content:
            blob = Blob("encrypted", about.encrypted_content, NAME, self._telling.family, about.id or "")
            number = self._number("thought", 0)
            if number is not None:
                self._telling.events.append(BlobGiven(number, blob))

    def _whole(self, about: Item, raw: bytes) -> bool:
        try:
            item = decode(objects, raw)
        except FAULTS:
            return False  # a member that nobody has looked at yet has no text for a name
        if about.type == "compaction":
            blob = Blob("compaction", about.encrypted_content or "", NAME, self._telling.family, about.id or "")
            self._telling.whole(Compaction(blob=blob))
        elif about.type in HOSTED_ITEMS or about.type == "tool_search_call":
            self._telling.searches += about.type == "web_search_call"
            self._telling.whole(read_hosted(item))
        elif about.type:
            self._telling.whole(Opaque(item, NAME))
        return True
