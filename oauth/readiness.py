"""Before an account is asked anything: is its token good, and if not, renew it first.

    found = await readiness.made_good(credential_id)      # held.Held, or nothing if there is no token to ask with
    newer = await readiness.renewed(credential_id, than=version)

Usually the first is a look at what this process holds. Who runs it on a loop of its own waits for `refresh.finish()`
before the loop ends.
"""

import asyncio
from contextlib import suppress
from uuid import UUID

from oauth import held, refresh
from oauth.held import Held
from proxx.kit import clock
from proxx.kit.configured import settings

ENDED = "The sign-in of this account has ended and could not be renewed."


async def made_good(credential_id: UUID) -> Held | None:
    """Return the token that an account is asked with, renewed if it was time; nothing if it has ended all the same."""
    if not held.is_good(credential_id):
        await renewed(credential_id, than=held.version(credential_id))
    found = held.current(credential_id)
    return None if found is None or found.has_ended else found


async def renewed(credential_id: UUID, *, than: int) -> bool:
    """Tell whether there are tokens newer than version `than`, renewed here if they may be."""
    found = held.current(credential_id)
    if found is not None and (not found.can_renew or clock.unix() < found.retry_at) and found.version <= than:
        return False
    with suppress(refresh.NotRenewed, TimeoutError):
        async with asyncio.timeout(2 * settings.PROXY_OAUTH_TIMEOUT):
            await refresh.renew(credential_id, than=than)
        return True
    return False
