"""Nothing is lost on the way through the hub and back into the same dialect; whole and streamed answers agree."""

import json

from hypothesis import given, settings
from hypothesis import strategies as st

from proxx.protocols.hub.events import ArgsDelta, Finished, TextDelta, Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.parts import Reasoning, Refusal, Text, ToolCall
from proxx.protocols.hub.reply import Choice, Reply, fold, unfold
from proxx.protocols.hub.target import Target
from proxx.protocols.ollama import PROTOCOL

TARGET = Target("ollama", "m", "ollama")
WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
SAID = WORDS.filter(bool)
NAMES = st.from_regex(r"[a-z][a-z_0-9]{0,8}", fullmatch=True)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(WORDS, JSON, max_size=3)
IMAGES = st.sampled_from(["iVBORw0KGgoAAAANSUhEUg==", "/9j/4AAQSkZJRg==", "aGVsbG8="])


def optional(**fields):
    return st.fixed_dictionaries({}, optional=fields)


SYSTEM = st.builds(lambda content: [{"role": "system", "content": content}], SAID)
USER = st.builds(
    lambda content, more: [{"role": "user", "content": content, **more}],
    WORDS,
    optional(images=st.lists(IMAGES, min_size=1, max_size=2)),
)


@st.composite
def steps(draw):
    """Draw a step of a model, with the results of its calls."""
    message = {"role": "assistant", "content": draw(WORDS)}
    message |= draw(optional(thinking=SAID))
    names = draw(st.lists(NAMES, max_size=3))
    numbers = [draw(st.integers(0, 10**9)) for _ in names]
    calls = [
        {"id": f"call_{place}_{number}", "function": {"name": name, "arguments": draw(OBJECTS)}}
        for place, (name, number) in enumerate(zip(names, numbers, strict=True))
    ]
    if calls:
        message["tool_calls"] = calls
    results = [
        {"role": "tool", "content": draw(WORDS), "tool_name": call["function"]["name"], "tool_call_id": call["id"]}
        for call in calls
    ]
    return [message, *results]


@st.composite
def requests(draw):
    turns = draw(st.lists(SYSTEM | USER | steps(), min_size=1, max_size=5))
    messages = [message for turn in turns for message in turn]
    for number, message in enumerate(messages):  # ids are unique in a history
        for call in message.get("tool_calls", ()):
            new = f"{call['id']}_{number}"
            for other in messages[number:]:
                if other.get("tool_call_id") == call["id"]:
                    other["tool_call_id"] = new
                    break
            call["id"] = new
    options = optional(
        temperature=st.floats(0, 2),
        top_k=st.integers(1, 100),
        seed=st.integers(0, 2**31),
        num_predict=st.integers(-2, 4096).filter(bool),
        num_ctx=st.integers(1, 10**6),
        stop=st.lists(SAID, min_size=1, max_size=6),
    )
    tool = st.builds(
        lambda name, description, properties: {
            "type": "function",
            "function": {
                "name": name,
                "description": description,
                "parameters": {"type": "object", "properties": properties},
            },
        },
        NAMES,
        WORDS,
        st.dictionaries(NAMES, st.just({"type": "string"}), max_size=3),
    )
    more = optional(
        options=options.filter(bool),
        tools=st.lists(tool, min_size=1, max_size=3, unique_by=lambda one: one["function"]["name"]),
        format=st.just("json") | st.just({"type": "object", "properties": {"a": {}}}),
        think=st.sampled_from([True, False, "low", "medium", "high", "max"]),
        keep_alive=st.sampled_from(["5m", 0, -1, 300]),
        truncate=st.booleans(),
        shift=st.booleans(),
        logprobs=st.booleans(),
        top_logprobs=st.integers(0, 20),
    )
    return {"model": "m", "messages": messages, "stream": draw(st.booleans()), **draw(more)}


@settings(max_examples=300)
@given(requests())
def test_a_request_comes_back_as_it_was(body):
    losses = Losses()
    request = PROTOCOL.read_request(PROTOCOL.read_envelope(json.dumps(body).encode()), losses)
    told = PROTOCOL.write_request(request, TARGET, losses)
    again = json.loads(told.body)
    assert again == {"truncate": False, **body}
    assert (losses.notes, told.mends) == ([], ())


CALLS = st.builds(
    lambda number, name, args: ToolCall(f"call_{number}", name, json.dumps(args)), st.integers(0, 9), NAMES, OBJECTS
)
PARTS = st.builds(Text, SAID) | st.builds(Reasoning, SAID) | CALLS | st.builds(Refusal, SAID)
REPLIES = st.builds(
    lambda parts, reason, usage: Reply((Choice(tuple(parts), Finished(reason)),), usage=usage),
    st.lists(PARTS, max_size=6),
    st.sampled_from(["stop", "length"]),
    st.builds(Usage, st.integers(0, 10**6), st.integers(0, 10**6)),
)


def occasion(form):
    return Occasion("c0ffee", 0, "m", form=form)


def in_pieces(reply):
    """Tell a reply with every text in letters."""
    for event in unfold(reply):
        if isinstance(event, TextDelta | ArgsDelta):
            yield from [type(event)(event.part, letter) for letter in event.text]
        else:
            yield event


@settings(max_examples=300)
@given(REPLIES, st.sampled_from(["chat", "generate"]))
def test_whole_and_streamed_answers_say_the_same(reply, form):
    """Invariant 2."""
    writer = PROTOCOL.stream_writer(occasion(form))
    lines = b"".join(writer.write([event]) for event in in_pieces(reply)).splitlines()
    said = {"content": "", "thinking": "", "tool_calls": []}
    for line in map(json.loads, lines):
        message = line.get("message", line)
        said["content"] += message.get("content", message.get("response", ""))
        said["thinking"] += message.get("thinking", "")
        said["tool_calls"] += message.get("tool_calls", [])
    whole = json.loads(PROTOCOL.write_whole(reply, occasion(form)))
    message = whole.get("message", whole)
    content = message["response" if form == "generate" else "content"]
    assert said == {
        "content": content,
        "thinking": message.get("thinking", ""),
        "tool_calls": message.get("tool_calls", []),
    }
    ending = json.loads(lines[-1])
    assert {name: ending[name] for name in ending if name not in ("message", "response")} == {
        name: whole[name] for name in whole if name not in ("message", "response", "thinking", "tool_calls")
    }


@settings(max_examples=300)
@given(REPLIES)
def test_an_answer_comes_back_as_it_was(reply):
    """What Ollama's own message can hold: one thinking, one text, then calls."""
    merged = []
    for kind in (Reasoning, Text):
        words = "".join(part.text for part in reply.choices[0].parts if type(part) is kind)
        merged += [kind(words)] if words else []
    calls = [part for part in reply.choices[0].parts if isinstance(part, ToolCall)]
    finish = "tool_calls" if calls and reply.choices[0].finish.reason == "stop" else reply.choices[0].finish.reason
    shaped = Reply((Choice((*merged, *calls), Finished(finish)),), usage=reply.usage)
    writer = PROTOCOL.stream_writer(occasion("chat"))
    reader = PROTOCOL.stream_reader(TARGET, "c0ffee")
    streamed = fold([event for byte in writer.write(unfold(shaped)) for event in reader.feed(bytes([byte]))])
    whole = PROTOCOL.read_whole(PROTOCOL.write_whole(shaped, occasion("chat")), TARGET, "c0ffee")
    for again in (streamed, whole):
        assert again.choices[0].parts == shaped.choices[0].parts
        assert (again.usage, again.choices[0].finish.reason) == (shaped.usage, finish)
