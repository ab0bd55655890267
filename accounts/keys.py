"""Who is calling: client keys answered from memory; issuing, rotating and revoking them.

The hot path (`remembered`) is a digest and a dictionary. A key it does not know costs one query on a thread of its
own (`find`). Memory is never the truth: routing/reload.py calls `refresh_known` after each change of the
configuration and `confirm_contact` whenever the database said that nothing changed; without that contact a
remembered key stays good for PROXY_KEY_GRACE seconds, and an unknown one is `IdentityUnavailable`: never
refused, never let in. The memory itself is key_memory.py; rates and budgets are not here.
"""

import asyncio
import hmac
import re
import secrets
from collections.abc import Mapping
from datetime import datetime, timedelta
from math import ceil
from typing import Final, Literal
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from accounts import scopes as known_scopes
from accounts.key_memory import PATIENCE, Doubt, IdentityUnavailable, KeyHolder, Memory, Unknown
from accounts.models import (
    DEFAULT_TENANT_ID,
    DEFAULT_TENANT_SLUG,
    ApiKey,
    Operator,
    Profile,
    Tenant,
)
from proxx.kit import clock, sealing
from proxx.kit.configured import settings

__all__ = [
    "Doubt",
    "IdentityUnavailable",
    "KeyHolder",
    "KeyNotActive",
    "TooManyGuesses",
    "Unknown",
    "confirm_contact",
    "find",
    "forget",
    "has_expired",
    "issue",
    "looks_like_key",
    "mint",
    "note_used",
    "open_holder",
    "refresh_known",
    "remembered",
    "revoke",
    "rotate",
]

TOKEN_MARK: Final = "pxx_"  # noqa: S105 - a mark, not a secret
TOKEN_BYTES: Final = 32
PREFIX_LENGTH: Final = 12

_LENGTH = len(TOKEN_MARK) + 43
_shape = re.compile(rf"{TOKEN_MARK}[A-Za-z0-9_-]{{43}}", re.ASCII).fullmatch
_memory = Memory()

# Neither is a row: they work without the database, and belong to the tenant that always exists.
_ADMIN = KeyHolder(
    None,
    DEFAULT_TENANT_ID,
    DEFAULT_TENANT_SLUG,
    "admin token",
    known_scopes.EVERYTHING,
    None,
    "admin",
)
_OPEN = KeyHolder(
    None,
    DEFAULT_TENANT_ID,
    DEFAULT_TENANT_SLUG,
    "unauthenticated",
    known_scopes.expanded({known_scopes.USE}),
    None,
    "open",
)


class TooManyGuesses(IdentityUnavailable):
    """This address, or all together, tried too many unknown keys: the store is not asked for a while."""


class KeyNotActive(ValueError):
    """A key that was revoked or has expired cannot be rotated: that would bring it back."""


def looks_like_key(token: str) -> bool:
    """Tell whether a token has the shape of one of our keys, or is the admin token; no look-up."""
    return (len(token) == _LENGTH and _shape(token) is not None) or _is_admin_token(token)


def remembered(token: str) -> KeyHolder | Literal[Doubt.UNKNOWN] | None:
    """Answer from memory: the holder, None for a token that is certainly no key, `Unknown` if the store must say."""
    if len(token) != _LENGTH or _shape(token) is None:
        return _ADMIN if _is_admin_token(token) else None
    answer = _memory.recall(sealing.digest(token))
    if isinstance(answer, KeyHolder):
        return answer
    if settings.FORMER_PEPPERS:
        older = [_memory.recall(digest) for digest in sealing.former_digests(token)]
        if holder := next((one for one in older if isinstance(one, KeyHolder)), None):
            return holder
        answer = Unknown if Unknown in older else answer
    # Last, because it is rare: an admin token that happens to have a key's shape.
    return _ADMIN if _is_admin_token(token) else answer


async def find(token: str, *, address: str = "") -> KeyHolder | None:
    """Return who a token belongs to, from memory or else from the store; `address` is charged for failed guesses.

    Raises `IdentityUnavailable` (or its kind `TooManyGuesses`) if the store cannot be asked now.
    """
    holder = remembered(token)
    if holder is not Unknown:
        return holder
    wait = _memory.guesses.wait(address)
    if wait > 0:
        raise TooManyGuesses(ceil(wait))
    found = None
    for digest in (sealing.digest(token), *sealing.former_digests(token)):
        if found is None:
            found = await _looked_up(digest)
    if found is None:
        _memory.guesses.failed(address)
        return None
    return None if found.expires_at is not None and clock.unix() >= found.expires_at else found


def has_expired(token: str) -> bool:
    """Tell whether a token that was just refused is a key whose time is over; from memory alone."""
    if len(token) != _LENGTH or _shape(token) is None:
        return False
    return any(_memory.knows_end(digest) for digest in (sealing.digest(token), *sealing.former_digests(token)))


