"""The ports that this process listens on, so that the console can say which listeners still wait for a start.

The server tells at its start (proxx/server); a process that serves nothing knows of none.
"""

from collections.abc import Iterable

_open: frozenset[int] | None = None


def note(ports: Iterable[int]) -> None:
    """Remember the ports that are listened on from now on."""
    global _open
    _open = frozenset(ports)


def is_open(port: int) -> bool | None:
    """Tell whether this process listens on a port; None if it serves nothing and cannot know."""
    return None if _open is None else port in _open
