"""What a client of Ollama is told: lines (`stream`), one object (`whole`), errors and keep-alives (`errors`)."""

from proxx.protocols.ollama.write_reply.errors import HEARTBEAT, rename_whole, write_error, write_stream_error
from proxx.protocols.ollama.write_reply.stream import Writer
from proxx.protocols.ollama.write_reply.whole import write_whole

__all__ = ["HEARTBEAT", "Writer", "rename_whole", "write_error", "write_stream_error", "write_whole"]
