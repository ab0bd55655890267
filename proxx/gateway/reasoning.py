"""Whether an answer shows the reasoning that its call asked for (PROXY_REASONING_FAILOVER).

Looked for in the provider's own bytes, whatever its dialect: thoughts, or a count of what they cost. A stream shows
them first or not at all, so its beginning is enough.
"""

import re
from collections.abc import Iterable

from proxx.gateway.asked import CallQuestion
from proxx.gateway.call import Call
from routing.planner import Candidate

# Providers that reason and never show it.
SILENT = "factory_headers"
_SHOWN = re.compile(
    rb'"(?:reasoning|reasoning_content|reasoning_text|thinking)"\s*:\s*"[^"]'
    rb'|"type"\s*:\s*"(?:reasoning|thinking|redacted_thinking)"'
    rb'|"reasoning_details"\s*:\s*\[\s*\{'
    rb'|"thought"\s*:\s*true'
    rb'|"(?:reasoning_tokens|thoughtsTokenCount)"\s*:\s*[1-9]'
)


def is_due(call: Call, candidate: Candidate) -> bool:
    """Tell whether an answer of this candidate must show reasoning."""
    return SILENT not in candidate.quirks and CallQuestion(call).effort() != ""


def is_shown(bodies: Iterable[bytes]) -> bool:
    """Tell whether an answer, or the beginning of one, shows reasoning."""
    return _SHOWN.search(b"".join(bodies)) is not None
