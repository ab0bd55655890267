"""Texts written as each upstream wants them, and the vectors read out of its answers.

More texts than one request may hold become several requests, in order; how many is each vendor's own limit.
"""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec
import orjson

from proxx.protocols.embeddings.numbers import as_list, readable
from proxx.protocols.framing.lenient import FAULTS, decode
from proxx.protocols.hub.events import Usage
from proxx.protocols.hub.losses import Losses
from proxx.protocols.hub.reply import Reply
from proxx.protocols.hub.request import Request, Texts
from proxx.protocols.hub.target import Target
from proxx.protocols.spec import Seen, Written

Raws = tuple[bytes, ...]

LIMITS = {"openai_embeddings": 2048, "gemini_embed": 100, "tei_embeddings": 32}  # texts in one request

_SOME_ERROR = (b"", b"null", b'""', b"{}", b"[]")


class _Row(msgspec.Struct):
    embedding: msgspec.Raw
    index: int = 0


class _Values(msgspec.Struct):
    values: msgspec.Raw


class _Usage(msgspec.Struct):
    prompt_tokens: int | None = None
    total_tokens: int | None = None


class _Metadata(msgspec.Struct):
    prompt_token_count: int | None = msgspec.field(default=None, name="promptTokenCount")


class _Answer(msgspec.Struct):
    """An answer in any of the objects' shapes: OpenAI's `data`, Ollama's lists, Gemini's values."""

    data: list[_Row] | None = None
    embeddings: msgspec.Raw = msgspec.Raw()
    embedding: msgspec.Raw = msgspec.Raw()
    usage: _Usage | None = None
    prompt_eval_count: int | None = None
    usageMetadata: _Metadata | None = None
    error: msgspec.Raw = msgspec.Raw()


_answer = msgspec.json.Decoder(_Answer)
_anything = msgspec.json.Decoder()
_raws = msgspec.json.Decoder(list[msgspec.Raw])
_wrapped = msgspec.json.Decoder(_Values)
_token_vectors = msgspec.json.Decoder(list[list[float]])


def write_openai(request: Request, target: Target, losses: Losses) -> Written:
    """Write OpenAI's request. Numbers come as JSON: a client that wants base64 gets it from us."""
    texts = _texts(request, losses)
    if texts.truncate:
        losses.drop("truncate", "this provider refuses texts that are too long")
    return _parts(request, target, lambda some: {"model": target.model, "input": some, **_dimensions(texts)})


def write_ollama(request: Request, target: Target, losses: Losses) -> Written:
    """Write Ollama's request, in its new form."""
    texts = _texts(request, losses)
    more = _dimensions(texts) | ({} if texts.truncate is None else {"truncate": texts.truncate})
    return _parts(request, target, lambda some: {"model": target.model, "input": some, **more})


def write_gemini(request: Request, target: Target, losses: Losses) -> Written:
    """Write Gemini's batch."""
    texts = _texts(request, losses)
    if texts.truncate is not None:
        losses.drop("truncate", "this provider cuts texts as it likes")
    more: dict[str, Any] = {"model": f"models/{target.model}"}
    more |= {} if texts.dimensions is None else {"outputDimensionality": texts.dimensions}
    return _parts(
        request, target, lambda some: {"requests": [more | {"content": {"parts": [{"text": one}]}} for one in some]}
    )


def write_servers(request: Request, target: Target, losses: Losses) -> Written:
    """Write for Hugging Face's inference and for Text Embeddings Inference: the path names the model."""
    texts = _texts(request, losses)
    if texts.dimensions is not None:
        losses.refuse("dimensions", "this server knows one size only")
    more = {} if texts.truncate is None else {"truncate": texts.truncate}
    return _parts(request, target, lambda some: {"inputs": some, **more})


def read_whole(body: bytes, target: Target, call_id: str) -> Reply:
    """Read an answer of any of these upstreams; raise ValueError for what holds no vectors."""
    return Reply((), vectors=tuple(as_list(one) for one in _vectors(body) or ()), usage=_used(body))


def watch_whole(body: bytes) -> Seen:
    """Read a whole answer while it passes: its error, whether it holds vectors, its usage."""
    seen = Seen()
    if not body.strip():
        return seen
    try:
        if body.lstrip()[:1] == b"{":
            said = decode(_answer, body)
            if bytes(said.error) not in _SOME_ERROR:
                found = decode(_anything, bytes(said.error))
                seen.error = found if isinstance(found, dict) else {"message": str(found)}
                return seen
            seen.usage = _used(body)
        return readable(_vectors(body), seen)
    except FAULTS:
        return readable(None, seen)


def _texts(request: Request, losses: Losses) -> Texts:
    texts = request.texts or Texts()
    if texts.tokens:
        losses.refuse("input", "token numbers mean nothing to another vendor's model")
    return texts


def _dimensions(texts: Texts) -> dict[str, int]:
    return {} if texts.dimensions is None else {"dimensions": texts.dimensions}


def _parts(request: Request, target: Target, made: Callable[[Sequence[str]], dict[str, Any]]) -> Written:
    items = list((request.texts or Texts()).items)
    size = LIMITS.get(target.dialect, len(items)) or 1
    bodies = [orjson.dumps(made(items[start : start + size])) for start in range(0, len(items), size)]
    return Written(bodies[0], more=tuple(bodies[1:]))


def _vectors(body: bytes) -> Raws | None:
    """Return the vectors of an answer in order, None if it has no place for them."""
    if body.lstrip()[:1] == b"[":
        return tuple(_pooled(bytes(one)) for one in decode(_raws, body))
    said = decode(_answer, body)
    if said.data is not None:
        return tuple(bytes(row.embedding) for row in sorted(said.data, key=lambda row: row.index))
    if several := bytes(said.embeddings):
        return tuple(_unwrapped(bytes(row)) for row in decode(_raws, several))
    return (_unwrapped(one),) if (one := bytes(said.embedding)) else None


def _unwrapped(vector: bytes) -> bytes:
    """Gemini puts its numbers into an object."""
    return bytes(decode(_wrapped, vector).values) if vector[:1] == b"{" else vector


def _pooled(row: bytes) -> bytes:
    """Some servers send a vector for each token of a text: their mean is the text's."""
    if row[:2] != b"[[":
        return row
    tokens = decode(_token_vectors, row)
    return orjson.dumps([sum(column) / len(tokens) for column in zip(*tokens, strict=True)])


def _used(body: bytes) -> Usage | None:
    if body.lstrip()[:1] != b"{":
        return None
    said = decode(_answer, body)
    counts = (
        said.usage.prompt_tokens if said.usage else None,
        said.usage.total_tokens if said.usage else None,
        said.prompt_eval_count,
        said.usageMetadata.prompt_token_count if said.usageMetadata else None,
    )
    known = next((count for count in counts if count is not None and count >= 0), None)
    return None if known is None else Usage(input_total=known)
