"""Embeddings: OpenAI's, Ollama's and Gemini's, each in its own bytes or from one into another.

Hugging Face's and TEI's servers are upstreams only. No embedding is streamed.
"""

from proxx.protocols.embeddings import clients, texts, upstreams
from proxx.protocols.spec import Protocol

OPENAI = Protocol(
    name="openai_embeddings",
    label="OpenAI Embeddings",
    stream_type="application/json",
    read_envelope=clients.read_openai,
    same_dialect=clients.same_dialect,
    watch_stream=clients.no_stream,
    watch_whole=upstreams.watch_whole,
    rename_whole=clients.rename_whole,
    write_error=clients.write_error,
    write_stream_error=clients.write_error,
    heartbeat=b"",
    read_request=texts.read_openai,
    write_request=upstreams.write_openai,
    read_whole=upstreams.read_whole,
    write_whole=clients.tell_openai,
    streams_json=True,
    client_headers=("idempotency-key",),
    reply_headers=(b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after"),
    estimates=False,
)

OLLAMA = Protocol(
    name="ollama_embed",
    label="Ollama embed",
    stream_type="application/json",
    read_envelope=clients.read_ollama,
    same_dialect=clients.same_dialect,
    watch_stream=clients.no_stream,
    watch_whole=upstreams.watch_whole,
    rename_whole=clients.rename_whole,
    write_error=clients.write_error,
    write_stream_error=clients.write_error,
    heartbeat=b"",
    read_request=texts.read_ollama,
    write_request=upstreams.write_ollama,
    read_whole=upstreams.read_whole,
    write_whole=clients.tell_ollama,
    streams_json=True,
    url=clients.ollama_url,
    estimates=False,
)

GEMINI = Protocol(
    name="gemini_embed",
    label="Gemini embedContent",
    stream_type="application/json",
    read_envelope=clients.read_gemini,
    same_dialect=clients.same_gemini,
    watch_stream=clients.no_stream,
    watch_whole=upstreams.watch_whole,
    rename_whole=lambda body, model: body,
    write_error=clients.write_error,
    write_stream_error=clients.write_error,
    heartbeat=b"",
    read_request=texts.read_gemini,
    write_request=upstreams.write_gemini,
    read_whole=upstreams.read_whole,
    write_whole=clients.tell_gemini,
    streams_json=True,
    url=clients.gemini_url,
    estimates=False,
)

HUGGING_FACE = Protocol(
    name="hf_embeddings",
    label="Hugging Face embeddings",
    stream_type="application/json",
    read_envelope=clients.nobodys,
    same_dialect=clients.nobodys,
    watch_stream=clients.no_stream,
    watch_whole=upstreams.watch_whole,
    rename_whole=lambda body, model: body,
    write_error=clients.write_error,
    write_stream_error=clients.write_error,
    heartbeat=b"",
    write_request=upstreams.write_servers,
    read_whole=upstreams.read_whole,
    streams_json=True,
    estimates=False,
)

TEI = Protocol(
    name="tei_embeddings",
    label="TEI embeddings",
    stream_type="application/json",
    read_envelope=clients.nobodys,
    same_dialect=clients.nobodys,
    watch_stream=clients.no_stream,
    watch_whole=upstreams.watch_whole,
    rename_whole=lambda body, model: body,
    write_error=clients.write_error,
    write_stream_error=clients.write_error,
    heartbeat=b"",
    write_request=upstreams.write_servers,
    read_whole=upstreams.read_whole,
    streams_json=True,
    estimates=False,
)

PROTOCOLS = (OPENAI, OLLAMA, GEMINI, HUGGING_FACE, TEI)
