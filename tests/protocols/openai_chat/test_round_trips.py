"""What goes through the hub and back loses nothing; streams and whole replies say the same."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.protocols.hub.events import Finished, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.openai_chat.read_reply import ChatReader, read_whole
from proxx.protocols.openai_chat.read_request import read_envelope, read_request
from proxx.protocols.openai_chat.write_reply import ChatWriter, write_whole
from proxx.protocols.openai_chat.write_request import write_request
from tests.protocols.openai_chat.asking import target as asked_target
from tests.protocols.openai_chat.replying import occasion, target

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = st.from_regex(r"[a-zA-Z0-9_-]{1,12}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
ARGS = st.dictionaries(WORDS, JSON, max_size=3).map(lambda value: json.dumps(value, ensure_ascii=False))
SCHEMA = st.fixed_dictionaries(
    {"type": st.just("object"), "properties": st.dictionaries(NAMES, st.just({}), max_size=2)}
)

TEXT_PART = st.fixed_dictionaries({"type": st.just("text"), "text": WORDS})
IMAGE = st.fixed_dictionaries(
    {"url": st.sampled_from(["https://e/x.png", "data:image/png;base64,iVBORw0KGgo="])},
    optional={"detail": st.sampled_from(["low", "high", "auto"])},
)
SHOWN = st.one_of(
    st.fixed_dictionaries({"type": st.just("image_url"), "image_url": IMAGE}),
    st.just({"type": "input_audio", "input_audio": {"data": "AAAA", "format": "wav"}}),
    st.just({"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,JVBERi0="}}),
    st.just({"type": "file", "file": {"file_id": "file-1"}}),
)
TEXTS = WORDS | st.lists(TEXT_PART, min_size=2, max_size=3)
CONTENT = TEXTS | st.builds(lambda text, shown: [text, *shown], TEXT_PART, st.lists(SHOWN, min_size=1, max_size=3))
LEAD = st.fixed_dictionaries({"role": st.sampled_from(["system", "developer"]), "content": TEXTS})
USER = st.fixed_dictionaries({"role": st.just("user"), "content": CONTENT}, optional={"name": NAMES})


@st.composite
def steps(draw):
    """One question and its answer, perhaps with calls, their results, and a refusal."""
    said = {"role": "assistant", "content": draw(TEXTS)}
    if draw(st.booleans()):
        said = {"role": "assistant", "content": None, "refusal": draw(WORDS)}
    ids = draw(st.lists(NAMES, max_size=3))
    if not ids:
        return [draw(USER), said]
    calls = []
    for id in ids:
        custom = draw(st.booleans())
        inner = {"name": draw(NAMES), **({"input": draw(WORDS)} if custom else {"arguments": draw(ARGS)})}
        kind = "custom" if custom else "function"
        calls.append({"id": id, "type": kind, kind: inner})
    results = [{"role": "tool", "tool_call_id": id, "content": draw(WORDS)} for id in ids]
    return [draw(USER), {"role": "assistant", "content": None, "tool_calls": calls}, *results]


def unlike(step_list):
    """Ids of calls are told apart over the whole conversation, as every client does."""
    messages = json.loads(json.dumps([message for step in step_list for message in step]))
    count = 0
    for message in messages:
        for call in message.get("tool_calls", ()):
            call["id"], count = f"{call['id']}.{count}", count + 1
        if message["role"] == "assistant":
            waiting = [call["id"] for call in message.get("tool_calls", ())]
        elif message["role"] == "tool":
            message["tool_call_id"] = waiting.pop(0)
    return messages


OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "max_completion_tokens": st.integers(1, 10**6),
        "temperature": st.floats(0, 2),
        "top_p": st.floats(0, 1),
        "frequency_penalty": st.floats(-2, 2),
        "presence_penalty": st.floats(-2, 2),
        "seed": st.integers(-(2**63) + 1, 2**63 - 1),
        "n": st.integers(1, 9),
        "stop": st.lists(WORDS, min_size=1, max_size=4),
        "logit_bias": st.dictionaries(NAMES, st.integers(-100, 100), min_size=1, max_size=2),
        "store": st.booleans(),
        "metadata": st.dictionaries(NAMES, WORDS, min_size=1, max_size=2),
        "user": WORDS,
        "safety_identifier": WORDS,
        "prompt_cache_key": WORDS,
        "prediction": st.just({"type": "content", "content": "x"}),
        "service_tier": st.sampled_from(["auto", "flex", "priority"]),
        "verbosity": st.sampled_from(["low", "high"]),
        "modalities": st.just(["text", "audio"]),
        "unheard_of": JSON.filter(lambda value: value is not None),
        "response_format": st.sampled_from(
            [{"type": "text"}, {"type": "json_schema", "json_schema": {"name": "r", "schema": {}, "strict": False}}]
        ),
    },
)


@st.composite
def bodies(draw):
    messages = draw(st.lists(LEAD, max_size=2)) + unlike(draw(st.lists(steps(), min_size=1, max_size=3)))
    body = {"model": "gpt-4o", "messages": messages, **draw(OPTIONS)}
    names = draw(st.lists(NAMES, max_size=3, unique=True))
    if names:
        body["tools"] = [
            {"type": "custom", "custom": {"name": name, "description": "d"}}
            if draw(st.booleans())
            else {"type": "function", "function": {"name": name, "parameters": draw(SCHEMA)}}
            for name in names
        ]
        body["tool_choice"] = draw(st.sampled_from(["auto", "none", "required"]))
        body["parallel_tool_calls"] = draw(st.booleans())
    return body


@settings(max_examples=200)
@given(bodies())
def test_a_request_comes_back_as_it_was(body):
    request = read_request(read_envelope(json.dumps(body).encode()), Losses())
    losses = Losses()
    out = write_request(request, asked_target("openai_platform", model="gpt-4o"), losses)
    assert json.loads(out.body) == body
    assert losses.notes == []
    assert out.mends == ()


CALLS = st.builds(ToolCall, NAMES, NAMES, ARGS | st.just("{}"), kind=st.just("function")) | st.builds(
    ToolCall, NAMES, NAMES, WORDS, kind=st.just("custom")
)
FINISHES = st.sampled_from(["stop", "length", "content_filter"])


@st.composite
def choices(draw):
    """An answer as this dialect can say it: thinking, text, a refusal, calls; each at most once, but for the calls."""
    parts = [draw(st.builds(kind, WORDS)) for kind in (Reasoning, Text) if draw(st.booleans())]
    if draw(st.booleans()):
        return Choice((*parts, Refusal(draw(WORDS))), Finished("refusal", raw="content_filter"))
    calls = draw(st.lists(CALLS, max_size=3, unique_by=lambda call: call.id))
    if calls:
        return Choice((*parts, *calls), Finished("tool_calls"))
    return Choice(tuple(parts), Finished(draw(FINISHES)))


USAGES = st.builds(
    Usage,
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    st.integers(0, 10**6),
    reasoning=st.integers(0, 10**6),
    audio_in=st.just(0),
    audio_out=st.just(0),
)


def ids_differ(answers):
    ids = [part.id for one in answers for part in one.parts if isinstance(part, ToolCall)]
    return len(set(ids)) == len(ids)


REPLIES = st.builds(Reply, st.lists(choices(), min_size=1, max_size=3).map(tuple).filter(ids_differ), usage=USAGES)


def meaning(reply):
    """What must survive: not the words of ending, which each vendor has its own."""
    answers = [(one.parts, _reason(one.finish.reason)) for one in reply.choices]
    return answers, reply.usage


def _reason(reason):
    return "content_filter" if reason == "refusal" else reason


@settings(max_examples=200)
@given(REPLIES, st.integers(1, 80))
def test_a_reply_comes_back_as_it_was_whole_and_streamed_at_any_split(reply, size):
    stream = ChatWriter(occasion()).write(unfold(reply))
    reader = ChatReader(target(), "call")
    events = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    streamed = fold([*events, *reader.close()])
    whole = read_whole(write_whole(reply, occasion()), target(), "call")
    assert meaning(streamed) == meaning(reply)
    assert (whole.choices, whole.usage) == (streamed.choices, streamed.usage)


@given(REPLIES)
def test_a_stream_is_the_same_bytes_each_time_and_however_events_are_grouped(reply):
    """D127."""
    events = unfold(reply)
    alone = ChatWriter(occasion())
    assert b"".join(alone.write([event]) for event in events) == ChatWriter(occasion()).write(events)


@given(st.lists(st.binary(max_size=60), max_size=10))
def test_no_noise_breaks_the_reader(pieces):
    reader = ChatReader(target("wants_reasoning_content"), "call")
    for piece in pieces:
        reader.feed(b"data: " + piece + b"\n\n")
    reader.close()


@given(st.dictionaries(st.sampled_from(["choices", "usage", "error", "id", "model", "object", "detail"]), JSON))
def test_no_json_breaks_the_reader(chunk):
    reader = ChatReader(target(), "call")
    reader.feed(b"data: " + json.dumps(chunk).encode() + b"\n\n")
    reader.close()


def read_all(stream):
    reader = ChatReader(target(), "call")
    events = [event for frame in stream.split(b"\n\n") for event in reader.feed(frame + b"\n\n")]
    return events + reader.close()


@given(REPLIES)
def test_the_short_way_for_usual_events_reads_what_the_long_way_reads(reply):
    stream = ChatWriter(occasion()).write(unfold(reply))
    assert read_all(stream) == read_all(stream.replace(b'"delta":{"', b'"delta":{"unheard_of":1,"'))
