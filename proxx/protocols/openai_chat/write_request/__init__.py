"""The body for a chat completions upstream: the client's own where it speaks the dialect, else written anew."""

from proxx.protocols.openai_chat.write_request.body import write_request
from proxx.protocols.openai_chat.write_request.same import passes, same_dialect

__all__ = ["passes", "same_dialect", "write_request"]
