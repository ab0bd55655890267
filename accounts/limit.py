"""Limit: how much a tenant or a key may ask for; and what has been spent of it.

The ledger (one row for each settled call that had a budget) is the truth. A LimitWindow is its sum for one limit and
window, kept in step in the same transaction; a Hold is what a call that still runs may come to cost. The rules are in
limits.py, the statements in ledger.py.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from math import inf
from typing import Any, ClassVar
from uuid import UUID, uuid4

from django.core.exceptions import ValidationError
from django.db import IntegrityError, models, transaction
from django.db.models.functions import Lower

from accounts.audited import Audited
from proxx.kit import clock

NANO = 1_000_000_000
MINUTE, HOUR, DAY = 60, 3600, 86_400
THERE_ALREADY = "There is a limit of this kind for these models already: change that one."
ONCE = "limit_once"  # how the constraints' names begin
MOST = 2**62  # so that a sum of two still is a number of 64 bits


class ThereAlready(ValidationError):
    """An owner would have two limits of a kind for the same models, of which only the tighter would hold."""

    def __init__(self) -> None:
        super().__init__({"kind": THERE_ALREADY})


class Limit(Audited):
    """One bound for one tenant or one key. Money is whole nano-dollars. What goes beyond is refused."""

    class Kind(models.TextChoices):
        """What is counted, and in which window."""

        REQUESTS_MINUTE = "requests_minute", "Requests per minute"
        TOKENS_MINUTE = "tokens_minute", "Tokens per minute"
        IN_FLIGHT = "in_flight", "Calls at a time"
        TOKENS_HOUR = "tokens_hour", "Tokens per hour"
        TOKENS_DAY = "tokens_day", "Tokens per day"
        TOKENS_MONTH = "tokens_month", "Tokens per month"
        TOKENS_TOTAL = "tokens_total", "Tokens in total"
        MONEY_HOUR = "money_hour", "Dollars per hour"
        MONEY_DAY = "money_day", "Dollars per day"
        MONEY_MONTH = "money_month", "Dollars per month"
        MONEY_TOTAL = "money_total", "Dollars in total"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    tenant = models.ForeignKey(
        "accounts.Tenant", null=True, blank=True, on_delete=models.CASCADE, related_name="limits"
    )
    key = models.ForeignKey("accounts.ApiKey", null=True, blank=True, on_delete=models.CASCADE, related_name="limits")
    kind = models.CharField("what", max_length=20, choices=Kind.choices, default=Kind.REQUESTS_MINUTE)
    amount = models.BigIntegerField("at most")
    model = models.CharField(
        "models",
        max_length=200,
        blank=True,
        help_text="Name of a model or alias, * for anything. Empty: all models together.",
    )
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    judged_together = False  # whoever saves it has compared it with the other limits of its owner

    class Meta:
        """One owner each; in the order in which they were made."""

        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=models.Q(tenant__isnull=True, key__isnull=False)
                | models.Q(tenant__isnull=False, key__isnull=True),
                name="limit_has_one_owner",
            ),
            models.CheckConstraint(condition=models.Q(amount__gte=0), name="limit_not_negative"),
            models.UniqueConstraint(
                "tenant", "kind", Lower("model"), condition=models.Q(tenant__isnull=False), name="limit_once_of_tenant"
            ),
            models.UniqueConstraint(
                "key", "kind", Lower("model"), condition=models.Q(key__isnull=False), name="limit_once_of_key"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}{f' of {self.model}' if self.model else ''}"

    def audit_tenant(self) -> UUID | None:
        """Return the tenant that it binds, whole or by one of its keys."""
        return self.key.tenant_id if self.key is not None else self.tenant_id

    def clean(self) -> None:
        """Refuse amounts that no counter holds."""
        self.model = self.model.strip()
        if self.amount is not None and not 0 <= self.amount <= MOST:
            raise ValidationError({"amount": "This amount is out of range."})

    def save(self, *args: Any, **options: Any) -> None:
        """Save it. Raises `ThereAlready` where somebody else has just added one of the same kind."""
        try:
            with transaction.atomic():
                super().save(*args, **options)
        except IntegrityError as fault:
            if ONCE not in str(fault):
                raise
            raise ThereAlready from fault

    def get_constraints(self) -> list[tuple[type[models.Model], Sequence[models.BaseConstraint]]]:
        """Return what is asked before it is saved: that it is there once is asked below, in words for people."""
        return [
            (table, [one for one in found if not one.name.startswith(ONCE)])
            for table, found in super().get_constraints()
        ]

    def validate_constraints(self, exclude: Collection[str] | None = None) -> None:
        """Refuse a second limit of the same owner, kind and models: the tighter would hold, whatever the other says."""
        super().validate_constraints(exclude)
        if self.judged_together:
            return
        same = Limit.objects.filter(tenant=self.tenant, key=self.key, kind=self.kind)
        if same.filter(model__iexact=self.model).exclude(pk=self.pk).exists():
            raise ThereAlready

    @property
    def view(self) -> "LimitView":
        """Return what the path of a call needs of this row."""
        measure, period = KINDS[self.kind]
        return LimitView(self.id, measure, period, self.amount, self.model.strip().lower(), self.key_id is not None)


class LedgerEntry(models.Model):
    """What one settled call was charged. The id is the call's: no call is charged twice."""

    id = models.UUIDField(primary_key=True)
    tenant_id = models.UUIDField(db_index=False)
    key_id = models.UUIDField(null=True)
    model = models.CharField(max_length=200)
    tokens = models.BigIntegerField()
    nano = models.BigIntegerField("nano-dollars")

    class Meta:
        """Never changed, only added to."""

        verbose_name = "ledger entry"
        verbose_name_plural = "ledger entries"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(tokens__gte=0, nano__gte=0), name="ledger_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.id}: {self.nano} nano-dollars"


