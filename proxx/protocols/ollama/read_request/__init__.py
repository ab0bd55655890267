"""A client's /api/chat or /api/generate body -> Envelope, or the whole neutral Request."""

from proxx.protocols.ollama.read_request.request import local_reply, read_envelope, read_request

__all__ = ["local_reply", "read_envelope", "read_request"]
