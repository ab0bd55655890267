"""Renewing before anybody asks: the tokens that end soon, in the background; and all of them, by an operator's hand.

Which are due: those that end within their lead, which differs a little from account to account, so that accounts that
were signed in together do not come back together. Whether an account rests, or is used at all, does not matter: who
stops renewing loses it. Runs on a loop of its own (Celery, a command, the control API); blocking.
"""

import asyncio
import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import timedelta
from itertools import groupby
from uuid import UUID

from django.conf import settings
from django.db.models import F, Q

from oauth import held, providers, refresh
from oauth.leases import DIED, condemn
from oauth.models import OAuthAccount
from oauth.providers import UnknownSignIn
from oauth.refresh import NotRenewed
from proxx.kit import clock
from proxx.kit.sealing import SealBroken
from proxx.upstream import client

log = logging.getLogger(__name__)

SPREAD = 0.2  # of the lead


@dataclass(frozen=True, slots=True)
class Renewals:
    """What a round did: accounts that were to be renewed, those that were, those that were not."""

    total: int = 0
    renewed: int = 0
    failed: int = 0


def renew_due() -> Renewals:
    """Renew what ends soon, and say of what was left behind by processes that died that nobody can renew it."""
    _bury()
    return _renew(list(_due()), forced=False)


def renew_now(credential_ids: Collection[UUID] | None = None) -> Renewals:
    """Renew these accounts (all that can be, if none are named) whenever they end; former failures are forgotten."""
    wanted = OAuthAccount.objects.select_related("credential").filter(state=OAuthAccount.State.WORKING)
    if credential_ids is not None:
        wanted = wanted.filter(credential_id__in=credential_ids)
    rows = [row for row in wanted.order_by("sign_in") if row.can_renew]
    OAuthAccount.objects.filter(pk__in=[row.pk for row in rows]).update(failures=0, retry_at=None)
    return _renew(rows, forced=True)


def _due() -> Iterable[OAuthAccount]:
    now = clock.now()
    longest = max((entry.lead for entry in providers.sign_ins().values()), default=0.0)
    rows = (
        OAuthAccount.objects.select_related("credential")
        .filter(state=OAuthAccount.State.WORKING, credential__expires_at__lte=now + timedelta(seconds=longest))
        .filter(Q(retry_at=None) | Q(retry_at__lte=now))
        .exclude(claimed_until__gt=now)
        .exclude(refresh_token="")
    )
    for row in rows.order_by("sign_in", F("credential__expires_at").asc()):
        ends = row.credential.expires_at
        if ends is not None and (ends - now).total_seconds() <= lead_of(row):
            yield row


def lead_of(row: OAuthAccount) -> float:
    """Return how many seconds before its end an account's token is renewed in the background."""
    try:
        lead = providers.get(row.sign_in).lead
    except UnknownSignIn:
        return 0.0
    lifetime = row.lifetime()
    if lifetime is not None:
        lead = min(lead, lifetime / 2)
    return lead * (1 - SPREAD * (row.pk.int % 1000) / 1000)


def _bury() -> None:
    """Give up what was sent by processes that did not live to keep the answer."""
    for row in OAuthAccount.objects.filter(sent=True, state=OAuthAccount.State.WORKING, claimed_until__lte=clock.now()):
        condemn(row.pk, row.credential_id, row.version, row.claim, DIED)


def _renew(rows: list[OAuthAccount], *, forced: bool) -> Renewals:
    for row in rows:
        try:
            held.take_row(row)
        except SealBroken as fault:
            log.warning("The tokens of credential %s cannot be opened: %s", row.credential_id, fault)
    done = asyncio.run(_renew_all(rows, forced=forced)) if rows else []
    renewed = sum(done)
    if rows:
        log.info("Renewed %d of %d sign-ins.", renewed, len(rows))
    return Renewals(len(rows), renewed, len(rows) - renewed)


async def _renew_all(rows: list[OAuthAccount], *, forced: bool) -> list[bool]:
    gate = asyncio.Semaphore(settings.OAUTH_REFRESH_MAX_CONCURRENCY)
    groups = [list(group) for _, group in groupby(rows, key=lambda row: row.sign_in)]
    try:
        done = await asyncio.gather(*(_renew_group(group, gate, forced=forced) for group in groups))
    finally:
        await client.close_all()
    return [one for group in done for one in group]


async def _renew_group(rows: list[OAuthAccount], gate: asyncio.Semaphore, *, forced: bool) -> list[bool]:
    """Renew the accounts of one issuer: one first, and if the issuer is in trouble, no more of them."""

    async def one(row: OAuthAccount) -> bool | None:
        async with gate:
            try:
                await refresh.renew(row.credential_id, than=row.version, forced=forced)
            except NotRenewed as fault:
                return None if fault.is_down else False
        return True

    first = await one(rows[0])
    if first is None:
        return [False] * len(rows)
    rest = await asyncio.gather(*(one(row) for row in rows[1:]))
    return [first, *(bool(answer) for answer in rest)]
