"""What an Ollama reply says: seen while its bytes pass by (`watch`), or read into events (`stream`)."""

from proxx.protocols.ollama.read_reply.stream import Reader, read_whole
from proxx.protocols.ollama.read_reply.watch import StreamWatch, watch_whole

__all__ = ["Reader", "StreamWatch", "read_whole", "watch_whole"]
