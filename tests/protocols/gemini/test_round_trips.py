"""There and back again: what is read is what was written, for any reply and any request."""

import json
from contextlib import suppress

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.protocols.gemini import PROTOCOL
from proxx.protocols.hub.blobs import unwrap
from proxx.protocols.hub.errors import Inexpressible, Unreadable
from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Blob, Image, Reasoning, Text, ToolCall, ToolResult, Turn
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.hub.request import OutputWish, ReasoningWish, Request, Sampling, ToolChoice, ToolRef, ToolSpec
from tests.protocols.gemini.saying import CALL_ID, NEWEST, OLDER, accepted, events_of, occasion, target
from tests.upstreams.posting import PNG
from tests.upstreams.signatures import sign

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=8)
NAMES = st.from_regex(r"[a-z]{1,8}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | WORDS, lambda one: st.lists(one, max_size=3), max_leaves=4
)
ARGS = st.dictionaries(WORDS, JSON, max_size=3).map(lambda one: json.dumps(one, separators=(",", ":")))
BLOBS = st.none() | st.builds(
    Blob, st.just("thought"), st.just(sign("gemini", "x")), st.just("gemini"), st.just("gemini")
)
COUNTS = st.integers(0, 10**6)


@st.composite
def replies(draw):
    """Draw a reply as Gemini could give it: no text follows an unsigned text, no thought an unsigned thought."""
    parts, number = [], 0
    for kind in draw(st.lists(st.sampled_from(["text", "reasoning", "call", "image"]), max_size=5)):
        before = parts[-1] if parts else None
        if kind == "text" and not isinstance(before, Text):
            parts.append(Text(draw(WORDS), blob=draw(BLOBS)))
        elif kind == "reasoning" and not isinstance(before, Reasoning):
            parts.append(Reasoning(draw(WORDS), blob=draw(BLOBS)))
        elif kind == "call":
            number += 1
            parts.append(ToolCall(f"c{number}", draw(NAMES), draw(ARGS), blob=draw(BLOBS)))
        elif kind == "image":
            parts.append(Image(data=PNG, media_type="image/png"))
    plain = "tool_calls" if number else "stop"
    finish = draw(st.sampled_from([(plain, "STOP"), ("length", "MAX_TOKENS"), ("content_filter", "SPII")]))
    read, written, thoughts = draw(COUNTS), draw(COUNTS), draw(COUNTS)
    usage = Usage(read + 5, written + thoughts, min(read, 7), None, thoughts, hosted_prompt=5)
    return Reply((Choice(tuple(parts), Finished(finish[0], 0, finish[1])),), CALL_ID, "alias", None, usage)


def written(reply, **members):
    writer = PROTOCOL.stream_writer(occasion(**members))
    return b"".join(writer.write([event]) for event in unfold(reply))


@given(replies(), st.sampled_from(["", "array"]), st.sampled_from([0, 1, 17]))
@settings(max_examples=60)
def test_a_reply_survives_the_way_through_a_stream(reply, form, size):
    assert fold(events_of(written(reply, form=form), size=size)) == reply


@given(replies())
@settings(max_examples=60)
def test_a_whole_reply_is_the_stream_folded(reply):
    whole = PROTOCOL.read_whole(PROTOCOL.write_whole(reply, occasion()), target(), CALL_ID)
    assert whole == reply
    assert whole == fold(events_of(written(reply)))


@given(replies())
@settings(max_examples=30)
def test_a_stream_that_passes_keeps_its_bytes_and_its_counts(reply):
    stream = written(reply)
    watch = PROTOCOL.watch_stream(strip_usage=True)
    assert watch.feed(stream) + watch.close() == stream
    assert watch.seen.ended
    counts = (watch.seen.usage.input_total, watch.seen.usage.output_total, watch.seen.usage.reasoning)
    assert counts == (reply.usage.input_total, reply.usage.output_total, reply.usage.reasoning)


@given(replies())
@settings(max_examples=30)
def test_counts_obey_geminis_arithmetic(reply):
    told = json.loads(PROTOCOL.write_whole(reply, occasion()))["usageMetadata"]
    parts = ("promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount", "toolUsePromptTokenCount")
    assert told["totalTokenCount"] == sum(told.get(name, 0) for name in parts)


