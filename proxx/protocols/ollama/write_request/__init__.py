"""What an Ollama upstream is sent: the client's own bytes, or a Request written as /api/chat."""

from proxx.protocols.ollama.write_request.body import same_dialect, url, write_request

__all__ = ["same_dialect", "url", "write_request"]
