"""A whole response -> what it says, and its parts."""

from proxx.protocols.hub.events import Event, Finished, Started
from proxx.protocols.hub.reply import Reply, fold
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.read_reply.items import GrowingItem, Telling
from proxx.protocols.openai_responses.read_reply.resource import (
    NOTHING,
    Resource,
    error_of,
    finish_in,
    read_resource,
    usage_in,
)
from proxx.protocols.openai_responses.read_reply.stream import finish
from proxx.protocols.spec import Seen


def watch_whole(body: bytes) -> Seen:
    """Read a whole response, or the resource of a compaction."""
    seen = Seen()
    found = read_resource(body)
    if found is None:
        seen.malformed = "a body that is not a response" if body.strip() else ""
    elif bytes(found.error) not in NOTHING or found.status == "failed":
        seen.error = error_of(bytes(found.error))
    elif found.output is None:
        if bytes(found.detail) in NOTHING:
            seen.malformed = "a body that is not a response"
        else:
            seen.error = error_of(bytes(found.detail))
    else:
        seen.usage, seen.reply_id = usage_in(found), found.id or ""
        seen.spoke = seen.finished = seen.ended = True
        seen.finish = finish_in(found)
    return seen


def read_whole(body: bytes, target: Target, call_id: str) -> Reply:
    """Read a response that `watch_whole` found sound; an item that is none makes its end an error."""
    found = read_resource(body) or Resource()
    telling = Telling(family=target.facts.family, call_id=call_id)
    sound = [GrowingItem(telling).end(bytes(raw)) for raw in found.output or ()]
    finish(telling, found)
    events = telling.events if all(sound) else [_as_error(event) for event in telling.events]
    created = int(found.created_at) if found.created_at else None
    return fold([Started(found.id or "", found.model or "", created), *events])


def _as_error(event: Event) -> Event:
    return Finished("error", raw=event.raw) if isinstance(event, Finished) else event
