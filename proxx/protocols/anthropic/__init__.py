"""Anthropic Messages."""

from proxx.protocols.anthropic.read_reply import read_whole, stream_reader, watch_stream, watch_whole
from proxx.protocols.anthropic.read_request import read_envelope, read_request
from proxx.protocols.anthropic.write_reply import (
    HEARTBEAT,
    STATUSES,
    rename_whole,
    stream_writer,
    write_error,
    write_stream_error,
    write_whole,
)
from proxx.protocols.anthropic.write_request import same_dialect, write_request
from proxx.protocols.spec import Protocol

PROTOCOL = Protocol(
    name="anthropic",
    label="Anthropic Messages",
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
    stream_reader=stream_reader,
    read_whole=read_whole,
    stream_writer=stream_writer,
    write_whole=write_whole,
    headers=((b"anthropic-version", b"2023-06-01"),),
    client_headers=("anthropic-version", "anthropic-beta"),
    reply_headers=(b"request-id", b"anthropic-ratelimit-"),
    statuses=STATUSES,
    echoes_model=True,  # Claude Code forgets what was thought in answers that name another model than it asked
)
