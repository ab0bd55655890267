"""A whole answer: one object that says what the stream's lines say together."""

from typing import Any

import orjson

from proxx.protocols.framing.encode import encoded
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.reply import Reply, unfold
from proxx.protocols.ollama.write_reply.errors import unbroken
from proxx.protocols.ollama.write_reply.moments import Moments
from proxx.protocols.ollama.write_reply.telling import Telling

_JOINED = ("content", "thinking")


def write_whole(reply: Reply, occasion: Occasion) -> bytes:
    """Write a reply; empty if it has a call, or an ending, that can only be told as an error."""
    telling, moments = Telling(), Moments(occasion.created, occasion.elapsed_ns)
    moments.begun()
    said: dict[str, list[Any]] = {}
    for event in unfold(reply):
        for name, value in telling.take(event):
            said.setdefault(name, []).append(value)
    if telling.error is not None:
        return b""
    message: dict[str, object] = {"content": ""}
    for name, values in said.items():
        if name in _JOINED:
            message[name] = "".join(values)
        elif name != "logprobs":
            message[name] = [orjson.Fragment(value) for value in values]
    body: dict[str, object] = {"model": occasion.model, "created_at": moments.now().decode()}
    if occasion.form == "generate":
        body |= {"response": message.pop("content"), **message}
    else:
        body["message"] = {"role": "assistant", **message}
    body |= {"done": True, **moments.ending(telling)}
    if "logprobs" in said:
        body["logprobs"] = [token for tokens in said["logprobs"] for token in tokens]
    return unbroken(encoded(body))
