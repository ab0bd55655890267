"""A client's chat completion body: its head for every call, all of it for a call that is translated."""

from proxx.protocols.openai_chat.read_request.body import read_request
from proxx.protocols.openai_chat.read_request.envelope import read_envelope

__all__ = ["read_envelope", "read_request"]
