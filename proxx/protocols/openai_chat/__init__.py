"""OpenAI Chat Completions and its many imitators."""

from proxx.protocols.openai_chat.read_reply import watch_stream, watch_whole
from proxx.protocols.openai_chat.read_request import read_envelope
from proxx.protocols.openai_chat.write_reply import HEARTBEAT, rename_whole, write_error, write_stream_error
from proxx.protocols.openai_chat.write_request import same_dialect
from proxx.protocols.spec import Protocol

PROTOCOL = Protocol(
    name="openai_chat",
    label="OpenAI Chat Completions",
    stream_type="text/event-stream; charset=utf-8",
    read_envelope=read_envelope,
    same_dialect=same_dialect,
    watch_stream=watch_stream,
    watch_whole=watch_whole,
    rename_whole=rename_whole,
    write_error=write_error,
    write_stream_error=write_stream_error,
    heartbeat=HEARTBEAT,
    client_headers=("idempotency-key",),
    reply_headers=(b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after"),
)
