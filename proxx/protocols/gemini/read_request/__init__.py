"""A Gemini client's request."""

from proxx.protocols.gemini.read_request.body import read_request
from proxx.protocols.gemini.read_request.head import read_envelope

__all__ = ["read_envelope", "read_request"]
