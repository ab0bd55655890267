"""Small Gemini requests, good and bad, for the tests of the simulated provider."""

from typing import Any

from tests.upstreams import signatures
from tests.upstreams.posting import PNG, Reply, send
from tests.upstreams.server import SimulatedProvider

KEY = {"x_goog_api_key": "sk-sim-1"}
NEWEST, OLDER, PRO = "gemini-3-pro", "gemini-2.5-flash", "gemini-2.5-pro"
SIGNED = signatures.sign("gemini", "call f")
Data = dict[str, Any]


def user(*parts: Data) -> Data:
    """Return what a user says."""
    return {"role": "user", "parts": list(parts)}


def model(*parts: Data) -> Data:
    """Return what the model said."""
    return {"role": "model", "parts": list(parts)}


def text(words: str, **members: Any) -> Data:
    """Return a part of text."""
    return {"text": words, **members}


def call(name: str = "f", signature: str = SIGNED, **members: Any) -> Data:
    """Return a call; an empty signature leaves it out."""
    signed = {"thoughtSignature": signature} if signature else {}
    return {"functionCall": {"name": name, "args": {}, **members}, **signed}


def response(name: str = "f", **members: Any) -> Data:
    """Return the answer to a call."""
    return {"functionResponse": {"name": name, "response": {"output": "ok"}, **members}}


def image(mime: str = "image/png", data: str = PNG) -> Data:
    """Return an image of one pixel."""
    return {"inlineData": {"mimeType": mime, "data": data}}


def declare(**members: Any) -> Data:
    """Return the tools: a function f."""
    return {"tools": [{"functionDeclarations": [{"name": "f", **members}]}]}


def parameters(**schema: Any) -> Data:
    """Return the tools: a function f whose parameters are in the subset."""
    return declare(parameters={"type": "OBJECT", "properties": {"a": {"type": "STRING"}}, **schema})


def config(**members: Any) -> Data:
    """Return generation settings."""
    return {"generationConfig": members}


def thinking(**members: Any) -> Data:
    """Return settings of thought."""
    return config(thinkingConfig=members)


def contents(*all: Data) -> Data:
    """Return the conversation."""
    return {"contents": list(all)}


U = user(text("hi"))
LOOP = [U, model(call()), user(response())]


def asked(provider: SimulatedProvider, members: Data, of: str = NEWEST) -> Reply:
    """Send a request with these members to a model."""
    return send(provider, "POST", f"/v1beta/models/{of}:generateContent", {"contents": [U], **members}, **KEY)
