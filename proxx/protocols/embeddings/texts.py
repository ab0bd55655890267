"""A client's request for embeddings, read into texts: OpenAI's, Ollama's (new and old) and Gemini's (one and many)."""

from typing import Any

import msgspec

from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.request import Envelope, Request, Texts

Object = dict[str, Any]

_object = msgspec.json.Decoder(Object)
_CAMEL = {"task_type": "taskType", "output_dimensionality": "outputDimensionality"}  # both spellings are taken


def read_openai(envelope: Envelope, losses: Losses) -> Request:
    """Read OpenAI's request; token numbers are kept as a fact only, for they mean something to one vendor's model."""
    body = _body(envelope)
    given = body.get("input")
    shape = body.get("encoding_format") or "float"
    if shape not in ("float", "base64"):
        raise _wrong("encoding_format", "float or base64")
    are_tokens = isinstance(given, list) and bool(given) and all(isinstance(one, int | list) for one in given)
    texts = Texts(
        () if are_tokens else _strings(given, "input"),
        dimensions=_whole(body, "dimensions"),
        base64=shape == "base64",
        tokens=are_tokens,
    )
    _drop_unknown(body, {"model", "input", "encoding_format", "dimensions", "user"}, losses)
    return _request(envelope, texts)


def read_ollama(envelope: Envelope, losses: Losses) -> Request:
    """Read Ollama's request: `input`, or the old form's `prompt`."""
    body = _body(envelope)
    is_old = envelope.form == "old"
    name = "prompt" if is_old else "input"
    truncate = body.get("truncate")
    if truncate is not None and not isinstance(truncate, bool):
        raise _wrong("truncate", "true or false")
    texts = Texts(_strings(body.get(name), name), dimensions=_whole(body, "dimensions"), single=is_old)
    if truncate is not None:
        texts = msgspec.structs.replace(texts, truncate=truncate)
    _drop_unknown(body, {"model", name, "truncate", "dimensions", "options", "keep_alive"}, losses)
    if body.get("options"):
        losses.drop("options", "settings of an Ollama server")
    return _request(envelope, texts)


def read_gemini(envelope: Envelope, losses: Losses) -> Request:
    """Read Gemini's request for one embedding, or for a batch of them that all want the same."""
    body = _body(envelope)
    single = envelope.form == "one"
    items = [body] if single else body.get("requests")
    if not isinstance(items, list) or not items or not all(isinstance(one, dict) for one in items):
        raise _wrong("requests", "a list of requests")
    asked = [{_CAMEL.get(name, name): value for name, value in one.items()} for one in items]
    sizes = {_whole(one, "outputDimensionality") for one in asked}
    if len(sizes) > 1:
        losses.refuse("requests", "all texts of a batch must want vectors of the same size")
    for one in asked:
        _drop_unknown(one, {"model", "content", "outputDimensionality"}, losses)  # taskType and title are Gemini's only
    texts = tuple(_content(one, losses) for one in asked)
    return _request(envelope, Texts(texts, dimensions=sizes.pop(), single=single))


def _content(asked: Object, losses: Losses) -> str:
    content = asked.get("content")
    parts = content.get("parts") if isinstance(content, dict) else None
    parts = [parts] if isinstance(parts, dict) else parts
    if not isinstance(parts, list) or not parts:
        raise _wrong("content", "parts with text")
    if not all(isinstance(part, dict) and isinstance(part.get("text"), str) for part in parts):
        losses.refuse("content", "only texts can be embedded by this model")
    return "".join(part["text"] for part in parts)


def _request(envelope: Envelope, texts: Texts) -> Request:
    return Request(envelope.dialect, envelope.model, (), texts=texts)


def _body(envelope: Envelope) -> Object:
    try:
        return decode(_object, envelope.body)
    except FAULTS:
        raise Unreadable("The body is not a JSON object.") from None


def _strings(given: object, name: str) -> tuple[str, ...]:
    listed = [given] if isinstance(given, str) else given
    if not isinstance(listed, list) or not listed or not all(isinstance(one, str) for one in listed):
        raise _wrong(name, "a text, or a list of texts")
    return tuple(listed)


def _whole(body: Object, name: str) -> int | None:
    value = body.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise _wrong(name, "a whole number above zero")
    return value


def _wrong(name: str, wanted: str) -> Unreadable:
    return Unreadable(f"'{name}' must be {wanted}.", code="invalid_type", param=name)


def _drop_unknown(body: Object, known: set[str], losses: Losses) -> None:
    for name, value in body.items():
        if name not in known and value is not None:
            losses.drop(name, "unknown to other dialects")
