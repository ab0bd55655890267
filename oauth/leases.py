"""The steps of a renewal in the database, one statement each, so that any number of processes may try at once.

    claim      -> the right to renew this version, for a while
    mark_sent  -> the refresh token leaves now: whatever happens, it is never sent again
    store      -> the new tokens, only in place of those they came from
    condemn    -> nobody can renew it any more: somebody has to sign in
    failed     -> not now; when to try again

Every step says which version and whose claim it means; one that finds another changes nothing. Blocking; refresh.py
puts them in order. These updates pass no row's `save`: tokens that change by themselves are no configuration.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from django.conf import settings
from django.db import transaction
from django.dispatch import Signal

from accounts.fields import sealed_bytes, tail_of
from accounts.models import Credential
from oauth import held, providers
from oauth.held import Held
from oauth.identity import identity_of
from oauth.models import OAuthAccount
from oauth.providers import SignIn
from oauth.tokens import Tokens
from proxx.kit import clock
from proxx.kit.sealing import SealBroken, Secret

WORKING, SIGN_IN_AGAIN = OAuthAccount.State.WORKING, OAuthAccount.State.SIGN_IN_AGAIN
FIRST_PAUSE, ENFORCED_FROM = 5.0, 3  # seconds; from so many failures in a row the pause doubles
BASE_PAUSE, LONGEST_PAUSE = 30.0, 600.0
DIED = "The process that was renewing it ended before the answer was kept, so the token may be used up. Sign in again."
LOST = "The issuer's answer to a renewal was lost, so the token may be used up. Sign in again."

# Sent when an account has to be signed in again; `credential_id` is whose.
given_up = Signal()


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to renew one version of an account's tokens."""

    id: UUID
    account_id: UUID
    credential_id: UUID
    version: int
    sign_in: SignIn
    refresh_token: Secret


@dataclass(frozen=True, slots=True)
class Busy:
    """Somebody else is renewing it."""


@dataclass(frozen=True, slots=True)
class Given:
    """It is not to be renewed now: it has been (`held` is newer), or it cannot be, or not yet (`why`)."""

    held: Held | None
    why: str = ""


def claim(credential_id: UUID, *, than: int, forced: bool) -> Claim | Busy | Given:
    """Try to get the right to renew tokens of version `than` or older. `forced` does not wait for `retry_at`."""
    row = OAuthAccount.objects.select_related("credential").filter(credential_id=credential_id).first()
    if row is None:
        return Given(None, "There is no sign-in behind this credential.")
    now = clock.now()
    try:
        seen = held.take_row(row)
        if row.version > than:
            return Given(seen)
        if row.state == SIGN_IN_AGAIN:
            return Given(None, row.fault)
        is_claimed = row.claimed_until is not None and row.claimed_until > now
        if row.sent and not is_claimed:
            condemn(row.pk, row.credential_id, row.version, row.claim, DIED)
            return Given(None, DIED)
        if is_claimed:
            return Busy()
        if not row.refresh_token:
            return Given(None, "There is no refresh token: it works until it ends.")
        if row.retry_at is not None and row.retry_at > now and not forced:
            return Given(None, row.fault)
        return _claimed(row, now)
    except SealBroken as fault:
        return Given(None, f"Its tokens cannot be opened: {fault}")
    except providers.UnknownSignIn as fault:
        return Given(None, str(fault))


def _claimed(row: OAuthAccount, now: datetime) -> Claim | Busy:
    sign_in, refresh_token, mine = providers.get(row.sign_in), row.opened_refresh_token(), uuid4()
    free = OAuthAccount.objects.filter(pk=row.pk, version=row.version, state=WORKING, sent=False).exclude(
        claimed_until__gt=now
    )
    if not free.update(claim=mine, claimed_until=now + _lease()):
        return Busy()
    return Claim(mine, row.pk, row.credential_id, row.version, sign_in, refresh_token)


