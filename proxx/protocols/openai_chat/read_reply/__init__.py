"""A chat upstream's reply: watched while its bytes pass, or read into events."""

from proxx.protocols.openai_chat.read_reply.stream import ChatReader, read_whole
from proxx.protocols.openai_chat.read_reply.watch import watch_stream, watch_whole

__all__ = ["ChatReader", "read_whole", "watch_stream", "watch_whole"]
