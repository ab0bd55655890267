"""Beside the calls: notice what other processes renewed, so that no call has to stop and ask.

One small question every few seconds, and only if this process holds any tokens; the changed ones are read after it.
"""

import asyncio
import logging
from datetime import datetime

from django.db import DatabaseError

from accounts.asking import TooManyWaiting
from oauth import held, refresh
from oauth.models import OAuthAccount
from proxx.kit.companion import Companion
from proxx.kit.sealing import SealBroken

log = logging.getLogger(__name__)

EVERY = 3.0  # seconds
BATCH = 500


def look() -> int:
    """Take over every token that is newer than the one held here; return how many were. Blocking."""
    known = held.held_ids()
    rows = OAuthAccount.objects.values_list("credential_id", "version", "state", "retry_at")
    now = {one: (version, state == OAuthAccount.State.WORKING, _at(at)) for one, version, state, at in rows}
    held.keep_only(now)
    changed = [one for one, seen in now.items() if one in known and _differs(known[one], seen)]
    for at in range(0, len(changed), BATCH):
        part = changed[at : at + BATCH]
        for row in OAuthAccount.objects.select_related("credential").filter(credential_id__in=part):
            _take(row)
    return len(changed)


def _differs(known: tuple[int, bool, float], seen: tuple[int, bool, float]) -> bool:
    # Whether it can be renewed depends on more than its state, but nothing of that changes without a new version.
    return known[0] < seen[0] or (known[0] == seen[0] and ((known[1] and not seen[1]) or known[2] != seen[2]))


def _take(row: OAuthAccount) -> None:
    try:
        held.take_row(row)
    except SealBroken as fault:
        log.warning("The tokens of credential %s cannot be opened: %s", row.credential_id, fault)


def _at(moment: datetime | None) -> float:
    return 0.0 if moment is None else moment.timestamp()


async def _watch() -> None:
    while True:
        await asyncio.sleep(EVERY)
        if not held.held_ids():
            continue
        try:
            await refresh.asked(look)
        except (DatabaseError, TooManyWaiting):
            continue  # the next look finds it
        except Exception:  # the watch must outlive whatever one look meets
            log.exception("The tokens of sign-ins could not be followed.")


_watcher = Companion("oauth-following", _watch)
start_watching, stop_watching = _watcher.start, _watcher.stop
