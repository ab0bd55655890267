"""Chat streams of tests: how they are built, read into events, and folded from a client's side."""

import json

from proxx.protocols.hub.events import ArgsDelta, ReasoningDelta, TextDelta
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.target import ModelFacts, Target
from proxx.protocols.openai_chat.read_reply import ChatReader, read_whole
from proxx.protocols.openai_chat.write_reply import ChatWriter

DONE = b"data: [DONE]\n\n"


def frame(**chunk):
    return b"data: " + json.dumps(chunk, separators=(",", ":")).encode() + b"\n\n"


def said(finish=None, *, index=0, usage=None, **delta):
    choice = {"index": index, "delta": delta, "finish_reason": finish}
    return frame(id="c1", object="chat.completion.chunk", created=7, model="up", choices=[choice], usage=usage)


def fragment(index=0, name=None, args=None, **more):
    function = {key: value for key, value in (("name", name), ("arguments", args)) if value is not None}
    return said(tool_calls=[{"index": index, "function": function, **more}])


def target(*quirks, model="m", family=""):
    return Target("p", model, "openai_chat", frozenset(quirks), facts=ModelFacts(family=family))


def events(stream, *quirks, size=None, **more):
    reader = ChatReader(target(*quirks, **more), "call")
    size = size or max(len(stream), 1)
    found = [event for at in range(0, len(stream), size) for event in reader.feed(stream[at : at + size])]
    return found + reader.close()


def whole(*quirks, **message):
    finish = message.pop("finish", "stop")
    choice = {"index": 0, "message": {"role": "assistant", **message}, "finish_reason": finish}
    body = {"id": "c1", "object": "chat.completion", "created": 7, "model": "up", "choices": [choice]}
    return read_whole(json.dumps(body).encode(), target(*quirks), "call")


def glued(found):
    """The events with deltas that follow one another on one part made one: cuts do not matter."""
    out = []
    for event in found:
        last = out[-1] if out else None
        told = isinstance(event, TextDelta | ArgsDelta | ReasoningDelta)
        if told and type(last) is type(event) and last.part == event.part:
            out[-1] = type(event)(event.part, last.text + event.text)
        else:
            out.append(event)
    return out


def occasion(**more):
    return Occasion(**{"id": "0" * 32, "created": 7, "model": "alias", "wants_usage": True, **more})


def told(found, **more):
    """The chunks that a client gets, parsed; the end mark and errors as they are."""
    writer = ChatWriter(occasion(**more))
    stream = b"".join(writer.write([event]) for event in found)
    assert stream == ChatWriter(occasion(**more)).write(found)
    frames = [one.removeprefix(b"data: ") for one in stream.split(b"\n\n") if one]
    return [one.decode() if one == b"[DONE]" else json.loads(one) for one in frames]


def deltas(chunks):
    return [choice["delta"] for chunk in chunks if chunk != "[DONE]" for choice in chunk["choices"]]
