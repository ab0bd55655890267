"""OpenAI Responses: its own service, its ChatGPT backend (quirk `codex_backend`), and imitators."""

from proxx.protocols.openai_responses.dialect import CODEX_HEADERS, NAME
from proxx.protocols.openai_responses.read_reply import ReplyReader, read_whole, watch_stream, watch_whole
from proxx.protocols.openai_responses.read_request import read_envelope, read_request
from proxx.protocols.openai_responses.write_reply import (
    HEARTBEAT,
    ReplyWriter,
    rename_whole,
    write_error,
    write_stream_error,
    write_whole,
)
from proxx.protocols.openai_responses.write_request import passes, same_dialect, url_of, write_request
from proxx.protocols.spec import Protocol

PROTOCOL = Protocol(
    name=NAME,
    label="OpenAI Responses",
    stream_type="text/event-stream; charset=utf-8",
    read_envelope=read_envelope,
    same_dialect=same_dialect,
    watch_stream=watch_stream,
    watch_whole=watch_whole,
    rename_whole=rename_whole,
    write_error=write_error,
    write_stream_error=write_stream_error,
    heartbeat=HEARTBEAT,
    read_request=read_request,
    write_request=write_request,
    stream_reader=ReplyReader,
    read_whole=read_whole,
    stream_writer=ReplyWriter,
    write_whole=write_whole,
    passes=passes,
    url=url_of,
    client_headers=("idempotency-key",),
    backend_headers=CODEX_HEADERS,
    reply_headers=(b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after"),
)
