"""Ollama's native API: /api/chat, and /api/generate as another form of it."""

from proxx.protocols.hub.parts import Image
from proxx.protocols.ollama.read_reply import Reader, StreamWatch, read_whole, watch_whole
from proxx.protocols.ollama.read_request import local_reply, read_envelope, read_request
from proxx.protocols.ollama.write_reply import (
    HEARTBEAT,
    Writer,
    rename_whole,
    write_error,
    write_stream_error,
    write_whole,
)
from proxx.protocols.ollama.write_request import same_dialect, url, write_request
from proxx.protocols.spec import Protocol

PROTOCOL = Protocol(
    name="ollama",
    label="Ollama",
    stream_type="application/x-ndjson",
    read_envelope=read_envelope,
    same_dialect=same_dialect,
    watch_stream=StreamWatch,
    watch_whole=watch_whole,
    rename_whole=rename_whole,
    write_error=write_error,
    write_stream_error=write_stream_error,
    heartbeat=HEARTBEAT,
    read_request=read_request,
    write_request=write_request,
    stream_reader=Reader,
    read_whole=read_whole,
    stream_writer=Writer,
    write_whole=write_whole,
    local_reply=local_reply,
    fetches=lambda part, target: isinstance(part, Image),
    streams_json=True,
    # Its server reads JSON whatever the header says, and its manual's curl lines send none.
    media_types=("", "application/json", "application/x-www-form-urlencoded", "text/plain"),
    url=url,
)
