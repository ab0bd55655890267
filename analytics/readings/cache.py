"""Prompt caches: how much of the input providers had read before, and which conversations lost their account.

The second is read from the newest calls that belonged to a conversation which several accounts could have answered:
one that moved from account to account pays for its whole input anew at each.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from analytics.models import RequestLog
from analytics.readings.filters import Filters
from analytics.readings.reader import Reader
from analytics.readings.sums import Sums
from proxx.kit import ids

SCANNED = 5_000
SCANNED_AT_MOST = 20_000
LINE = ("requests", "ok", "cancelled", "input_tokens", "cache_read_tokens", "cache_write_tokens",
        "cache_write_1h_tokens", "cache_hits")  # fmt: skip

_TOLD = ("id", "conversation", "provider_id", "credential_id", "outcome", "model_routed", "input_tokens",
         "cache_read_tokens", "key_id")  # fmt: skip
_ANSWERED = ("ok", "cancelled")


@dataclass(frozen=True, slots=True)
class Cached:
    """A stretch of time and the one before; `places` are provider, model and account, the most input first."""

    now: Sums
    before: Sums
    line: list[tuple[datetime, Sums]]
    places: list[tuple[str, str, UUID | None, Sums]]


@dataclass(slots=True)
class Conversation:
    """What is known of one conversation at one provider, by its digest; `model` is that of its newest call."""

    digest: str
    provider: str
    model: str
    first: UUID  # its oldest call among those that were looked at, and its newest
    last: UUID
    requests: int = 0
    hits: int = 0
    input_tokens: int = 0
    cache_read_tokens: int = 0
    accounts: set[UUID] = field(default_factory=set)
    good_accounts: set[UUID] = field(default_factory=set)
    failed_accounts: set[UUID] = field(default_factory=set)

    @property
    def first_at(self) -> datetime:
        """When the oldest of its calls began."""
        return datetime.fromtimestamp(ids.moment(self.first), UTC)

    @property
    def last_at(self) -> datetime:
        """When the newest of its calls began."""
        return datetime.fromtimestamp(ids.moment(self.last), UTC)

    @property
    def is_lost(self) -> bool:
        """Whether more than one account answered it well: what one had read, the other read anew."""
        return len(self.good_accounts) > 1


@dataclass(frozen=True, slots=True)
class Audit:
    """Of the newest `scanned` calls those of named conversations, the most called first."""

    scanned: int
    conversations: list[Conversation]

    @property
    def lost(self) -> list[Conversation]:
        """Those that more than one account answered."""
        return [one for one in self.conversations if one.is_lost]

    @property
    def crossing(self) -> int:
        """How many were sent to more than one account, answered or not."""
        return sum(1 for one in self.conversations if len(one.accounts) > 1)


def read(filters: Filters, reader: Reader) -> Cached:
    """Return how much came from caches. Three queries, besides what a reader's first takes."""
    groups = reader.groups("provider", "model", "account", names=LINE)
    now = Sums()
    for sums in groups.values():
        now.add(sums)
    places = [(*place, sums) for place, sums in groups.items() if sums.input_tokens]
    places.sort(key=lambda one: (-one[3].input_tokens, one[0], one[1], str(one[2])))
    return Cached(now, reader.total(names=LINE, of=filters.period.before()), reader.line(LINE), places)


def audit(filters: Filters, *, scan: int = SCANNED) -> Audit:
    """Return the conversations among the newest calls of the stretch. One query."""
    edges = [ids.earliest(moment.timestamp()) for moment in (filters.period.start, filters.period.end)]
    rows = RequestLog.objects.filter(id__gte=edges[0], id__lt=edges[1])
    if filters.tenants is not None:
        rows = rows.filter(tenant__in=filters.tenants)
    if filters.tenant is not None:
        rows = rows.filter(tenant_id=filters.tenant)
    scanned = list(rows.order_by("-id").values_list(*_TOLD)[: min(max(scan, 1), SCANNED_AT_MOST)])
    found: dict[tuple[str, str], Conversation] = {}
    for row in scanned:
        if row[1] and _is_chosen(filters, row):
            _count(found, row)
    ordered = sorted(found.values(), key=lambda one: (-one.requests, one.digest, one.provider))
    return Audit(len(scanned), ordered)


def _is_chosen(filters: Filters, row: tuple[Any, ...]) -> bool:
    """Look at what else was chosen here: by the database it could mean to search a month for one rare model."""
    _, _, provider, account, _, model, _, _, key = row
    wanted = ((filters.provider, provider), (filters.model, model), (filters.key, key), (filters.account, account))
    return all(not value or value == there for value, there in wanted)


def _count(found: dict[tuple[str, str], Conversation], row: tuple[Any, ...]) -> None:
    """Take in one call; they come newest first."""
    identifier, digest, provider, account, outcome, model, asked, cached, _ = row
    one = found.get((digest, provider))
    if one is None:
        one = found[digest, provider] = Conversation(digest, provider, model, identifier, identifier)
    one.first = identifier
    one.requests += 1
    one.hits += bool(cached)
    one.cache_read_tokens += cached or 0
    one.input_tokens += asked or 0
    if account is not None:
        one.accounts.add(account)
        (one.good_accounts if outcome in _ANSWERED else one.failed_accounts).add(account)
