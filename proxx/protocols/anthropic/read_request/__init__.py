"""A client's Messages body -> Envelope, and -> Request."""

from proxx.protocols.anthropic.read_request.envelope import read_envelope
from proxx.protocols.anthropic.read_request.request import read_request

__all__ = ["read_envelope", "read_request"]
