"""Embeddings: OpenAI's, Ollama's and Gemini's, each in its own bytes or from one into another.

Hugging Face's and TEI's servers are upstreams only. No embedding is streamed.
"""

from functools import partial

from proxx.protocols.embeddings import clients, texts, upstreams
from proxx.protocols.spec import Protocol

# What all of them have in common; of the upstreams that nobody speaks to us like, no name comes back either.
_embeddings = partial(
    Protocol,
    stream_type="application/json",
    watch_stream=clients.no_stream,
    watch_whole=upstreams.watch_whole,
    rename_whole=lambda body, model: body,
    write_error=clients.write_error,
    write_stream_error=clients.write_error,
    heartbeat=b"",
    read_whole=upstreams.read_whole,
    streams_json=True,
    estimates=False,
)
_upstream = partial(
    _embeddings,
    read_envelope=clients.nobodys,
    same_dialect=clients.nobodys,
    write_request=upstreams.write_servers,
)

OPENAI = _embeddings(
    name="openai_embeddings",
    label="OpenAI Embeddings",
    read_envelope=clients.read_openai,
    same_dialect=clients.same_dialect,
    rename_whole=clients.rename_whole,
    read_request=texts.read_openai,
    write_request=upstreams.write_openai,
    write_whole=clients.tell_openai,
    client_headers=("idempotency-key",),
    reply_headers=(b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after"),
)

OLLAMA = _embeddings(
    name="ollama_embed",
    label="Ollama embed",
    read_envelope=clients.read_ollama,
    same_dialect=clients.same_dialect,
    rename_whole=clients.rename_whole,
    read_request=texts.read_ollama,
    write_request=upstreams.write_ollama,
    write_whole=clients.tell_ollama,
    url=clients.ollama_url,
)

GEMINI = _embeddings(
    name="gemini_embed",
    label="Gemini embedContent",
    read_envelope=clients.read_gemini,
    same_dialect=clients.same_gemini,
    read_request=texts.read_gemini,
    write_request=upstreams.write_gemini,
    write_whole=clients.tell_gemini,
    url=clients.gemini_url,
)

HUGGING_FACE = _upstream(name="hf_embeddings", label="Hugging Face embeddings")
TEI = _upstream(name="tei_embeddings", label="TEI embeddings")

PROTOCOLS = (OPENAI, OLLAMA, GEMINI, HUGGING_FACE, TEI)
