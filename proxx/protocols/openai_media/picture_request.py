"""A request for pictures, read for an upstream that has no such endpoint but a model with a tool that draws.

The picture's own wishes become the tool's settings, and the model must call it. What the tool has no setting for is
dropped by name; what would give another kind of answer is refused.
"""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.parts import Text, Turn
from proxx.protocols.hub.request import Envelope, Request, ToolChoice, ToolSpec

TOOL = "image_generation"
MOST = 10  # pictures of one request, as OpenAI's own endpoint has it

_SETTINGS = ("size", "quality", "background", "output_format")
_KNOWN = {"model", "prompt", "n", "stream", "partial_images", "response_format", "user", *_SETTINGS}


class _Pictures(msgspec.Struct):
    prompt: str = ""
    n: int | None = None
    stream: bool | None = None
    partial_images: int | None = None
    response_format: str | None = None


_pictures = msgspec.json.Decoder(_Pictures)
_members = msgspec.json.Decoder(dict[str, Any])


def read_request(envelope: Envelope, losses: Losses) -> Request:
    """Return a request that has a model draw; raise `Unreadable` or `Inexpressible`."""
    if envelope.form or envelope.options:
        losses.refuse("image", "only a provider with OpenAI's image endpoints changes given pictures")
    try:
        asked, said = decode(_pictures, envelope.body), decode(_members, envelope.body)
    except msgspec.ValidationError as fault:
        field = str(fault).partition("$.")[2].rstrip("`")
        raise Unreadable(f"Invalid type for '{field}'.", code="invalid_type", param=field or None) from None
    except FAULTS:
        raise Unreadable("The body is not valid JSON.") from None
    if not asked.prompt:
        raise Unreadable("You must provide a prompt.", code="missing_required_parameter", param="prompt")
    count = 1 if asked.n is None else asked.n
    if not 1 <= count <= MOST:
        raise Unreadable(f"'n' must be between 1 and {MOST}.", code="invalid_value", param="n")
    if count > 1 and envelope.stream:
        losses.refuse("n", "several pictures in one stream need a provider with OpenAI's image endpoint")
    if asked.response_format == "url":
        losses.refuse("response_format", "this provider sends pictures as base64 only")
    if asked.partial_images:
        losses.drop("partial_images", "this provider sends whole pictures")
    for name in said.keys() - _KNOWN:
        losses.drop(name, "the tool that draws has no such setting")
    settings = {name: said[name] for name in _SETTINGS if said.get(name) is not None}
    tool = ToolSpec("hosted", TOOL, "openai_responses", raw={"type": TOOL, **settings})
    return Request(
        envelope.dialect,
        envelope.model,
        (Turn("user", (Text(asked.prompt),)),),
        tools=(tool,),
        tool_choice=ToolChoice("required"),
        stream=envelope.stream,
        repeats=count,
    )