def mark_sent(mine: Claim) -> bool:
    """Note that the refresh token leaves now; False if the right to send it is gone."""
    return bool(_mine(mine).filter(sent=False, state=WORKING).update(sent=True, claimed_until=clock.now() + _lease()))


def store(mine: Claim, tokens: Tokens) -> Held | None:
    """Put new tokens in place of those they came from; nothing if others were there already.

    An account that was given up meanwhile, because we were silent for so long, works again.
    """
    now, who = clock.now(), identity_of(mine.sign_in, tokens)
    fresh: dict[str, Any] = {"version": mine.version + 1, "state": WORKING, "refreshed_at": now, **_FREE, **_WELL}
    refresh_token = tokens.refresh or mine.refresh_token
    fresh["refresh_token"] = sealed_bytes(refresh_token.reveal().encode(), mine.account_id)
    access = tokens.access.reveal()
    written: dict[str, Any] = {
        "secret": sealed_bytes(access.encode(), mine.credential_id),
        "last4": tail_of(access),
        "expires_at": None if tokens.expires_at is None else datetime.fromtimestamp(tokens.expires_at, UTC),
    }
    if who.plan:
        written["plan_type"] = who.plan
    with transaction.atomic():
        if not _mine(mine).update(**fresh):
            return None
        Credential.objects.filter(pk=mine.credential_id).update(**written)
    return held.take(mine.credential_id, held_for(mine, tokens))


def held_for(mine: Claim, tokens: Tokens) -> Held:
    """Return new tokens as this process holds them, stored or not."""
    ends_at = float("inf") if tokens.expires_at is None else tokens.expires_at
    lifetime = None if tokens.expires_at is None else max(0.0, ends_at - clock.unix())
    return Held(mine.version + 1, tokens.access, ends_at, ends_at - held.buffer(lifetime), True, 0.0)  # noqa: FBT003


def failed(mine: Claim, why: str) -> None:
    """Let go of the right, and note when to try again; the refresh token was not used."""
    row = _mine(mine).first()
    if row is None:
        return
    failures = row.failures + 1
    again = clock.now() + timedelta(seconds=pause(failures))
    _mine(mine).update(failures=failures, retry_at=again, fault=why[:300], **_FREE)


def let_go(mine: Claim) -> None:
    """Let go of a right that was not used."""
    _mine(mine).filter(sent=False).update(**_FREE)


def give_up(mine: Claim, why: str) -> None:
    """Say that somebody has to sign in again: the issuer said so, or the refresh token may be used up."""
    condemn(mine.account_id, mine.credential_id, mine.version, mine.id, why)


def condemn(account_id: UUID, credential_id: UUID, version: int, claim_id: UUID | None, why: str) -> None:
    """Give up a version that only this claim was renewing; its refresh token is thrown away, never to be sent.

    The claim stays on the row: should its holder come back with new tokens after all, they count.
    """
    theirs = OAuthAccount.objects.filter(pk=account_id, version=version, claim=claim_id, state=WORKING)
    said: dict[str, Any] = {"state": SIGN_IN_AGAIN, "fault": why[:300], "refresh_token": ""}
    if theirs.update(**said, sent=False, claimed_until=None, retry_at=None):
        row = OAuthAccount.objects.select_related("credential").filter(pk=account_id).first()
        if row is not None:
            held.take_row(row)
        given_up.send(OAuthAccount, credential_id=credential_id)


def pause(failures: int) -> float:
    """Return how many seconds pass after so many failures in a row."""
    return FIRST_PAUSE if failures < ENFORCED_FROM else min(BASE_PAUSE * 2 ** min(failures - 1, 20), LONGEST_PAUSE)


def _mine(mine: Claim) -> Any:
    return OAuthAccount.objects.filter(pk=mine.account_id, version=mine.version, claim=mine.id)


def _lease() -> timedelta:
    return timedelta(seconds=3 * settings.PROXY_OAUTH_TIMEOUT)


_FREE: dict[str, Any] = {"claim": None, "claimed_until": None, "sent": False}
_WELL: dict[str, Any] = {"failures": 0, "retry_at": None, "fault": ""}
