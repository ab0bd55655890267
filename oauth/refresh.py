"""renew(): new tokens for an account, once, however many ask at once, here and in other processes.

    held = await refresh.renew(credential_id, than=version)     # newer than that version; raises NotRenewed

In this process all who ask wait for one task; between processes the database decides (leases.py). A refresh token that
may have been used is never sent again: it is marked in the last moment before it leaves, and if no answer to it is
known, somebody has to sign in again. What is certain not to have left, or was refused for now, is tried later.
"""

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError

from accounts.asking import Asker, TooManyWaiting
from oauth import held, leases
from oauth.held import Held
from oauth.leases import Busy, Claim, Given
from oauth.tokens import Refused, Tokens, Unreachable
from oauth.tokens import renew as ask_issuer
from proxx.kit import metrics

Answer = TypeVar("Answer")
log = logging.getLogger(__name__)

FIRST_LOOK, LAST_LOOK = 0.05, 0.5  # seconds between two looks at what another process is doing
STORE_AGAIN, STORE_FOR = 1.0, 600.0  # seconds: a database that is away must not cost an account

NO_DATABASE = "The database does not answer."

_asker = Asker("oauth-renewal", waiting_limit=10_000)
_running: dict[UUID, asyncio.Task[Held]] = {}
_leftovers: set[asyncio.Task[Any]] = set()


class NotRenewed(Exception):
    """There are no newer tokens; the text is one sentence. `is_down`: the issuer itself is in trouble, not the
    account."""

    def __init__(self, message: str, *, is_down: bool = False) -> None:
        super().__init__(message)
        self.is_down = is_down


class _Overtaken(Exception):
    """Somebody else has the right to renew now; nothing was sent."""


async def renew(credential_id: UUID, *, than: int, forced: bool = False) -> Held:
    """Return tokens newer than version `than`, renewed here if need be; raise `NotRenewed`.

    Who stops waiting stops nothing: a renewal that has begun goes on. `forced` does not wait out a pause.
    """
    task = _running.get(credential_id)
    if task is None or task.done() or task.get_loop() is not asyncio.get_running_loop():
        task = asyncio.get_running_loop().create_task(
            _renewed(credential_id, than=than, forced=forced), name=f"renew-{credential_id}"
        )
        task.add_done_callback(lambda done: _forget(credential_id, done))
        _running[credential_id] = task
    found = await asyncio.shield(task)
    if found.version > than:
        return found
    return await renew(credential_id, than=than, forced=forced)  # that one was asked for less


async def finish() -> None:
    """Wait for the renewals that have begun on this loop: an answer that nobody keeps costs an account."""
    mine = [task for task in _running.values() if task.get_loop() is asyncio.get_running_loop()]
    if mine:
        await asyncio.wait(mine)


def _forget(credential_id: UUID, task: "asyncio.Task[Held]") -> None:
    if _running.get(credential_id) is task:
        del _running[credential_id]
    if not task.cancelled():
        task.exception()  # taken note of: perhaps nobody waits any more


async def _renewed(credential_id: UUID, *, than: int, forced: bool) -> Held:
    wait, waited = FIRST_LOOK, 0.0
    while True:
        try:
            found = await asked(lambda: leases.claim(credential_id, than=than, forced=forced))
        except (DatabaseError, TooManyWaiting):
            raise NotRenewed(NO_DATABASE) from None
        match found:
            case Given(held=None):
                raise NotRenewed(found.why)
            case Given(held=newer) if newer is not None:
                return newer
            case Claim():
                try:
                    return await _exchanged(found)
                except _Overtaken:
                    continue
            case Busy() if waited > 4 * settings.PROXY_OAUTH_TIMEOUT:
                raise NotRenewed("Another process has been renewing it for too long.")
        await asyncio.sleep(wait)
        waited, wait = waited + wait, min(wait * 1.5, LAST_LOOK)


async def _exchanged(mine: Claim) -> Held:
    async def about_to_send() -> None:
        if not await asked(lambda: leases.mark_sent(mine)):
            raise _Overtaken

    try:
        tokens = await ask_issuer(mine.sign_in, mine.refresh_token, about_to_send=about_to_send)
    except Refused as refused:
        if refused.terminal or refused.lost:
            await _gave_up(mine, refused.message if refused.terminal else leases.LOST)
            raise NotRenewed(refused.message, is_down=refused.lost) from None
        await _failed(mine, refused.message)
        raise NotRenewed(refused.message, is_down=refused.status >= 500) from None
    except Unreachable as fault:
        if fault.sent:
            await _gave_up(mine, leases.LOST)
        else:
            await _failed(mine, fault.message)
        raise NotRenewed(fault.message, is_down=True) from None
    except (DatabaseError, TooManyWaiting):  # it could not be marked, so it was not sent, whatever the row says
        _in_background(_persisted(lambda: leases.failed(mine, NO_DATABASE)))
        raise NotRenewed(NO_DATABASE) from None
    metrics.count("proxx_oauth_renewals", result="renewed")
    return await _stored(mine, tokens)


async def _stored(mine: Claim, tokens: Tokens) -> Held:
    """Keep the new tokens, however long the database is away: there are no others."""
    held.take(mine.credential_id, leases.held_for(mine, tokens))
    kept = await _persisted(lambda: leases.store(mine, tokens))
    if kept is not None:
        return kept
    log.info("The sign-in of credential %s was changed while it was renewed.", mine.credential_id)
    found = await _persisted(lambda: leases.claim(mine.credential_id, than=mine.version, forced=False))
    if isinstance(found, Given) and found.held is not None:
        return found.held
    raise NotRenewed("The sign-in was changed while it was renewed.")


async def _failed(mine: Claim, why: str) -> None:
    metrics.count("proxx_oauth_renewals", result="failed")
    log.warning("The tokens of credential %s were not renewed: %s", mine.credential_id, why)
    await _persisted(lambda: leases.failed(mine, why))


async def _gave_up(mine: Claim, why: str) -> None:
    metrics.count("proxx_oauth_renewals", result="given_up")
    log.error("Credential %s must be signed in again: %s", mine.credential_id, why)
    await _persisted(lambda: leases.give_up(mine, why))


async def _persisted(question: Callable[[], Answer]) -> Answer:
    """Put a question until the database answers: what it holds must not be forgotten."""
    waited = 0.0
    while True:
        try:
            return await asked(question)
        except (DatabaseError, TooManyWaiting):
            if waited >= STORE_FOR:
                raise NotRenewed(NO_DATABASE) from None
        await asyncio.sleep(STORE_AGAIN)
        waited += STORE_AGAIN


def _in_background(work: Coroutine[Any, Any, Any]) -> None:
    task = asyncio.get_running_loop().create_task(work, name="renewal-leftover")
    _leftovers.add(task)
    task.add_done_callback(_leftovers.discard)


async def asked(question: Callable[[], Answer]) -> Answer:
    """Put a question to the database in the thread of renewals; a question that was put is answered."""
    return await asyncio.shield(asyncio.wrap_future(_asker.ask(question)))
