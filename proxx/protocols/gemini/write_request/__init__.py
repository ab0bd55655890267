"""What goes to a Gemini upstream."""

from proxx.protocols.gemini.write_request.body import write_request
from proxx.protocols.gemini.write_request.media import fetches
from proxx.protocols.gemini.write_request.same import same_dialect, url

__all__ = ["fetches", "same_dialect", "url", "write_request"]
