"""Events -> a Responses client's stream or body; errors in this dialect."""

from proxx.protocols.openai_responses.write_reply.failure import HEARTBEAT, write_error, write_stream_error
from proxx.protocols.openai_responses.write_reply.stream import ReplyWriter
from proxx.protocols.openai_responses.write_reply.whole import rename_whole, write_whole

__all__ = ["HEARTBEAT", "ReplyWriter", "rename_whole", "write_error", "write_stream_error", "write_whole"]
