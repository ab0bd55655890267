"""Does this process count alone? Who counts budgets in its own memory must be the only one to do so.

A lock on a file beside the database says it; the lock ends with its process, however that ends. Whoever does not have
it asks again now and then, and must let nobody with a budget in until then.
"""

import contextlib
import fcntl
import logging
import os
from collections.abc import Callable
from pathlib import Path

from proxx.kit.configured import settings

log = logging.getLogger(__name__)

NAME = "limits.lock"

_lock: int | None = None
_complained = False


def is_alone() -> bool:
    """Tell whether we had the lock when we last asked for it; the first time, ask."""
    return _lock is not None or (not _complained and claim())


def claim(first: Callable[[], object] = bool) -> bool:
    """Ask for the lock, unless we have it; say so, once, if somebody else has it. `first` is done before we count."""
    global _lock, _complained
    if _lock is not None:
        return True
    path = _place()
    if path is None:
        return True
    file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(file)
        if not _complained:
            _complained = True
            log.error(
                "Another process counts budgets in its memory already (%s is locked): until it ends, keys with budgets "
                "get 503 here. Let one process serve, or set PROXY_LIMITS to database or redis.",
                path,
            )
        return False
    first()
    _lock = file
    if _complained:
        log.warning("The other process is gone: budgets are counted here now.")
    return True


def let_go() -> None:
    """Give the lock back, as at the end."""
    global _lock, _complained
    if _lock is not None:
        with contextlib.suppress(OSError):
            os.close(_lock)
    _lock, _complained = None, False


def _place() -> Path | None:
    """Return the lock's file; None where the database is in this process' memory."""
    database = settings.DATABASES["default"]
    name = str(database["NAME"])
    if "sqlite" not in str(database["ENGINE"]):
        return Path(settings.PROXY_DATA_DIR) / NAME
    return None if "memory" in name or not name else Path(name).with_name(NAME)
