"""Gemini's reply as typed structures, holding what a translation asks for; everything else is skipped while decoding.

Arguments stay raw: they travel as the model wrote them.
"""

import msgspec

Raw = msgspec.Raw


class FunctionCall(msgspec.Struct):
    """A call; `args` is the text of an object."""

    name: str | None = None
    id: str | None = None
    args: Raw = Raw()


class InlineData(msgspec.Struct):
    """A medium in base64."""

    data: str | None = None
    mime_type: str | None = msgspec.field(default=None, name="mimeType")
    display_name: str | None = msgspec.field(default=None, name="displayName")


class Part(msgspec.Struct):
    """One part: one of its members tells what it is, `thought` and `signature` may stand beside any."""

    text: str | None = None
    thought: bool | None = None
    signature: str | None = msgspec.field(default=None, name="thoughtSignature")
    call: FunctionCall | None = msgspec.field(default=None, name="functionCall")
    inline: InlineData | None = msgspec.field(default=None, name="inlineData")
    code: Raw = msgspec.field(default=Raw(), name="executableCode")
    code_result: Raw = msgspec.field(default=Raw(), name="codeExecutionResult")
    tool_call: Raw = msgspec.field(default=Raw(), name="toolCall")
    tool_response: Raw = msgspec.field(default=Raw(), name="toolResponse")


class Content(msgspec.Struct):
    """What one object adds to an answer."""

    parts: list[Part] | None = None


class Candidate(msgspec.Struct):
    """One answer's share of one object."""

    index: int | None = None
    content: Content | None = None
    finish: str | None = msgspec.field(default=None, name="finishReason")
    finish_message: str | None = msgspec.field(default=None, name="finishMessage")
    grounding: Raw = msgspec.field(default=Raw(), name="groundingMetadata")
    citations: Raw = msgspec.field(default=Raw(), name="citationMetadata")
    urls: Raw = msgspec.field(default=Raw(), name="urlContextMetadata")
    logprobs: Raw = msgspec.field(default=Raw(), name="logprobsResult")


class Feedback(msgspec.Struct):
    """What was thought of the prompt."""

    block: str | None = msgspec.field(default=None, name="blockReason")
    message: str | None = msgspec.field(default=None, name="blockReasonMessage")


class Chunk(msgspec.Struct):
    """One object of a stream, or one whole reply."""

    candidates: list[Candidate] | None = None
    feedback: Feedback | None = msgspec.field(default=None, name="promptFeedback")
    usage: Raw = msgspec.field(default=Raw(), name="usageMetadata")
    model: str | None = msgspec.field(default=None, name="modelVersion")
    id: str | None = msgspec.field(default=None, name="responseId")
    error: Raw = Raw()


class GlancedCandidate(msgspec.Struct):
    """A candidate of a reply that passes by: its parts are not looked into."""

    index: int | None = None
    content: Raw = Raw()
    finish: str | None = msgspec.field(default=None, name="finishReason")


class Glance(msgspec.Struct):
    """One object of a reply that passes by."""

    candidates: list[GlancedCandidate] | None = None
    feedback: Feedback | None = msgspec.field(default=None, name="promptFeedback")
    usage: Raw = msgspec.field(default=Raw(), name="usageMetadata")
    model: str | None = msgspec.field(default=None, name="modelVersion")
    error: Raw = Raw()


NOTHING = (b"", b"null", b"{}", b"[]", b'""', b"false")  # what imitators write where there is nothing
chunk = msgspec.json.Decoder(Chunk)
glance = msgspec.json.Decoder(Glance)
anything = msgspec.json.Decoder()