class LimitWindow(models.Model):
    """One window of one budget: `spent` is the sum of its charges, `held` that of its holds. `starts` is in unix
    seconds, 0 for a budget without an end."""

    pk = models.CompositePrimaryKey("limit_id", "starts")
    limit = models.ForeignKey(Limit, models.CASCADE, db_constraint=False, db_index=False, related_name="windows")
    starts = models.BigIntegerField()
    spent = models.BigIntegerField(default=0)
    held = models.BigIntegerField(default=0)

    class Meta:
        """Found by limit and start."""

        verbose_name = "window of a limit"
        verbose_name_plural = "windows of limits"
        constraints: ClassVar = [
            models.CheckConstraint(condition=models.Q(spent__gte=0, held__gte=0), name="window_not_negative")
        ]

    def __str__(self) -> str:
        return f"{self.limit_id} from {self.starts}"


class Hold(models.Model):
    """What a running call may come to cost in one window, until it is settled or `ends` (unix seconds); or what is set
    aside there for Redis to hand out (tranches.py), `granted` in all, of which the `amount` is not charged yet."""

    pk = models.CompositePrimaryKey("call_id", "limit_id")
    call_id = models.UUIDField()
    limit_id = models.UUIDField()
    starts = models.BigIntegerField()
    amount = models.BigIntegerField()
    ends = models.BigIntegerField()
    granted = models.BigIntegerField(default=0, db_default=0)

    class Meta:
        """Few rows: those of the calls that run now."""

        verbose_name = "hold"
        indexes: ClassVar = [models.Index(fields=["ends"], name="hold_by_end")]

    def __str__(self) -> str:
        return f"{self.call_id} holds {self.amount}"


@dataclass(frozen=True, slots=True)
class LimitView:
    """A limit as calls see it. `measure`: requests, tokens, calls or money; `period`: minute, hour, day, month, total,
    or nothing; `model`: a glob in lower case, empty for all; `of_key`: the key's own, not its tenant's.

    Worked out once: `is_budget` (it is counted by the ledger), `number` (the id, quick to look up by), and `slot`
    (which of a call's amounts counts, see `limits.Worst`).
    """

    id: UUID
    measure: str
    period: str
    amount: int
    model: str = ""
    of_key: bool = False
    is_budget: bool = field(init=False, default=False)
    number: int = field(init=False, default=0)
    slot: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Work out what each call would ask for."""
        is_budget = self.period in STARTS
        slot = {"tokens": 2 if is_budget else 1, "money": 3}.get(self.measure, 0)
        for name, value in (("is_budget", is_budget), ("number", self.id.int), ("slot", slot)):
            object.__setattr__(self, name, value)

    def starts(self, unix: float) -> int:
        """Return when the budget's window of that moment began, in unix seconds."""
        return _bounds(self.period, unix)[0]

    def ends(self, unix: float) -> int | None:
        """Return when that window ends; None: never."""
        end = _bounds(self.period, unix)[1]
        return None if end == inf else int(end)


def _bounds(period: str, unix: float) -> tuple[int, float]:
    """Return begin and end of the window of that moment; most calls fall into that of the call before."""
    known = _last_bounds.get(period)
    if known is None or not known[0] <= unix < known[1]:
        start = STARTS[period](int(unix))
        known = _last_bounds[period] = (start, _end(period, start))
    return known


def _end(period: str, start: int) -> float:
    if period == "month":
        first = datetime.fromtimestamp(start, UTC)
        return datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=UTC).timestamp()
    return start + LENGTHS[period]


def _month(unix: int) -> int:
    moment = datetime.fromtimestamp(unix, UTC)
    return int(datetime(moment.year, moment.month, 1, tzinfo=UTC).timestamp())


STARTS: Mapping[str, Callable[[int], int]] = {
    "hour": lambda unix: unix - unix % HOUR,
    "day": lambda unix: unix - unix % DAY,
    "month": _month,
    "total": lambda unix: 0,
}
LENGTHS = {"hour": HOUR, "day": DAY, "total": inf}
_last_bounds: dict[str, tuple[int, float]] = {}
KINDS: Mapping[str, tuple[str, str]] = {
    **{kind: (kind.partition("_")[0], kind.partition("_")[2]) for kind in Limit.Kind.values if kind != "in_flight"},
    "in_flight": ("calls", ""),
}
