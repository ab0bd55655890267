"""What a Gemini client is told: streams, whole responses, errors."""

from proxx.protocols.gemini.write_reply.errors import error_object as write_error
from proxx.protocols.gemini.write_reply.errors import write_stream_error
from proxx.protocols.gemini.write_reply.stream import StreamWriter
from proxx.protocols.gemini.write_reply.whole import write_whole

HEARTBEAT = b"\r\n"  # a blank line: Gemini's own clients stumble over comments; in an array it is white space

__all__ = ["HEARTBEAT", "StreamWriter", "write_error", "write_stream_error", "write_whole"]
