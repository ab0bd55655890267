"""Wishes written into a body that stays in its dialect: only the members they concern change, every other byte stays.

Where a wish has no word of its own at the top of a dialect's body, the request goes through the hub instead
(requests.py). Wishes that the upstream could not understand are left out: nobody asked for them in the request.
"""

from collections.abc import Callable

import msgspec
import orjson

from proxx.protocols.framing.lenient import FAULTS
from proxx.protocols.framing.members import Unclear, replaced, spans, with_first
from proxx.protocols.hub.reasoning import nearest
from proxx.protocols.hub.request import Envelope
from proxx.protocols.hub.target import Target
from proxx.protocols.profile.options import Wishes

SEARCHES = {
    "openai_responses": b'[{"type":"web_search"}]',
    "anthropic": b'[{"type":"web_search_20250305","name":"web_search"}]',
    "gemini": b'[{"googleSearch":{}}]',
}
_TEMPERATURES = {
    "openai_chat": (b"temperature",),
    "openai_responses": (b"temperature",),
    "anthropic": (b"temperature",),
    "gemini": (b"generationConfig", b"temperature"),
    "ollama": (b"options", b"temperature"),
}
_SNAKE = {b"generationConfig": b"generation_config"}
# Members by which a request says something of reasoning, in the dialects whose way to say it depends on the model.
_THINKING = {"anthropic": (b"thinking", b"output_config"), "ollama": (b"think",)}
_FORMED = (b'"responseMimeType"', b'"responseSchema"', b'"responseJsonSchema"')


class _Elsewhere(Exception):
    """This wish has no top-level word here."""


def applied(envelope: Envelope, wishes: Wishes, target: Target) -> Envelope | None:
    """Return the request with the wishes in its body, the very same if they change nothing; None if it must go through
    the hub."""
    if wishes.shown:
        return None
    body = envelope.body
    try:
        for write in (_reasoning, _temperature, _web_search, _tier):
            body = write(body, wishes, target)
    except (_Elsewhere, Unclear, *FAULTS):
        return None
    return envelope if body is envelope.body else msgspec.structs.replace(envelope, body=body)


def _temperature(body: bytes, wishes: Wishes, target: Target) -> bytes:
    if wishes.temperature is None or target.facts.sampling is False:
        return body
    if target.dialect == "anthropic" and _value(body, b"thinking"):
        raise _Elsewhere  # whether both can be said at once depends on the model
    return put(body, _TEMPERATURES[target.dialect], orjson.dumps(wishes.temperature))


def _web_search(body: bytes, wishes: Wishes, target: Target) -> bytes:
    if not wishes.web_search or target.dialect not in SEARCHES:
        return body
    if target.dialect == "gemini" and any(word in body for word in _FORMED):
        return body  # it takes either its own search or a form of the answer
    if target.dialect == "anthropic" and target.facts.family != "claude":
        return body
    listed = _value(body, b"tools")
    if listed and listed != b"null" and msgspec.json.decode(listed) != []:
        return body
    return put(body, (b"tools",), SEARCHES[target.dialect])


def _tier(body: bytes, wishes: Wishes, target: Target) -> bytes:
    if not wishes.tier or target.dialect != "openai_responses":
        return body
    return put(body, (b"service_tier",), orjson.dumps(wishes.tier))


def _reasoning(body: bytes, wishes: Wishes, target: Target) -> bytes:
    if not (wishes.effort or wishes.summary) or (target.facts.thinking == "none" and not wishes.forced):
        return body
    return _REASONING[target.dialect](body, wishes, target)


def _in_chat(body: bytes, wishes: Wishes, target: Target) -> bytes:
    # A summary has no word here: what a provider shows of its reasoning, it shows unasked.
    if not wishes.effort:
        return body
    said = (_value(body, name) for name in (b"reasoning_effort", b"reasoning", b"thinking"))
    if not wishes.forced and any(value and value != b"null" for value in said):
        return body
    return put(body, (b"reasoning_effort",), orjson.dumps(_effort(wishes, target)))


def _in_responses(body: bytes, wishes: Wishes, target: Target) -> bytes:
    said = msgspec.json.decode(_value(body, b"reasoning") or b"null")
    if said is not None and not isinstance(said, dict):
        return body  # the provider says what is wrong with it
    wanted = {"effort": _effort(wishes, target)} if wishes.effort else {}
    if wishes.summary and wishes.summary != "never":
        wanted["summary"] = wishes.summary
    told = {name: value for name, value in (said or {}).items() if value is not None}
    if wishes.forced:
        whole = {**told, **wanted}
        if wishes.summary == "never":
            whole.pop("summary", None)
    elif told and not wishes.fill_gaps:
        return body
    else:
        whole = {**wanted, **told}
    if whole.get("effort") == "none":
        whole.pop("summary", None)  # of nothing there is no summary
    return body if whole == said else put(body, (b"reasoning",), orjson.dumps(whole))


def _by_model(body: bytes, wishes: Wishes, target: Target) -> bytes:
    said = any(_value(body, name) for name in _THINKING[target.dialect])
    if said and not (wishes.forced or wishes.fill_gaps):
        return body
    raise _Elsewhere


def _in_gemini(body: bytes, wishes: Wishes, target: Target) -> bytes:
    said = b'"thinkingConfig"' in body or b'"thinking_config"' in body
    if said and not (wishes.forced or wishes.fill_gaps):
        return body
    raise _Elsewhere


def _effort(wishes: Wishes, target: Target) -> str:
    effort = nearest("off" if wishes.effort == "none" else wishes.effort, target.facts.efforts)
    return "none" if effort == "off" else effort


def put(body: bytes, path: tuple[bytes, ...], value: bytes) -> bytes:
    """Return the object with the member at `path` set to this JSON value: replaced where it stands, else added."""
    name = path[0]
    found = spans(body, name)
    if not found and name in _SNAKE and (found := spans(body, _SNAKE[name])):
        name = _SNAKE[name]
    if len(path) > 1:
        inner = body[slice(*found[-1])] if found else b"{}"
        value = put(inner if inner[:1] == b"{" else b"{}", path[1:], value)
    if found:
        return replaced(body, name, value)
    return with_first(body, b'"' + name + b'":' + value)


def _value(body: bytes, name: bytes) -> bytes:
    found = spans(body, name)
    return body[slice(*found[-1])] if found else b""


_REASONING: dict[str, Callable[[bytes, Wishes, Target], bytes]] = {
    "openai_chat": _in_chat,
    "openai_responses": _in_responses,
    "anthropic": _by_model,
    "gemini": _in_gemini,
    "ollama": _by_model,
}
