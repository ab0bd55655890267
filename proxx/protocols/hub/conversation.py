"""Which conversation a request belongs to, as far as its bytes tell: the same name for each of its turns.

A provider keeps what it has read of a conversation with the account that sent it, so turns that go to one account are
cheaper and faster. The name decides nothing else, and a wrong guess costs no more than that. It is never shown or
stored: routing/affinity.py makes a digest of it. Members are kept as they stood (`msgspec.Raw` is a view, no copy) and
read only when a call has several accounts to choose from.
"""

import re

import msgspec

BEGINNING = 64 * 1024  # bytes that are searched for the end of a conversation's beginning
SAMPLE = 512  # bytes of either end of a long beginning; the length stands for what is between
LONGEST_KEY = 1024

# What stands in a turn of the model's, and in none before it. These quotes cannot stand inside a JSON string unescaped.
_ANSWERED = {
    "openai_chat": (b'"assistant"',),
    "anthropic": (b'"assistant"',),
    "ollama": (b'"assistant"',),
    "gemini": (b'"model"',),
    "openai_responses": (b'"assistant"', b'"reasoning"', b'"function_call"'),
}
_ASKED = b'"user"'
# Clients mark the end of what should be cached, and the mark moves on with each turn.
_CACHE_MARK = re.compile(rb',?\s*"cache_control"\s*:\s*\{[^{}]*\}')
_NOTHING = (b"", b"null", b'""')


class Traits(msgspec.Struct):
    """The members of any dialect's body that tell conversations apart, raw; and whether it has tools, and must use one,
    which records tell."""

    prompt_cache_key: msgspec.Raw = msgspec.Raw()
    camel_cache_key: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="promptCacheKey")
    metadata: msgspec.Raw = msgspec.Raw()
    user: msgspec.Raw = msgspec.Raw()
    system: msgspec.Raw = msgspec.Raw()
    instructions: msgspec.Raw = msgspec.Raw()
    system_instruction: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="systemInstruction")
    messages: msgspec.Raw = msgspec.Raw()
    input: msgspec.Raw = msgspec.Raw()
    contents: msgspec.Raw = msgspec.Raw()
    tools: msgspec.Raw = msgspec.Raw()
    functions: msgspec.Raw = msgspec.Raw()
    tool_choice: msgspec.Raw = msgspec.Raw()
    tool_config: msgspec.Raw = msgspec.field(default=msgspec.Raw(), name="toolConfig")


class _Metadata(msgspec.Struct):
    user_id: msgspec.Raw = msgspec.Raw()


_metadata = msgspec.json.Decoder(_Metadata)
_traits = msgspec.json.Decoder(Traits)


def traits_of(body: bytes) -> Traits | None:
    """Return the traits of a body that was written here; None if it has none."""
    try:
        return _traits.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None


def name_of(traits: Traits | None, dialect: str, session: str) -> bytes:
    """Return what names the conversation: a cache key, the session that a header named, the caller's own user, or else
    the conversation's beginning; nothing if none of them is there."""
    if traits is None:
        return b"session:" + session[:LONGEST_KEY].encode() if session else b""
    if key := _said(traits.prompt_cache_key) or _said(traits.camel_cache_key):
        return b"key:" + key
    if session:
        return b"session:" + session[:LONGEST_KEY].encode()
    if user := _user(traits.metadata) or _said(traits.user):
        return b"user:" + user
    return _beginning(traits, dialect)


def _said(raw: msgspec.Raw) -> bytes:
    value = _start(raw, LONGEST_KEY)
    return b"" if value in _NOTHING else value.strip(b'" ')


def _user(raw: msgspec.Raw) -> bytes:
    if b'"user_id"' not in _start(raw, LONGEST_KEY):
        return b""
    try:
        return _said(_metadata.decode(raw).user_id)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return b""


def _beginning(traits: Traits, dialect: str) -> bytes:
    """Return a sample of the instructions, and of all turns before the model's first answer to the first question.

    Nothing, if the question comes too late: all conversations that share such long instructions would be one.
    """
    answered = _ANSWERED.get(dialect)
    turns = traits.messages or traits.input or traits.contents
    if answered is None or not turns:
        return b""
    told = _start(turns, BEGINNING)
    asked = told.find(_ASKED)
    if asked < 0 and len(turns) > BEGINNING:
        return b""
    end = len(told)
    for mark in answered:
        found = told.find(mark, max(asked, 0), end)
        end = found if found >= 0 else end
    if end < len(told):
        told = told[: told.rfind(b"}", 0, end) + 1]
    elif len(turns) <= BEGINNING:
        told = told[:-1].rstrip()  # the bracket, where the next turn will follow
    system = traits.system or traits.instructions or traits.system_instruction
    return b"begins:%b %b" % (_sample(bytes(system)), _sample(told))


def _start(raw: msgspec.Raw, length: int) -> bytes:
    return bytes(raw) if len(raw) <= length else bytes(memoryview(raw)[:length])


def _sample(text: bytes) -> bytes:
    tail = text[-SAMPLE:]
    if b'"cache_control"' in tail:
        text = text[:-SAMPLE] + _CACHE_MARK.sub(b"", tail)
    if len(text) <= 2 * SAMPLE:
        return text
    return b"%b %d %b" % (text[:SAMPLE], len(text), text[-SAMPLE:])
