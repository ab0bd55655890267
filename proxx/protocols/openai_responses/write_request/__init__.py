"""A request -> the body that goes to a Responses upstream."""

from proxx.protocols.openai_responses.write_request.body import same_dialect, write_request

__all__ = ["same_dialect", "write_request"]
