"""What a client of the Messages dialect is told: streams, whole replies, errors, keep-alives."""

from proxx.protocols.anthropic.write_reply.errors import (
    HEARTBEAT,
    STATUSES,
    rename_whole,
    write_error,
    write_stream_error,
)
from proxx.protocols.anthropic.write_reply.stream import stream_writer
from proxx.protocols.anthropic.write_reply.whole import write_whole

__all__ = ["HEARTBEAT", "STATUSES", "rename_whole", "stream_writer", "write_error", "write_stream_error", "write_whole"]
