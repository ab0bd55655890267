"""What goes from this dialect through the hub and back is what it was, whole or streamed, however it is cut."""

import json
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.protocols.anthropic import PROTOCOL
from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Blob, Part, Reasoning, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from tests.protocols.anthropic.samples import EVERYTHING, OCCASION, collected, target

WORDS = st.text(min_size=1, max_size=20).filter(str.strip)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
OBJECTS = st.dictionaries(WORDS, st.integers() | WORDS | st.booleans() | st.none(), max_size=3)
MARKS = st.sampled_from([{}, {}, {}, {"cache_control": {"type": "ephemeral"}}])
SIGNATURES = st.text("ABCxyz019+/=", min_size=1, max_size=40)
COUNTS = st.integers(0, 10_000)


@st.composite
def steps(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """One message of the assistant, and the user's results."""
    said: list[dict[str, Any]] = []
    for _ in range(draw(st.integers(0, 2))):
        said.append({"type": "thinking", "thinking": draw(st.text(max_size=20)), "signature": draw(SIGNATURES)})
        said += [{"type": "text", "text": draw(WORDS), **draw(MARKS)}] if draw(st.booleans()) else []
    said += [{"type": "redacted_thinking", "data": draw(SIGNATURES)}] if draw(st.booleans()) else []
    said.append({"type": "text", "text": draw(WORDS)})
    ids = [f"toolu_{number}_{place}" for place in range(draw(st.integers(0, 3)))]
    said += [{"type": "tool_use", "id": id, "name": draw(NAMES), "input": draw(OBJECTS)} for id in ids]
    results: list[dict[str, Any]] = []
    for id in ids:
        failed = {"is_error": True} if draw(st.booleans()) else {}
        results.append({"type": "tool_result", "tool_use_id": id, "content": draw(WORDS), **failed})
    results.append({"type": "text", "text": draw(WORDS)})
    return [{"role": "assistant", "content": said}, {"role": "user", "content": results}]


@st.composite
def bodies(draw: st.DrawFn) -> dict[str, Any]:
    """A request with a history that its model has no reason to refuse."""
    messages: list[dict[str, Any]] = [{"role": "user", "content": [{"type": "text", "text": draw(WORDS)}]}]
    for number in range(draw(st.integers(0, 3))):
        messages += draw(steps(number))
    body: dict[str, Any] = {
        "model": "claude-sonnet-4-5",
        "max_tokens": draw(st.integers(1, 64_000)),
        "messages": messages,
    }
    if draw(st.booleans()):
        body["system"] = [{"type": "text", "text": draw(WORDS), **draw(MARKS)}]
    if draw(st.booleans()):
        body["temperature"] = draw(st.floats(0, 1))
    tools = draw(st.lists(NAMES, max_size=3, unique=True))
    if tools or any(block["type"] == "tool_use" for message in messages for block in message["content"]):
        schema = {"type": "object", "properties": draw(OBJECTS)}
        body["tools"] = [{"name": name, "input_schema": schema} for name in tools or ["look"]]
    return body


def there_and_back(body: bytes, model: str = "claude-sonnet-4-5") -> bytes:
    request = PROTOCOL.read_request(PROTOCOL.read_envelope(body), Losses())
    return PROTOCOL.write_request(request, target(model), Losses()).body


@settings(max_examples=150)
@given(bodies())
def test_a_request_comes_back_as_it_was(body: dict[str, Any]):
    marked = json.dumps(body).count('"cache_control"')
    back = json.loads(there_and_back(json.dumps(body).encode()))
    if marked <= 4:
        assert back == body


@given(st.text(max_size=40), SIGNATURES)
def test_thinking_comes_back_byte_for_byte(thinking: str, signature: str):
    """D81, D82, D85."""
    block = json.dumps({"type": "thinking", "thinking": thinking, "signature": signature}, ensure_ascii=False)
    block = block.replace('": ', '":').replace(', "', ',"')
    said = f'{{"role":"assistant","content":[{block},{{"type":"text","text":"a"}}]}},{{"role":"user","content":"b"}}'
    body = f'{{"model":"m","max_tokens":9,"messages":[{{"role":"user","content":"Hi"}},{said}]}}'.encode(
        errors="replace"
    )
    back = json.loads(there_and_back(body))["messages"][1]["content"][0]
    assert back == json.loads(body)["messages"][1]["content"][0]


@st.composite
def part(draw: st.DrawFn, number: int) -> Part:
    """A part of an answer of Claude's."""
    blob = Blob(draw(st.sampled_from(["signature", "redacted"])), draw(SIGNATURES), "anthropic", "claude")
    text = "" if blob.kind == "redacted" else draw(st.text(max_size=20))
    args = json.dumps(draw(OBJECTS))
    choices = [Text(draw(WORDS)), Reasoning(text, blob=blob), ToolCall(f"toolu_{number}", draw(NAMES), args)]
    return draw(st.sampled_from(choices))


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """An answer of Claude's with its usage."""
    parts = tuple(draw(part(number)) for number in range(draw(st.integers(1, 5))))
    calls = any(isinstance(one, ToolCall) for one in parts)
    finish = Finished("tool_calls", raw="tool_use") if calls else Finished("stop", raw="end_turn")
    fresh, read, short, long = 1 + draw(COUNTS), draw(COUNTS), draw(COUNTS), draw(COUNTS)
    said = draw(COUNTS)
    usage = Usage(
        fresh + read + short + long, said, read, short + long, None, cache_write_5m=short, cache_write_1h=long
    )
    return Reply((Choice(parts, finish),), f"msg_{OCCASION.id}", OCCASION.model, None, usage)


@settings(max_examples=150)
@given(replies(), st.integers(1, 40))
def test_a_reply_comes_back_as_it_was_whole_and_streamed(reply: Reply, size: int):
    """D117."""
    body = PROTOCOL.write_whole(reply, OCCASION)
    assert PROTOCOL.read_whole(body, target(), "call") == reply
    stream = PROTOCOL.stream_writer(OCCASION).write(unfold(reply))
    reader = PROTOCOL.stream_reader(target(), "call")
    events = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    assert fold([*events, *reader.close()]) == reply
    assert collected(stream) == json.loads(body)


def test_what_we_write_passes_our_own_watch():
    """D143, D150."""
    events = PROTOCOL.stream_reader(target(), "call").feed(EVERYTHING)
    stream = PROTOCOL.stream_writer(Occasion("0" * 32, 1, "m")).write(events)
    watch = PROTOCOL.watch_stream(strip_usage=False)
    assert watch.feed(stream) == stream
    assert watch.seen.ended
    assert watch.seen.usage == Usage(17, 30, 3, 4, cache_write_5m=4, cache_write_1h=0, web_searches=1)


def test_a_stream_of_anthropics_comes_back_as_it_was():
    events = PROTOCOL.stream_reader(target(), "call").feed(EVERYTHING)
    back = collected(PROTOCOL.stream_writer(OCCASION).write(events))
    assert back["content"] == collected(EVERYTHING.replace(b"\n\n\n", b"\n\n"))["content"]
