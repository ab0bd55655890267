"""The tokens of signed-in accounts, seen from a call: good before it is sent, renewed once if the provider refuses.

Usually that is a look at what this process holds (oauth/held.py). How tokens are renewed is oauth/refresh.py's.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

from oauth import held, refresh
from proxx.gateway.call import Call
from proxx.kit import clock
from proxx.kit.configured import settings
from proxx.upstream import failures
from proxx.upstream.failures import Failure
from routing.planner import Candidate

ENDED = "The sign-in of this account has ended and could not be renewed."


class Ended(Exception):
    """This account has no token to be asked with; it was not asked."""

    def __init__(self) -> None:
        super().__init__(ENDED)
        self.failure = failures.named("auth", ENDED)


async def demand(call: Call, candidate: Candidate) -> None:
    """Make sure that a signed-in candidate is asked with a good token, and note with the attempt which; raise `Ended`
    if there is none."""
    credential = candidate.credential
    if credential is None or not credential.sign_in:
        return
    if not held.is_good(credential.id):
        await _renewed(credential.id, than=held.version(credential.id))
    found = held.current(credential.id)
    if found is None or found.has_ended:
        raise Ended
    call.attempts[-1].token = found.version


async def renewed_after(call: Call, candidate: Candidate, failure: Failure) -> bool:
    """Tell whether a candidate that was refused for its token has a newer one now: at most once in a call."""
    credential = candidate.credential
    if credential is None or not credential.sign_in or failure.kind != "auth":
        return False
    sent = call.attempts[-1].token
    if not sent or any(one.token and one.candidate.key == candidate.key for one in call.attempts[:-1]):
        return False
    return held.version(credential.id) > sent or await _renewed(credential.id, than=sent)


async def _renewed(credential_id: UUID, *, than: int) -> bool:
    found = held.current(credential_id)
    if found is not None and (not found.can_renew or clock.unix() < found.retry_at) and found.version <= than:
        return False
    with suppress(refresh.NotRenewed, TimeoutError):
        async with asyncio.timeout(2 * settings.PROXY_OAUTH_TIMEOUT):
            await refresh.renew(credential_id, than=than)
        return True
    return False
