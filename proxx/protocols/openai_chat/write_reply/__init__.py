"""Replies for chat clients: as a stream, whole, and what the gateway says by itself."""

from proxx.protocols.openai_chat.write_reply.errors import HEARTBEAT, rename_whole, write_error, write_stream_error
from proxx.protocols.openai_chat.write_reply.stream import ChatWriter
from proxx.protocols.openai_chat.write_reply.whole import write_whole

__all__ = ["HEARTBEAT", "ChatWriter", "rename_whole", "write_error", "write_stream_error", "write_whole"]