def open_holder() -> KeyHolder:
    """Return the holder that everybody is under PROXY_ALLOW_UNAUTHENTICATED."""
    return _OPEN


def issue(
    tenant: Tenant,
    *,
    label: str,
    scopes: list[str] | None = None,
    expires_at: datetime | None = None,
    created_by: Operator | None = None,
    replaces: ApiKey | None = None,
    profile: Profile | None = None,
    restrictions: Mapping[str, object] | None = None,
) -> tuple[ApiKey, str]:
    """Store a new key and return it with its token, which nothing can show a second time."""
    key = ApiKey(tenant=tenant, label=label, expires_at=expires_at, created_by=created_by, replaces=replaces)
    key.profile = profile
    for name, said in (restrictions or {}).items():
        setattr(key, name, said)
    if scopes is not None:
        key.scopes = scopes
    known_scopes.check(key.scopes)
    token = mint(key)
    with transaction.atomic():  # the revision that its signal raises belongs to the row
        key.save()
    return key, token


def mint(key: ApiKey) -> str:
    """Give a row that is not saved yet its token: the digest stays in the row, the token is returned this once."""
    token = TOKEN_MARK + secrets.token_urlsafe(TOKEN_BYTES)
    key.prefix, key.last4, key.digest = token[:PREFIX_LENGTH], token[-4:], sealing.digest(token)
    key.pepper_version = sealing.pepper_version()
    return token


@transaction.atomic
def rotate(
    key: ApiKey, *, overlap: timedelta, created_by: Operator | None = None, until: datetime | None = None
) -> tuple[ApiKey, str]:
    """Issue a successor; the old key works until the overlap ends (zero: ends now), then never again.

    The key's limits become the successor's, which does not outlive `until`: when a key rotates others, its own end.
    Raises `KeyNotActive`.
    """
    now = clock.now()
    # A key with an end passes its whole lifetime on, not the little that is left of it.
    expires_at = now + (key.expires_at - key.created_at) if key.expires_at else None
    if until is not None:
        expires_at = min(until, expires_at or until)
    # The successor is saved first: its signal takes the revision's row, where two editors queue.
    successor, token = issue(
        key.tenant,
        label=key.label,
        scopes=key.scopes,
        expires_at=expires_at,
        created_by=created_by,
        replaces=key,
        profile=key.profile,
        restrictions={**key.restrictions, **key.keeping},
    )
    key.refresh_from_db(fields=["expires_at", "revoked_at"])
    if key.state(now) != "active":
        raise KeyNotActive("This key was revoked or has expired: issue a new one.")
    if overlap <= timedelta(0):
        key.revoked_at = now
    else:
        key.expires_at = min(now + overlap, key.expires_at or now + overlap)
    key.save(update_fields=["revoked_at", "expires_at"])
    # With what they have counted. They go on bounding the old key, too (key_line.py).
    for limit in key.limits.all():
        limit.key = successor
        limit.save(update_fields=["key"])
    return successor, token


@transaction.atomic
def revoke(key: ApiKey) -> None:
    """End a key for good; revoking it again changes nothing."""
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        key.save(update_fields=["revoked_at"])


def refresh_known() -> None:
    """Read all remembered keys and their tenants again, then swap them in (blocking: call it in a thread).

    Raises `django.db.Error` and leaves memory as it was; `confirm_contact` then confirms nothing until a later
    refresh succeeds, because a revocation may be among what was missed.
    """
    _memory.refresh()


def confirm_contact() -> None:
    """Note that the database just said that the configuration has not changed; never waits, never raises."""
    _memory.confirm()


def note_used(uses: list[tuple[UUID, datetime, str]]) -> None:
    """Store when and from where keys were last used (blocking); by `update`, so that it never counts as a change of
    configuration."""
    latest: dict[UUID, tuple[datetime, str]] = {}
    for key_id, moment, address in uses:
        latest[key_id] = max((moment, address), latest.get(key_id, (moment, address)))
    # In order of id: two processes that note the same keys must not lock them crosswise.
    for key_id, (moment, address) in sorted(latest.items()):
        earlier = Q(last_used_at=None) | Q(last_used_at__lt=moment)
        ApiKey.objects.filter(earlier, pk=key_id).update(last_used_at=moment, last_used_from=address[:64])


def forget() -> None:
    """Empty the memory, as after a start."""
    global _memory
    _memory = Memory()


async def _looked_up(digest: str) -> KeyHolder | None:
    future = asyncio.wrap_future(_memory.look_up(digest))
    # `wait` leaves the look-up alone when its time is over or the caller goes: others may wait for the same one.
    done, _ = await asyncio.wait([future], timeout=PATIENCE)
    if not done:
        raise IdentityUnavailable
    found = future.result()
    if isinstance(found, IdentityUnavailable):
        raise found
    return found


def _is_admin_token(token: str) -> bool:
    expected = settings.PROXY_AUTH_TOKEN
    return bool(expected) and hmac.compare_digest(token.encode(errors="backslashreplace"), expected.encode())
