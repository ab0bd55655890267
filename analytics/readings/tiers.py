"""Service tiers: how providers said they served calls, among the newest of a stretch. Sums do not know them."""

from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Final

from analytics.models import RequestLog
from analytics.readings.filters import Filters
from proxx.kit import ids

SCANNED: Final = 5_000


@dataclass(frozen=True, slots=True)
class Tiers:
    """How many calls were looked at, and how many of them were served at each tier; most said none."""

    scanned: int = 0
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def said(self) -> int:
        """Calls of which the provider said a tier."""
        return sum(self.counts.values())


def read(filters: Filters) -> Tiers:
    """Return the tiers of the newest calls. One query."""
    edges = [ids.earliest(moment.timestamp()) for moment in (filters.period.start, filters.period.end)]
    owner = replace(filters, key=None, provider="", model="", account=None)
    newest = RequestLog.objects.filter(owner.of_calls(), id__gte=edges[0], id__lt=edges[1]).order_by("-id")
    columns = ("service_tier", "key_id", "provider_id", "model_routed", "credential_id")
    chosen = (filters.key, filters.provider, filters.model, filters.account)
    # What else was chosen is looked for here: by the database it could mean to search a month for one rare model.
    found = [
        tier
        for tier, *there in newest.values_list(*columns)[:SCANNED]
        if all(not value or value == one for value, one in zip(chosen, there, strict=True))
    ]
    return Tiers(len(found), Counter(filter(None, found)))
