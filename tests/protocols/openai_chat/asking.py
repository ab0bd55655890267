"""Chat completion bodies of tests, and how they are read."""

import json

from proxx.protocols.hub.losses import Losses
from proxx.protocols.openai_chat.read_request import read_envelope, read_request


def read(*messages, losses=None, **fields):
    body = json.dumps({"model": "m", "messages": list(messages), **fields}).encode()
    return read_request(read_envelope(body), losses or Losses())


def user(content="hi", **more):
    return {"role": "user", "content": content, **more}
