"""Google Gemini's generateContent."""

from proxx.protocols.gemini.read_reply import StreamReader, StreamWatch, read_whole, rename_whole, watch_whole
from proxx.protocols.gemini.read_request import read_envelope, read_request
from proxx.protocols.gemini.write_reply import HEARTBEAT, StreamWriter, write_error, write_stream_error, write_whole
from proxx.protocols.gemini.write_request import fetches, same_dialect, url, write_request
from proxx.protocols.spec import Protocol

PROTOCOL = Protocol(
    name="gemini",
    label="Google Gemini",
    stream_type="text/event-stream; charset=utf-8",
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
    stream_reader=StreamReader,
    read_whole=read_whole,
    stream_writer=StreamWriter,
    write_whole=write_whole,
    stream_types={"array": "application/json"},
    url=url,
    fetches=fetches,
)
