"""Earlier thinking in an assistant message, in each of the places where clients keep it.

The richest place wins, the others repeat it: `reasoning_details` (OpenRouter, and what proxx itself gives),
`thinking_blocks` (litellm), then bare text in `reasoning_content` or `reasoning`.
"""

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub import blobs
from proxx.protocols.hub.parts import Blob, Reasoning
from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.read_request.fields import Fields


def thinking(message: Fields) -> list[Reasoning]:
    """Return the thinking of one message."""
    for place, read in (("reasoning_details", _details), ("thinking_blocks", _blocks)):
        listed = message.raw.get(place)
        if isinstance(listed, list) and listed and all(isinstance(one, dict) for one in listed):
            return read(message.objects(place))
    text = message.text("reasoning_content") or (
        message.text("reasoning") if isinstance(message.raw.get("reasoning"), str) else ""
    )
    return [Reasoning(text)] if text else []


def _details(items: list[Fields]) -> list[Reasoning]:
    if any(_blob(item) for item in items):
        return _ours(items)
    # Not ours: the items go back to the router that made them as they are, in one blob.
    text = "".join(item.text("text") for item in items)
    summary = tuple(item.text("summary") for item in items if item.text("summary"))
    raw = encoded([item.raw for item in items]).decode()
    return [Reasoning(text, summary, Blob("encrypted", raw, NAME))]


def _ours(items: list[Fields]) -> list[Reasoning]:
    """Read what write_reply/thinking.py wrote: the pieces of a summary stand before the item that they belong to."""
    found, pieces = [], []
    for item in items:
        blob = _blob(item)
        if blob is None and item.text("summary"):
            pieces.append(item.text("summary"))
            continue
        found.append(Reasoning(item.text("text"), tuple(pieces), blob, blob.item_id if blob else ""))
        pieces = []
    return [*found, Reasoning(summary=tuple(pieces))] if pieces else found


def _blob(item: Fields) -> Blob | None:
    return blobs.unwrap(item.text("signature") or item.text("data"))


def _blocks(items: list[Fields]) -> list[Reasoning]:
    found = []
    for item in items:
        kind, given = ("redacted", item.text("data")) if "data" in item else ("signature", item.text("signature"))
        blob = blobs.received(given, kind=kind, dialect="anthropic", family="claude") if given else None
        found.append(Reasoning(item.text("thinking"), blob=blob))
    return found
