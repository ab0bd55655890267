"""Reset credits of one account: read and used, for the console and the control API. Blocking, on a loop of its own."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar
from uuid import UUID

from django.conf import settings

from oauth import readiness, refresh, reset_credits
from oauth.reset_credits import CreditsUnknown
from proxx.upstream import client
from routing import quota_refresh
from routing.quota_refresh import Answer

STYLE = "codex"  # whose accounts may have them
Result = TypeVar("Result")


def available(key: UUID) -> int:
    """Return how many credits an account has; raise `CreditsUnknown` with a sentence."""
    return _done(key, reset_credits.read)


def use(key: UUID, redemption: UUID) -> list[Answer]:
    """Use one credit, then ask what is left now; raise `CreditsUnknown` if it was not used, as far as is known."""
    _done(key, reset_credits.use, redemption=redemption)
    return quota_refresh.refresh([key], forced=True)


def _done(key: UUID, ask: Callable[..., Coroutine[Any, Any, Result]], **more: Any) -> Result:
    found = quota_refresh.askable(key)
    if found is None or found[2] != STYLE:
        raise CreditsUnknown("This account has no such credits, or cannot be asked now.")
    provider, credential, _ = found
    seconds = settings.PROXY_QUOTA_TIMEOUT

    async def work() -> Result:
        try:
            if credential.sign_in and await readiness.made_good(credential.id) is None:
                raise CreditsUnknown(readiness.ENDED)
            async with asyncio.timeout(2 * seconds):
                return await ask(
                    base_url=provider.base_for(oauth=credential.kind == "oauth_bearer", own=credential.base_url),
                    headers=reset_credits.account_headers(credential.secret.reveal(), credential.chatgpt_account_id),
                    seconds=seconds,
                    **more,
                )
        except TimeoutError:
            raise CreditsUnknown("The provider did not answer in time.") from None
        finally:
            await refresh.finish()
            await client.close_all()

    return asyncio.run(work())
