"""The way to a collector of traces, for the library that speaks its protocol: it brings its own HTTP, without ours.

The address is the operator's, by the environment. Redirects are not followed: the headers carry a key.
"""

from typing import Any


def session() -> Any:
    """Return a session of `requests` for the exporter; raise `ImportError` where the extra is not installed."""
    import requests

    made = requests.Session()
    made.max_redirects = 0
    return made
