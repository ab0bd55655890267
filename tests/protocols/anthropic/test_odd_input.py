"""Whatever a client or upstream sends: a request is read or refused, a stream is read or broken, nothing raises."""

import contextlib
import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.protocols.anthropic import PROTOCOL
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Envelope
from proxx.protocols.hub.target import Target
from tests.protocols.anthropic.samples import EVERYTHING, OCCASION, SEARCH, target

PLAIN = {"type": "text", "text": "a", "cache_control": {"type": "ephemeral", "ttl": "1h"}}
BODY: dict[str, Any] = {
    "model": "claude-x",
    "max_tokens": 2000,
    "system": [PLAIN],
    "messages": [
        {"role": "user", "content": [PLAIN, {"type": "image", "source": {"type": "url", "url": "data:,x"}}]},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "t", "signature": "gw1.x.eyJ9"}, *SEARCH]},
        {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "d"}, "title": "T"}]},
        {"role": "system", "content": "S"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t1", "name": "look", "input": {"a": 1}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t1", "content": [PLAIN]}]},
    ],
    "tools": [
        {
            "name": "look",
            "description": "d",
            "input_schema": {"type": "object", "properties": {"a": {"type": "string"}}},
        },
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 2, "user_location": {"city": "Graz"}},
    ],
    "tool_choice": {"type": "tool", "name": "look", "disable_parallel_tool_use": True},
    "thinking": {"type": "enabled", "budget_tokens": 1024},
    "output_config": {"effort": "high", "format": {"type": "json_schema", "schema": {"type": "object"}}},
    "metadata": {"user_id": "u"},
    "stop_sequences": ["x", " "],
}
ODD = st.sampled_from(
    [
        *(None, True, -1, 0, 1.5, 10**30, 1e308, "", "x", "\ud800", "\x00", [], {}, [None], [[]]),
        *({"type": "text"}, {"type": None}, [{"type": "x"}], {"a": {"$ref": "#"}}),
        *("gw1.claude.AAAA", "tool", "assistant", "data:image/png;base64,####"),
    ]
)
TARGETS = [
    Target("p", model, "any", facts=facts_of(model))
    for model in ("claude-sonnet-4-5", "claude-opus-5-5", "claude-3-haiku-20240307", "unknown")
]


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths to everything inside a JSON value."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [found for key, one in inner for found in ((*path, key), *places(one, (*path, key)))]


def changed(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    copy: Any = json.loads(json.dumps(value))
    inner = copy
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = new
    return copy


PLACES = places(BODY)


@settings(max_examples=400, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(PLACES), ODD), min_size=1, max_size=2), st.sampled_from(TARGETS))
def test_an_odd_request_is_read_or_refused(changes: list[tuple[tuple[Any, ...], Any]], asked: Target):
    body = BODY
    for path, new in changes:
        if path in places(body):
            body = changed(body, path, new)
    envelope = Envelope("anthropic", "m", False, False, json.dumps(body).encode())
    try:
        request = PROTOCOL.read_request(envelope, Losses())
    except (Unreadable, Inexpressible):
        return
    with contextlib.suppress(Inexpressible):
        PROTOCOL.write_request(request, asked, Losses())


@settings(max_examples=200, deadline=None)
@given(st.integers(0, len(EVERYTHING)), st.binary(max_size=6), st.integers(1, 200))
def test_an_odd_stream_is_read_or_broken(at: int, odd: bytes, size: int):
    stream = EVERYTHING[:at] + odd + EVERYTHING[at + 3 :]
    reader, writer = PROTOCOL.stream_reader(target(), "call"), PROTOCOL.stream_writer(OCCASION)
    watch = PROTOCOL.watch_stream(strip_usage=False)
    for start in range(0, len(stream), size):
        writer.write(reader.feed(stream[start : start + size]))
        watch.feed(stream[start : start + size])
    writer.write(reader.close())
    watch.close()
