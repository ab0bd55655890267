"""A request -> the body that goes to a Responses upstream."""

from proxx.protocols.openai_responses.write_request.body import write_request
from proxx.protocols.openai_responses.write_request.same import passes, same_dialect, url_of

__all__ = ["passes", "same_dialect", "url_of", "write_request"]
