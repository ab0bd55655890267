"""Accounts: how much of their windows is used, how that will end if they are used as until now, how they serve.

What is left is what the providers said last (routing/quota.py); an account whose provider says nothing has no windows,
and no guess stands in their place.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from accounts.models import Credential
from analytics.readings.filters import Filters, Period
from analytics.readings.reader import Reader
from analytics.readings.scores import account_health
from analytics.readings.sums import Sums
from oauth.plan_usage import Window
from proxx.kit import clock
from routing import health_admin, quota_admin
from routing.quota import Standing

EARLY = 0.05  # of a window: before that a forecast would be a guess
RECENT = timedelta(minutes=2)
TROUBLE = ("open", "rests", "half", "last", "failed")
LINE = ("requests", "ok", "errors", "cancelled", "refused", "input_tokens", "output_tokens", "cache_read_tokens",
        "cache_hits", "cost_nano", "unpriced", "duration_ms", "first_event_ms", "first_event_count", "output_ms",
        "streamed_tokens")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Forecast:
    """How a window ends if it is used on as until now: `at_end` percent used; when it is full, if before."""

    at_end: float
    full_at: datetime | None


@dataclass(frozen=True, slots=True)
class Room:
    """One window: percent used, how full in a word (ok, warn, spent), its end, and a forecast where one can be made.

    `is_ours`: calls through proxx use it up.
    """

    name: str
    used: float
    level: str
    ends_at: datetime | None
    forecast: Forecast | None
    is_ours: bool = True

    @property
    def is_spent(self) -> bool:
        """Tell whether it keeps the account from being called."""
        return self.is_ours and self.level == "spent"


@dataclass(frozen=True, slots=True)
class Account:
    """One credential: how it stands (`state` in words, `mark` as a kind), what it has left, what it did."""

    credential: Credential
    mark: str
    state: str
    rooms: list[Room]
    heard_at: datetime | None
    fault: str
    sums: Sums
    health: float

    @property
    def is_in_trouble(self) -> bool:
        """Whether somebody should look: it is on and does not serve, or has a window that is used up."""
        return self.credential.enabled and (self.mark in TROUBLE or any(room.is_spent for room in self.rooms))


def read(filters: Filters, reader: Reader) -> list[Account]:
    """Return all accounts, those in trouble first, then by requests; idle ones, too. Three queries."""
    done: dict[UUID, Sums] = {place[0]: sums for place, sums in reader.groups("account", names=LINE).items()}
    lately: dict[UUID, Sums] = {place[0]: sums for place, sums in _recent(reader).items()}
    rows = Credential.objects.select_related("quota").defer("secret").order_by("provider_id", "priority", "label")
    if filters.provider:
        rows = rows.filter(provider_id=filters.provider)
    if filters.account:
        rows = rows.filter(pk=filters.account)
    found = [_account(row, done.get(row.pk) or Sums(), lately.get(row.pk)) for row in rows]
    return sorted(found, key=lambda one: (not one.is_in_trouble, -one.sums.requests))


def forecast(window: Window) -> Forecast | None:
    """Return how a window will end at its pace; None for one without length or end, unused, or begun just now."""
    if not window.seconds or window.resets_at is None or window.used <= 0:
        return None
    now = clock.unix()
    left = window.resets_at - now
    gone = window.seconds - left
    if left <= 0 or gone < EARLY * window.seconds:
        return None
    pace = window.used / gone
    full = now + max(0.0, 100.0 - window.used) / pace
    return Forecast(window.used + pace * left, datetime.fromtimestamp(full, UTC) if full < window.resets_at else None)


def rooms_of(standing: Standing | None) -> list[Room]:
    """Return the windows of an account as they stand now."""
    return [_room(one) for one in quota_admin.in_order(standing)] if standing is not None else []


def _account(row: Credential, done: Sums, lately: Sums | None) -> Account:
    mark, state = health_admin.state_of(row.pk)
    if not row.enabled:
        mark, state = "off", "switched off"
    standing = quota_admin.standing_of(row)
    rooms = rooms_of(standing)
    heard = datetime.fromtimestamp(standing.heard_at, UTC) if standing is not None and rooms else None
    known = getattr(row, "quota", None)
    return Account(
        credential=row,
        mark=mark,
        state=state,
        rooms=rooms,
        heard_at=heard,
        fault=known.fault if known is not None else "",
        sums=done,
        health=account_health(done, lately, rests=mark in ("rests", "open")),
    )


def _room(window: Window) -> Room:
    ends = datetime.fromtimestamp(window.resets_at, UTC) if window.resets_at is not None else None
    name, level = quota_admin.name_of(window), quota_admin.level_of(window)
    return Room(name, window.used, level, ends, forecast(window), window.is_ours)


def _recent(reader: Reader) -> dict[tuple[UUID, ...], Sums]:
    now = clock.now()
    start = now.replace(second=0, microsecond=0) - RECENT
    short = Period("recent", "", start, now, RECENT, "minute")
    return reader.groups("account", names=LINE, of=short)
