"""Heads of embedding requests, bodies that stay in their dialect, and vectors told as each client expects them."""

from typing import Any, NoReturn

import msgspec
import orjson

from proxx.protocols.embeddings.numbers import as_base64, fits, input_tokens
from proxx.protocols.framing.heads import read_head
from proxx.protocols.framing.lenient import decode
from proxx.protocols.framing.members import replaced
from proxx.protocols.framing.model_name import renamed
from proxx.protocols.hub.errors import ErrorFacts
from proxx.protocols.hub.occasion import Occasion
from proxx.protocols.hub.openai_errors import error_object
from proxx.protocols.hub.reply import Reply
from proxx.protocols.hub.request import Envelope

_batch = msgspec.json.Decoder(dict[str, msgspec.Raw])
_requests = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])


def read_openai(body: bytes) -> Envelope:
    """Read the head of OpenAI's request; raise `Unreadable`."""
    return read_head(body, dialect="openai_embeddings", stream=False)


def read_ollama(body: bytes, *, form: str = "") -> Envelope:
    """Read the head of Ollama's request, `form="old"` for its older path; raise `Unreadable`."""
    return msgspec.structs.replace(read_head(body, dialect="ollama_embed", stream=False), form=form)


def read_gemini(body: bytes, *, model: str, form: str = "") -> Envelope:
    """Read the head of Gemini's request, whose path names the model; `form="one"` is no batch. Raise `Unreadable`."""
    return msgspec.structs.replace(read_head(body, dialect="gemini_embed", model=model, stream=False), form=form)


def same_dialect(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes with another model name."""
    return renamed(request, model)


def same_gemini(request: Envelope, *, model: str, ask_usage: bool) -> bytes:
    """Return the client's own bytes; each request of a batch names the model that the path names."""
    if model == request.model:
        return request.body
    named = orjson.dumps(f"models/{model}")
    if request.form == "one":
        return replaced(request.body, b"model", named)
    try:
        batch = decode(_batch, request.body)
        rows = decode(_requests, bytes(batch.get("requests", b"")))
    except msgspec.DecodeError:
        return request.body  # the provider says what is wrong with it
    made = [{**row, "model": msgspec.Raw(named)} for row in rows]
    return msgspec.json.encode({**batch, "requests": made})


def ollama_url(url: str, *, stream: bool, form: str = "") -> str:
    """Return where an Ollama server embeds, the new way or the old."""
    return url.removesuffix("/embed") + "/embeddings" if form == "old" else url


def gemini_url(url: str, *, stream: bool, form: str = "") -> str:
    """Return where Gemini embeds one content, or a batch."""
    return url.removesuffix(":batchEmbedContents") + ":embedContent" if form == "one" else url


def tell_openai(reply: Reply, occasion: Occasion) -> bytes:
    """Return OpenAI's list, in numbers or in base64 as the client wished."""
    if not fits(reply, occasion):
        return b""
    packs = occasion.request is not None and occasion.request.texts is not None and occasion.request.texts.base64
    told = [as_base64(vector) if packs else orjson.Fragment(vector) for vector in reply.vectors]
    count = input_tokens(reply, occasion)
    return orjson.dumps(
        {
            "object": "list",
            "data": [{"object": "embedding", "index": index, "embedding": one} for index, one in enumerate(told)],
            "model": occasion.model,
            "usage": {"prompt_tokens": count, "total_tokens": count},
        }
    )


def tell_ollama(reply: Reply, occasion: Occasion) -> bytes:
    """Return Ollama's list, or the old form's one vector."""
    if not fits(reply, occasion):
        return b""
    vectors = [orjson.Fragment(vector) for vector in reply.vectors]
    if occasion.form == "old":
        return orjson.dumps({"embedding": vectors[0]})
    body: dict[str, Any] = {"model": occasion.model, "embeddings": vectors, "total_duration": occasion.elapsed_ns()}
    return orjson.dumps(body | {"load_duration": 0, "prompt_eval_count": input_tokens(reply, occasion)})


def tell_gemini(reply: Reply, occasion: Occasion) -> bytes:
    """Return Gemini's one embedding, or its list."""
    if not fits(reply, occasion):
        return b""
    told = [{"values": orjson.Fragment(vector)} for vector in reply.vectors]
    return orjson.dumps({"embedding": told[0]} if occasion.form == "one" else {"embeddings": told})


def rename_whole(body: bytes, model: str) -> bytes:
    """Return a whole answer that names another model."""
    return replaced(body, b"model", orjson.dumps(model))


def write_error(facts: ErrorFacts) -> bytes:
    """Write an error in OpenAI's envelope; each door's own dialect words the errors its clients see."""
    return orjson.dumps({"error": error_object(facts)})


def no_stream(**_: object) -> NoReturn:
    """Refuse to watch a stream: no embedding is streamed. Raises `TypeError`."""
    raise TypeError("embeddings are never streamed")


def nobodys(body: bytes, **_: object) -> NoReturn:
    """Refuse to read a request in a dialect that only upstreams speak. Raises `TypeError`."""
    raise TypeError("nobody calls in this dialect")
