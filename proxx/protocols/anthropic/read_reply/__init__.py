"""What a Messages reply says: watched while its bytes pass by, or read into events or a whole reply."""

from proxx.protocols.anthropic.read_reply.stream import stream_reader
from proxx.protocols.anthropic.read_reply.watch import watch_stream, watch_whole
from proxx.protocols.anthropic.read_reply.whole import read_whole

__all__ = ["read_whole", "stream_reader", "watch_stream", "watch_whole"]
