"""OpenAI Responses as a provider speaks it: the paths, and what may be done with kept responses.

What it refuses: responses_checks.py, responses_tools.py, responses_items.py, responses_pairs.py. How it answers:
responses_speaker.py. Under `/v1` it is OpenAI; under other prefixes an imitator, who takes unknown members, leaves out
the event lines and ends with [DONE]. Written from the wire format alone: it shares no line with the gateway's
translators.
"""

import re
import time
from typing import Any
from urllib.parse import parse_qs

from tests.upstreams import openai_chat, responses_checks
from tests.upstreams.answer import SSE, Answer, Frame, Refused, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Dialect, Endpoint, Page, World, register
from tests.upstreams.ids import letters
from tests.upstreams.refusals import openai
from tests.upstreams.responses_errors import refused, wrong_type
from tests.upstreams.responses_requests import account_of, asked, body_of, read
from tests.upstreams.responses_resource import usage
from tests.upstreams.responses_speaker import ResponsesAsk, ResponsesSpeaker, sse
from tests.upstreams.responses_store import Seal, Stored, store_of
from tests.upstreams.said import Counts

BASE = openai_chat.BASE + "/responses"
COUNTED = frozenset({
    "model", "input", "instructions", "conversation", "parallel_tool_calls", "previous_response_id", "reasoning",
    "text", "tool_choice", "tools", "truncation",
})  # fmt: skip
COMPACTED = frozenset({
    "model", "input", "instructions", "previous_response_id", "prompt_cache_key", "prompt_cache_retention",
    "prompt_cache_options", "reasoning", "service_tier", "text", "tools",
})  # fmt: skip


def shown(arrival: Arrival, world: World) -> Answer:
    """Show a kept response, or play its stream again."""
    stored = _stored(arrival, world)
    query = parse_qs(arrival.query)
    if query.get("stream") == ["true"]:
        after = _number(query, "starting_after", -1)
        events = [(type, event) for type, event in stored.events if event["sequence_number"] > after]
        frames = tuple(Frame("text", sse(type, event)) for type, event in events)
        return Answer(200, (("content-type", SSE),), frames, "chunked")
    answer = stored.response
    if stored.waits:
        stored.waits = False
        answer = {**answer, "status": "in_progress", "output": [], "usage": None, "completed_at": None}
    return whole(200, answer)


def deleted(arrival: Arrival, world: World) -> Answer:
    """Forget a kept response."""
    id = _stored(arrival, world).response["id"]
    store_of(world).drop(id)
    return whole(200, {"id": id, "object": "response", "deleted": True})


def cancelled(arrival: Arrival, world: World) -> Answer:
    """Cancel a response that was made in the background and that nobody has fetched yet."""
    stored = _stored(arrival, world)
    if not stored.response["background"]:
        raise refused("Cannot cancel a synchronous response.")
    if stored.waits:
        stored.waits = False
        stored.response |= {"status": "cancelled", "output": [], "usage": None, "completed_at": None}
    return whole(200, stored.response)


def input_items(arrival: Arrival, world: World) -> Answer:
    """List the input items of a kept response, newest first unless asked otherwise."""
    items = list(_stored(arrival, world).input)
    query = parse_qs(arrival.query)
    if query.get("order", ["desc"]) == ["desc"]:
        items.reverse()
    ids = [item["id"] for item in items]
    after = query.get("after", [""])[0]
    if after in ids:
        items = items[ids.index(after) + 1 :]
    limit = _number(query, "limit", 20)
    page = items[:limit]
    first, last = (page[0]["id"], page[-1]["id"]) if page else (None, None)
    answer = {"object": "list", "data": page, "first_id": first, "last_id": last, "has_more": len(items) > limit}
    return whole(200, answer)


def input_tokens(arrival: Arrival, world: World) -> Answer:
    """Count the tokens of a request that is not made."""
    ask = _part_asked(arrival, world, COUNTED)
    return whole(200, {"object": "response.input_tokens", "input_tokens": ask.prompt_tokens})


def compacted(arrival: Arrival, world: World) -> Answer:
    """Return the user's messages and the rest as one sealed item."""
    ask = _part_asked(arrival, world, COMPACTED)
    return whole(200, compaction(ask))


def compaction(ask: ResponsesAsk) -> dict[str, Any]:
    """Return the resource of a compacted conversation."""
    id = f"cmp_{letters(48)}"
    blob = ask.store.seal(Seal(ask.account, id, str(ask.items)))
    kept = [item for item in ask.items if item.get("role") == "user"]
    return {
        "id": f"resp_{letters(48)}",
        "object": "response.compaction",
        "created_at": int(time.time()),
        "output": [*kept, {"id": id, "type": "compaction", "encrypted_content": blob}],
        "usage": usage(Counts(ask.prompt_tokens, 12)),
    }


def _number(query: dict[str, list[str]], name: str, default: int) -> int:
    try:
        return int(query.get(name, [str(default)])[0])
    except ValueError:
        raise wrong_type(name, "an integer", "text") from None


def _part_asked(arrival: Arrival, world: World, fields: frozenset[str]) -> ResponsesAsk:
    body = body_of(arrival)
    responses_checks.check_fields(body, fields)
    responses_checks.check(body, strict=True)
    return asked(body, store_of(world), account=account_of(arrival))


def _stored(arrival: Arrival, world: World) -> Stored:
    id = arrival.path.partition("/responses/")[2].partition("/")[0]
    found = store_of(world).find(id, account_of(arrival))
    if found is None:
        raise Refused(openai(404, f"Response with id '{id}' not found.", "invalid_request_error", None))
    return found


DIALECT = register(
    Dialect(
        name="responses",
        manner="responses",
        endpoints=(Endpoint("POST", re.compile(BASE), read, ResponsesSpeaker),),
        pages=(
            Page("POST", re.compile(BASE + "/input_tokens"), input_tokens),
            Page("POST", re.compile(BASE + "/compact"), compacted),
            Page("POST", re.compile(BASE + "/[^/]+/cancel"), cancelled),
            Page("GET", re.compile(BASE + "/[^/]+/input_items"), input_items),
            Page("GET", re.compile(BASE + "/[^/]+"), shown),
            Page("DELETE", re.compile(BASE + "/[^/]+"), deleted),
        ),
        key=openai_chat.key,
    )
)
