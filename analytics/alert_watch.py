"""What the rules of alerts find: each minute, from sums, the ledger, and what processes keep of accounts.

A matter that is found raises an alert once; while it lasts, nothing more is said; when it is found no more, the alert
ends. The same matter raises another one only after the rule's pause. Telling people is alert_sending.py's.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Sum
from django.utils import timezone

from accounts.limit import NANO, LimitView
from accounts.models import Credential, LimitWindow
from analytics import losses
from analytics.alert import Alert, AlertRule
from analytics.models import RecordLoss, RequestLog, UsageRollup
from analytics.retention import KEEP
from proxx.kit import clock, ids
from proxx.upstream.failures import KINDS
from routing import quota, quota_store
from routing.models import KeptRest

SUMS_COME_LATER = timedelta(minutes=2)
NEWEST = timedelta(minutes=3)  # how far back single records are looked at: a few runs overlap
REFUSED = ("auth", "permission")  # failures of an account that nothing but an operator mends


@dataclass(frozen=True, slots=True)
class Finding:
    """One matter: its name among others of the rule, a line for people, a sentence, and figures for programs."""

    subject: str
    title: str
    text: str
    detail: dict[str, Any] = field(default_factory=dict)


def run() -> int:
    """Look at everything that a rule asks for; return how many alerts were raised."""
    now, raised = clock.now(), 0
    for rule in AlertRule.objects.filter(enabled=True).select_related("tenant"):
        raised += _compare(rule, list(LOOKS[rule.kind](rule, now)), now)
    Alert.objects.filter(rule__enabled=False, ended_at=None).update(ended_at=now)
    Alert.objects.filter(ended_at__lt=now - KEEP["log"]).delete()
    return raised


def _compare(rule: AlertRule, findings: list[Finding], now: datetime) -> int:
    found = {one.subject: one for one in findings}
    rule.alerts.filter(ended_at=None).exclude(subject__in=found).update(ended_at=now)
    since = now - timedelta(minutes=rule.cooldown)
    known = set(rule.alerts.filter(subject__in=found, ended_at=None).values_list("subject", flat=True))
    known |= set(rule.alerts.filter(subject__in=found, raised_at__gt=since).values_list("subject", flat=True))
    return sum(_raise(rule, finding, now) for subject, finding in found.items() if subject not in known)


def _raise(rule: AlertRule, one: Finding, now: datetime) -> bool:
    try:
        with transaction.atomic():
            Alert.objects.create(
                rule=rule,
                subject=one.subject[:200],
                title=one.title[:200],
                text=one.text[:500],
                detail=one.detail,
                raised_at=now,
                next_try_at=now,
            )
    except IntegrityError:
        return False  # another worker was faster
    return True


def _budgets(rule: AlertRule, now: datetime) -> Iterable[Finding]:
    unix = now.timestamp()
    windows = LimitWindow.objects.filter(limit__enabled=True, limit__amount__gt=0, spent__gt=0)
    for window in windows.select_related("limit__tenant", "limit__key__tenant"):
        limit = window.limit
        view: LimitView = limit.view
        if not view.is_budget or view.starts(unix) != window.starts:
            continue
        owner = limit.key or limit.tenant
        tenant = limit.key.tenant if limit.key else limit.tenant
        share = window.spent * 100 / limit.amount
        if tenant is None or share < rule.threshold or rule.tenant_id not in (None, tenant.pk):
            continue
        spent, most = (_amount(view, number) for number in (window.spent, limit.amount))
        yield Finding(
            f"{limit.pk} {window.starts}",
            f"Budget of {owner}: {share:.0f} % spent",
            f"{tenant}: {spent} of {most} ({limit}) are spent.",
            {"tenant_id": str(tenant.pk), "limit_id": str(limit.pk), "share": round(share / 100, 4)},
        )


def _amount(view: LimitView, number: int) -> str:
    return f"${number / NANO:,.2f}" if view.measure == "money" else f"{number:,}"


def _errors(rule: AlertRule, now: datetime) -> Iterable[Finding]:
    since = now - timedelta(minutes=rule.minutes) - SUMS_COME_LATER
    sums = UsageRollup.objects.filter(period="minute", bucket__gte=since).exclude(provider_id="")
    if rule.tenant_id:
        sums = sums.filter(tenant_id=rule.tenant_id)
    if rule.provider_id:
        sums = sums.filter(provider_id=rule.provider_id)
    for one in sums.values("provider_id").annotate(calls=Sum("requests"), failed=Sum("errors")):
        share = one["failed"] * 100 / max(1, one["calls"])
        if one["calls"] >= max(1, rule.least) and share >= rule.threshold:
            yield Finding(
                one["provider_id"],
                f"{one['provider_id']} fails: {share:.0f} % of calls",
                f"{one['failed']} of {one['calls']} calls in the last {rule.minutes} minutes ended with an error.",
                {"provider": one["provider_id"], "calls": one["calls"], "errors": one["failed"]},
            )


def _unpriced(rule: AlertRule, now: datetime) -> Iterable[Finding]:
    calls = RequestLog.objects.filter(id__gte=ids.earliest((now - NEWEST).timestamp()), price_state="unpriced")
    if rule.provider_id:
        calls = calls.filter(provider_id=rule.provider_id)
    for provider_id, model in calls.order_by().values_list("provider_id", "model_routed").distinct()[:50]:
        yield Finding(
            f"{provider_id} {model}",
            f"No price is known for {model}",
            f"{model} of {provider_id} answered, and nobody knows what it costs: set a price under Facts and prices.",
            {"provider": provider_id, "model": model},
        )


def _dead(rule: AlertRule, now: datetime) -> Iterable[Finding]:
    refused = dict(KeptRest.objects.filter(kind__in=REFUSED, model="", until__gt=now).values_list("key", "kind"))
    for account in _accounts(rule):
        if account.expires_at is not None and account.expires_at <= now:
            why = "It has expired."
        elif str(account.pk) in refused:
            why = KINDS[refused[str(account.pk)]][1]
        else:
            continue
        yield Finding(
            str(account.pk),
            f"An account of {account.provider_id} is out of use",
            f"{account.label or account.masked}: {why}",
            {"provider": account.provider_id, "credential_id": str(account.pk)},
        )


def _quota(rule: AlertRule, now: datetime) -> Iterable[Finding]:
    for account in _accounts(rule).select_related("quota").filter(quota__isnull=False):
        standing = quota_store.standing_of(account.quota)
        for window in quota.windows_now(standing.usage) if standing is not None else ():
            if window.used >= rule.threshold and window.seconds is not None:
                ends = datetime.fromtimestamp(window.resets_at, UTC) if window.resets_at else None
                yield Finding(
                    f"{account.pk} {window.name}",
                    f"Quota of an account of {account.provider_id}: {window.used:.0f} % used",
                    f"{account.label or account.masked}, window {window.name}: {window.used:.0f} % used"
                    + (f", begins anew at {timezone.localtime(ends, UTC):%Y-%m-%d %H:%M} UTC." if ends else "."),
                    {"provider": account.provider_id, "credential_id": str(account.pk), "window": window.name},
                )


def _lost(rule: AlertRule, now: datetime) -> Iterable[Finding]:
    lately = RecordLoss.objects.filter(noticed_at__gte=now - timedelta(minutes=rule.minutes))
    for reason, count in lately.order_by().values_list("reason").annotate(Sum("count")):
        yield Finding(reason, losses.title(reason, count), losses.harm(reason), {"reason": reason, "records": count})


def _accounts(rule: AlertRule) -> Any:
    found = Credential.objects.filter(enabled=True)
    return found.filter(provider_id=rule.provider_id) if rule.provider_id else found


Look = Callable[[AlertRule, datetime], Iterable[Finding]]
LOOKS: dict[str, Look] = {
    AlertRule.Kind.BUDGET: _budgets,
    AlertRule.Kind.ERROR_RATE: _errors,
    AlertRule.Kind.UNPRICED: _unpriced,
    AlertRule.Kind.ACCOUNT_DEAD: _dead,
    AlertRule.Kind.QUOTA_LOW: _quota,
    AlertRule.Kind.RECORDS_LOST: _lost,
}
