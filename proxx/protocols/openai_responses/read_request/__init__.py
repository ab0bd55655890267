"""A client's Responses body: its head for every call, all of it for calls that are translated."""

from proxx.protocols.openai_responses.read_request.body import read_envelope, read_request

__all__ = ["read_envelope", "read_request"]
