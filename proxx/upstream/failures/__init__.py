"""What an upstream failure means. The only room that reads upstream status codes.

It decides nothing: who rests is routing/cooldown.py, what is tried next is gateway/failover.py. The walk: body.py finds
the facts in whatever came, evidence.py and rows.py are the table that
names them, wait.py finds the time to come back, prose.py makes
foreign text safe to keep, verdict.py puts them together.
"""

from proxx.upstream.failures.evidence import Row
from proxx.upstream.failures.kinds import KINDS, Failure, Scope, named
from proxx.upstream.failures.rows import ROWS
from proxx.upstream.failures.verdict import EXCEPTIONS, classify, from_error_object, from_exception, never_left

__all__ = [
    "EXCEPTIONS",
    "KINDS",
    "ROWS",
    "Failure",
    "Row",
    "Scope",
    "classify",
    "from_error_object",
    "from_exception",
    "named",
    "never_left",
]
