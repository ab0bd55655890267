"""What goes from this dialect through the hub and back is what it was, whole or streamed, however it is cut."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Blob, Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.openai_responses.read_reply import ReplyReader, read_whole, watch_stream, watch_whole
from proxx.protocols.openai_responses.write_reply import ReplyWriter, write_whole
from tests.protocols.openai_responses.bodies import request, written
from tests.protocols.openai_responses.streams import ID, TARGET, occasion

WORDS = st.text(min_size=1, max_size=20)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,20}", fullmatch=True)
JSON = st.dictionaries(WORDS, st.integers() | WORDS | st.booleans(), max_size=3).map(json.dumps)
SHOWN = request(reasoning={"summary": "auto"})


@st.composite
def steps(draw: st.DrawFn, number: int) -> list[dict[str, Any]]:
    """One step of the model, with the outputs of its calls."""
    items: list[dict[str, Any]] = []
    if draw(st.booleans()):
        summary = [{"type": "summary_text", "text": text} for text in draw(st.lists(WORDS, max_size=2))]
        items.append({"type": "reasoning", "id": f"rs_{number}", "summary": summary, "encrypted_content": draw(WORDS)})
    content = [{"type": "output_text", "text": text} for text in draw(st.lists(WORDS, min_size=1, max_size=2))]
    phase = draw(st.sampled_from([{}, {"phase": "commentary"}]))
    items.append({"type": "message", "role": "assistant", "content": content, **phase})
    calls, outputs = [], []
    for place in range(draw(st.integers(0, 3))):
        id = f"call_{number}_{place}"
        if draw(st.booleans()):
            calls.append({"type": "function_call", "call_id": id, "name": draw(NAMES), "arguments": draw(JSON)})
            outputs.append({"type": "function_call_output", "call_id": id, "output": draw(WORDS)})
        else:
            calls.append({"type": "custom_tool_call", "call_id": id, "name": draw(NAMES), "input": draw(WORDS)})
            outputs.append({"type": "custom_tool_call_output", "call_id": id, "output": draw(WORDS)})
    return [*items, *calls, *outputs]


@st.composite
def histories(draw: st.DrawFn) -> list[dict[str, Any]]:
    """A conversation that ends with the user."""
    items: list[dict[str, Any]] = []
    for number in range(draw(st.integers(0, 3))):
        items += [_user(draw(WORDS)), *draw(steps(number))]
    return [*items, _user(draw(WORDS))]


@st.composite
def parts(draw: st.DrawFn, number: int) -> Any:
    blob = Blob("encrypted", draw(WORDS), "openai_responses", "gpt", f"rs_{number}")
    return draw(
        st.sampled_from(
            [
                Text(draw(WORDS)),
                Refusal(draw(WORDS)),
                Reasoning("", tuple(draw(st.lists(WORDS, max_size=2))), blob, f"rs_{number}"),
                ToolCall(f"c{number}", draw(NAMES), draw(JSON), item_id=f"fc_{number}"),
                ToolCall(f"c{number}", draw(NAMES), draw(WORDS), kind="custom", item_id=f"ctc_{number}"),
            ]
        )
    )


@st.composite
def replies(draw: st.DrawFn) -> Reply:
    """One reply in this dialect's own terms."""
    told = tuple(draw(parts(number)) for number in range(draw(st.integers(0, 4))))
    calls = any(isinstance(part, ToolCall) for part in told)
    refused = any(isinstance(part, Refusal) for part in told) and not any(isinstance(part, Text) for part in told)
    reason = "tool_calls" if calls else "refusal" if refused else "stop"
    number = st.integers(0, 2**30)
    usage = Usage(draw(number), draw(number), draw(number), draw(number), draw(number))
    return Reply((Choice(told, Finished(reason, raw="completed")),), usage=usage)


def _user(text: str) -> dict[str, Any]:
    return {"type": "message", "role": "user", "content": [{"type": "input_text", "text": text}]}


def _plain(reply: Reply) -> Any:
    kept = [_shape(part) for part in reply.choices[0].parts]
    return kept, reply.choices[0].finish, reply.usage


def _shape(part: Any) -> Any:
    return (part.id, part.name, part.args, part.kind) if isinstance(part, ToolCall) else part


def _streamed(reply: Reply, pieces: int) -> bytes:
    writer = ReplyWriter(occasion(SHOWN))
    events = unfold(reply)
    cut = [events[at : at + pieces] for at in range(0, len(events), pieces)]
    return b"".join(writer.write(some) for some in cut)


def _read(stream: bytes, size: int) -> Reply:
    reader = ReplyReader(TARGET, ID)
    events = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    return fold([*events, *reader.close()])


@given(histories())
def test_a_history_comes_back_as_it_went(items: list[dict[str, Any]]) -> None:
    losses = Losses()
    assert written(request(*items, losses=losses), losses)["input"] == items
    assert losses.notes == []


@given(replies())
def test_a_whole_reply_comes_back_as_it_went(reply: Reply) -> None:
    whole = write_whole(reply, occasion(SHOWN))
    assert watch_whole(whole).ended
    assert _plain(read_whole(whole, TARGET, ID)) == _plain(reply)


@given(replies(), st.integers(1, 9), st.integers(1, 400))
def test_a_stream_says_what_the_whole_says_however_it_is_cut(reply: Reply, pieces: int, size: int) -> None:
    stream = _streamed(reply, pieces)
    whole = read_whole(write_whole(reply, occasion(SHOWN)), TARGET, ID)
    assert _plain(_read(stream, size)) == _plain(whole) == _plain(reply)
    watch = watch_stream(strip_usage=False)
    told = b"".join(watch.feed(stream[at : at + size]) for at in range(0, len(stream), size)) + watch.close()
    assert told == stream
    assert watch.seen.ended


@given(st.binary(max_size=200))
def test_no_bytes_break_a_reader(data: bytes) -> None:
    reader = ReplyReader(TARGET, ID)
    assert len(reader.feed(data + b"\n\n") + reader.close()) <= 1
