"""Chat completion bodies of tests: how they are read, and what is written for an upstream."""

import json

from proxx.protocols.hub.facts import facts_of
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import Request
from proxx.protocols.hub.target import Target
from proxx.protocols.openai_chat.read_request import read_envelope, read_request
from proxx.protocols.openai_chat.write_request import write_request


def read(*messages, losses=None, **fields):
    body = json.dumps({"model": "m", "messages": list(messages), **fields}).encode()
    return read_request(read_envelope(body), losses or Losses())


def user(content="hi", **more):
    return {"role": "user", "content": content, **more}


def turn(role, *parts):
    return Turn(role, tuple(Text(part) if isinstance(part, str) else part for part in parts))


def asked(*turns, **fields):
    return Request(**{"dialect": "anthropic", "model": "m", "turns": turns or (turn("user", "hi"),), **fields})


def target(*quirks, model="some-model", **more):
    return Target("p", model, "openai_chat", frozenset(quirks), **{"facts": facts_of(model), **more})


def written(request, *quirks, losses=None, **more):
    losses = Losses() if losses is None else losses
    return write_request(request, target(*quirks, **more), losses)


def sent(request, *quirks, **more):
    return json.loads(written(request, *quirks, **more).body)


def messages(*turns, quirks=(), **more):
    return sent(asked(*turns), *quirks, **more)["messages"]
