"""The tokens this process holds: what a call is sent with, found without asking anybody.

    held.is_good(credential_id)             # a dictionary and a clock: for the way of a call
    held.LiveSecret(credential_id, ...)     # a secret that is always the newest one held here

Tokens change by themselves and are no configuration: the picture of it (routing/snapshot) holds a LiveSecret, which
stays the same while tokens come and go. They come from refresh.py, from whoever builds a picture, and from
following.py, which notices what other processes renewed. What is older than what is held is never taken.
"""

import threading
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.conf import settings

from accounts.fields import reveal
from oauth.models import OAuthAccount
from proxx.kit import clock
from proxx.kit.sealing import Secret

SHARE = 5  # of a short-lived token, this part of its life is too little to send a call with


@dataclass(frozen=True, slots=True)
class Held:
    """An account's token. Times are seconds since 1970; infinite where nobody knows an end.

    `good_until` is the end less the buffer. `can_renew`: there is a refresh token that may be sent; before `retry_at`
    there is no use in trying.
    """

    version: int
    secret: Secret
    ends_at: float
    good_until: float
    can_renew: bool
    retry_at: float

    @property
    def has_ended(self) -> bool:
        """Tell whether the token is of no use any more."""
        return clock.unix() >= self.ends_at


class LiveSecret(Secret):
    """The newest token of an account that this process holds. `since` is when somebody signed in: two are equal if
    they are of one sign-in, whatever tokens came since."""

    __slots__ = ("_id", "_since")

    def __init__(self, credential_id: UUID, since: datetime) -> None:
        super().__init__("")
        self._id, self._since = credential_id, since

    def reveal(self) -> str:
        """Return the token that is held now; the empty text if there is none."""
        found = _held.get(self._id)
        return "" if found is None else found.secret.reveal()

    @property
    def since(self) -> datetime:
        """Return when somebody signed in."""
        return self._since

    def pinned(self) -> Secret:
        """Return the token of this moment as a secret that stays as it is."""
        return Secret(self.reveal())

    def __bool__(self) -> bool:
        return bool(self.reveal())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, LiveSecret) and (self._id, self._since) == (other._id, other._since)

    def __hash__(self) -> int:
        return hash((self._id, self._since))


_held: dict[UUID, Held] = {}
_lock = threading.Lock()


def current(credential_id: UUID) -> Held | None:
    """Return what is held for a credential, or nothing."""
    return _held.get(credential_id)


def is_good(credential_id: UUID) -> bool:
    """Tell whether the token held here will live long enough for a call."""
    found = _held.get(credential_id)
    return found is not None and clock.unix() < found.good_until


def version(credential_id: UUID) -> int:
    """Return the version of the token held here; 0 if there is none."""
    found = _held.get(credential_id)
    return 0 if found is None else found.version


def take(credential_id: UUID, new: Held) -> Held:
    """Hold a token, unless a newer one is held; return the one that is held then."""
    with _lock:
        before = _held.get(credential_id)
        if before is not None and before.version > new.version:
            return before
        _held[credential_id] = new
    return new


def take_row(account: OAuthAccount) -> Held:
    """Hold what a row with its credential says; raise `sealing.SealBroken`."""
    return take(account.credential_id, held_of(account))


def held_of(account: OAuthAccount) -> Held:
    """Return what a row with its credential says; raise `sealing.SealBroken`."""
    ends, retry = account.credential.expires_at, account.retry_at
    ends_at = float("inf") if ends is None else ends.timestamp()
    return Held(
        version=account.version,
        secret=reveal(account.credential),
        ends_at=ends_at,
        good_until=ends_at - buffer(account.lifetime()),
        can_renew=account.can_renew,
        retry_at=0.0 if retry is None else retry.timestamp(),
    )


def keep_only(credential_ids: Iterable[UUID]) -> None:
    """Forget the tokens of all others: they are gone from the database."""
    known = set(credential_ids)
    with _lock:
        for one in [one for one in _held if one not in known]:
            del _held[one]


def held_ids() -> dict[UUID, tuple[int, bool, float]]:
    """Return what is held, without the tokens: version, whether it can be renewed, and when that is tried again."""
    return {one: (found.version, found.can_renew, found.retry_at) for one, found in _held.items()}


def buffer(lifetime: float | None) -> float:
    """Return how many seconds before its end a token that lives so long is not sent any more."""
    usual: float = settings.PROXY_OAUTH_BUFFER
    return usual if lifetime is None else min(usual, lifetime / SHARE)
