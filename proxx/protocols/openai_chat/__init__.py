"""OpenAI Chat Completions and its many imitators."""

from proxx.protocols.openai_chat.dialect import NAME
from proxx.protocols.openai_chat.read_reply import ChatReader, read_whole, watch_stream, watch_whole
from proxx.protocols.openai_chat.read_request import read_envelope, read_request
from proxx.protocols.openai_chat.write_reply import (
    HEARTBEAT,
    ChatWriter,
    rename_whole,
    write_error,
    write_stream_error,
    write_whole,
)
from proxx.protocols.openai_chat.write_request import passes, same_dialect, write_request
from proxx.protocols.spec import Protocol

PROTOCOL = Protocol(
    name=NAME,
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
    read_request=read_request,
    write_request=write_request,
    stream_reader=ChatReader,
    read_whole=read_whole,
    stream_writer=ChatWriter,
    write_whole=write_whole,
    passes=passes,
    client_headers=("idempotency-key",),
    reply_headers=(b"openai-version", b"openai-processing-ms", b"x-ratelimit-", b"retry-after"),
)