@st.composite
def requests(draw):
    """Draw a request as a Gemini client could make it."""
    turns = [
        Turn("user", (Text(draw(WORDS)), *draw(st.sampled_from([(), (Image(data=PNG, media_type="image/png"),)]))))
    ]
    for step in range(draw(st.integers(0, 3))):
        calls = [
            ToolCall(f"c{step}{n}", draw(NAMES), draw(ARGS), blob=draw(BLOBS)) for n in range(draw(st.integers(0, 2)))
        ]
        turns.append(Turn("assistant", (Text(draw(WORDS), blob=draw(BLOBS)), *calls)))
        results = [
            ToolResult(one.id, (Text(draw(WORDS)),), one.name, is_error=draw(st.none() | st.just(True)))
            for one in calls
        ]
        turns.append(Turn("user", (*results, Text(draw(WORDS)))))
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    schema = {"type": "object", "properties": {"a": {"type": "string"}}}
    return Request(
        dialect="gemini",
        model="m",
        turns=tuple(turns),
        instructions=draw(st.just(()) | st.builds(lambda text: (Turn("system", (Text(text),)),), WORDS)),
        tools=tuple(ToolSpec("function", name, "gemini", description=draw(WORDS), schema=schema) for name in names),
        tool_choice=ToolChoice("named", (ToolRef(names[0]),)) if names and draw(st.booleans()) else None,
        max_output=draw(st.none() | st.integers(1, 60000)),
        sampling=draw(
            st.builds(
                Sampling,
                temperature=st.none() | st.floats(0, 2),
                top_k=st.none() | st.integers(1, 50),
                seed=st.none() | st.integers(0, 1000),
                stop=st.lists(WORDS, max_size=5, unique=True).map(tuple),
            )
        ),
        reasoning=draw(
            st.sampled_from([ReasoningWish(), ReasoningWish("low", None, "summary"), ReasoningWish(show="none")])
        ),
        output=draw(st.sampled_from([OutputWish(), OutputWish("json"), OutputWish("schema", schema)])),
        wants_usage=True,
    )


def bare(request):
    """Return a request without what the way back cannot know: dummies, declared tools of the history, families."""

    def stripped(part):
        return msgspec.structs.replace(part, blob=None) if hasattr(part, "blob") else part

    turns = tuple(msgspec.structs.replace(turn, parts=tuple(map(stripped, turn.parts))) for turn in request.turns)
    tools = tuple(tool for tool in request.tools if tool.description)
    choice = request.tool_choice if request.tool_choice and request.tool_choice.mode != "none" else None
    return msgspec.structs.replace(request, turns=turns, tools=tools, tool_choice=choice)


@given(requests())
@settings(max_examples=60)
def test_a_request_survives_the_way_to_the_upstream_and_back(request):
    body = PROTOCOL.write_request(request, target(NEWEST), Losses()).body
    accepted(json.loads(body), NEWEST)
    read = PROTOCOL.read_request(PROTOCOL.read_envelope(body, model="m", stream=False), Losses())
    assert bare(read) == bare(request)
    assert body == PROTOCOL.write_request(request, target(NEWEST), Losses()).body


@given(requests())
@settings(max_examples=40)
def test_older_models_take_every_request_too(request):
    accepted(json.loads(PROTOCOL.write_request(request, target(OLDER), Losses()).body), OLDER)


def mutated(draw, value):
    """Replace or drop something somewhere in a JSON value."""
    odd = st.sampled_from([None, 5, -1, "x", "", [], {}, [{}], {"a": 1}, True, 1e300, "\x00", [None]])
    if isinstance(value, dict) and value and draw(st.integers(0, 4)):
        key = draw(st.sampled_from(sorted(value)))
        return {**value, key: mutated(draw, value[key])}
    if isinstance(value, list) and value and draw(st.integers(0, 4)):
        at = draw(st.integers(0, len(value) - 1))
        return [*value[:at], mutated(draw, value[at]), *value[at + 1 :]]
    return draw(odd)


@given(requests(), st.data())
@settings(max_examples=120)
def test_no_mutated_body_makes_us_stumble(request, data):
    body = json.loads(PROTOCOL.write_request(request, target(NEWEST), Losses()).body)
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutated(data.draw, body)
    with suppress(Unreadable, Inexpressible):
        raw = json.dumps(body).encode()
        read = PROTOCOL.read_request(PROTOCOL.read_envelope(raw, model="m", stream=False), Losses())
        json.loads(PROTOCOL.write_request(read, target(OLDER), Losses()).body)


@given(replies(), st.data())
@settings(max_examples=120)
def test_no_mutated_reply_makes_us_stumble(reply, data):
    body = json.loads(PROTOCOL.write_whole(reply, occasion()))
    for _ in range(data.draw(st.integers(1, 3))):
        body = mutated(data.draw, body)
    raw = json.dumps(body).encode()
    events_of(b"data: " + raw + b"\r\n\r\n")
    seen = PROTOCOL.watch_whole(raw)
    if seen.error is None and not seen.malformed and seen.spoke:
        PROTOCOL.write_whole(PROTOCOL.read_whole(raw, target(), CALL_ID), occasion())


@pytest.mark.parametrize("value", ["gw1.x", "gw1.claude.e30", "gw1.claude.!!!"])
def test_a_damaged_wrapper_is_no_blob(value):
    assert unwrap(value) is None
