"""What a Gemini upstream answers: watched while it passes by, or read into events."""

from proxx.protocols.gemini.read_reply.stream import StreamReader
from proxx.protocols.gemini.read_reply.watch import StreamWatch, rename_whole, watch_whole
from proxx.protocols.gemini.read_reply.whole import read_whole

__all__ = ["StreamReader", "StreamWatch", "read_whole", "rename_whole", "watch_whole"]
