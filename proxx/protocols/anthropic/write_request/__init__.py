"""What goes to a Messages upstream: a client's own bytes, or a Request in this dialect."""

from proxx.protocols.anthropic.write_request.body import write_request
from proxx.protocols.anthropic.write_request.same import same_dialect

__all__ = ["same_dialect", "write_request"]
