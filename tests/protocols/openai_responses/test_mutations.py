"""A body with anything in any place is read and written, or refused in words."""

import contextlib
import copy
import json
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_responses.read_request import read_envelope, read_request
from proxx.protocols.openai_responses.write_reply import ReplyWriter
from proxx.protocols.openai_responses.write_request import write_request
from tests.protocols.openai_responses.bodies import call, message, output

FUNCTION = {"type": "function", "name": "f", "parameters": {"type": "object", "properties": {}}, "strict": True}
BODY: dict[str, Any] = {
    "model": "m",
    "instructions": "i",
    "input": [
        message("user", "x"),
        {
            "type": "reasoning",
            "id": "rs_1",
            "summary": [{"type": "summary_text", "text": "s"}],
            "encrypted_content": "E",
        },
        message("assistant", "t", phase="commentary"),
        call("c1", namespace="n"),
        {"type": "shell_call", "call_id": "c2", "action": {"commands": ["ls"]}},
        output("c1", [{"type": "input_image", "image_url": "data:image/png;base64,iVBORw0KGgo="}]),
        {"type": "shell_call_output", "call_id": "c2", "output": [{"stdout": "x"}]},
        {"type": "web_search_call", "id": "ws", "action": {"query": "q", "sources": [{"url": "u"}]}},
        {"type": "compaction", "encrypted_content": "E"},
        {"type": "additional_tools", "tools": [FUNCTION]},
        {"role": "user", "content": [{"type": "input_file", "file_data": "JVBERi0xLjQK"}]},
    ],
    "tools": [FUNCTION, {"type": "namespace", "name": "n", "tools": [FUNCTION]}, {"type": "web_search", "filters": {}}],
    "tool_choice": {"type": "allowed_tools", "mode": "auto", "tools": [{"type": "function", "name": "f"}]},
    "text": {"format": {"type": "json_schema", "name": "n", "schema": {"type": "object"}}},
    "reasoning": {"effort": "low", "summary": "auto"},
    "include": ["reasoning.encrypted_content"],
}
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    1.5,
    "",
    "x",
    "data:",
    "gw1.x.y",
    [],
    {},
    [[]],
    [{}],
    {"type": "x"},
    2**70,
    "\ud800",
]
FACTS = facts_of("gpt-5")
TARGETS = (
    Target("openai", "gpt-5", "openai_responses", facts=FACTS),
    Target("imitator", "x", "openai_responses"),
    Target("codex", "gpt-5", "openai_responses", frozenset({"codex_backend"}), FACTS),
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Return the paths of everything inside a value."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return [one for key in keys for one in [(*path, key), *places(value[key], (*path, key))]]


def mutated(random: Random) -> dict[str, Any]:
    """Return the body with one to three changes."""
    body = copy.deepcopy(BODY)
    for _ in range(random.randint(1, 3)):
        *path, last = random.choice(places(body))
        inside = body
        for key in path:
            inside = inside[key]
        if random.random() < 0.25:
            del inside[last]
        else:
            inside[last] = copy.deepcopy(random.choice(ODD))
        if not body:
            break
    return body


@settings(deadline=None, max_examples=300)
@given(st.randoms(use_true_random=False))
def test_anything_in_any_place_is_taken_or_refused_in_words(random: Random) -> None:
    try:
        asked = read_request(read_envelope(json.dumps(mutated(random)).encode()), Losses())
    except (Unreadable, Inexpressible):
        return
    for target in TARGETS:
        with contextlib.suppress(Inexpressible):
            json.loads(write_request(asked, target, Losses()).body)
    assert ReplyWriter(Occasion("0" * 32, 0, "m", request=asked)).write(())
