"""A Responses reply: watched while it passes by, or read into events."""

from proxx.protocols.openai_responses.read_reply.stream import ReplyReader
from proxx.protocols.openai_responses.read_reply.watch import watch_stream
from proxx.protocols.openai_responses.read_reply.whole import read_whole, watch_whole

__all__ = ["ReplyReader", "read_whole", "watch_stream", "watch_whole"]
