"""How a candidate's answer is told, where only a piece of the walk is needed to see it."""

import json
from types import SimpleNamespace
from uuid import uuid4

import pytest

from proxx.gateway import translate
from proxx.protocols import registry
from proxx.protocols.hub.events import TextDelta
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_chat import PROTOCOL as CHAT

ANSWER = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-x",
    "content": [{"type": "text", "text": "good day"}],
    "stop_reason": "end_turn",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}


def greet(events):
    """A mend that shows how often it was there."""
    return [TextDelta(event.part, "!" + event.text) if isinstance(event, TextDelta) else event for event in events]


@pytest.mark.parametrize("delay", [None, (0.0, 0.0)])
def test_a_whole_answer_told_as_a_stream_is_mended_once(delay):
    call = SimpleNamespace(
        id=uuid4(),
        started=0.0,
        request=None,
        recalled=None,
        dialect=CHAT,
        options=SimpleNamespace(delay=delay) if delay else None,
        envelope=SimpleNamespace(model="claude-x", wants_usage=False, form=""),
    )
    chosen = SimpleNamespace(
        upstream=registry.get("anthropic"),
        target=Target("anthropic", "claude-x", "anthropic"),
        mends=(greet,),
        pauses=False,
    )
    watch, told = translate.replayed(call, chosen, json.dumps(ANSWER).encode())
    told += watch.close() if delay else b""
    lines = [line[6:] for line in told.decode().splitlines() if line.startswith("data: {")]
    text = "".join(json.loads(line)["choices"][0]["delta"].get("content") or "" for line in lines)
    assert text == ("!good !day" if delay else "!good day")
