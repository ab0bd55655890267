"""What the rules of alerts find, and that each matter is raised once."""

from datetime import timedelta

import pytest

from accounts.models import Limit, LimitWindow
from analytics import alert_watch
from analytics.alert import Alert, AlertRule
from analytics.models import RecordLoss, UsageRollup
from analytics.rows import insert
from oauth.plan_usage import PlanUsage, Window
from proxx.kit import clock as clocks
from routing import quota_store
from routing.models import KeptRest
from routing.quota import Standing
from tests.analytics.records import record


def rule(kind: str, **fields) -> AlertRule:
    usual = {"name": f"{kind} {AlertRule.objects.count()}", "kind": kind, "emails": "ops@example.com", "threshold": 80}
    return AlertRule.objects.create(**usual | fields)


def raised() -> list[str]:
    return list(Alert.objects.filter(ended_at=None).order_by("title").values_list("title", flat=True))


def spend(tenant, share: int) -> LimitWindow:
    limit = Limit.objects.create(tenant=tenant, kind=Limit.Kind.MONEY_MONTH, amount=10_000_000_000)
    starts = limit.view.starts(clocks.unix())
    return LimitWindow.objects.create(limit=limit, starts=starts, spent=limit.amount * share // 100)


def test_a_budget_raises_from_its_share_on_once_and_ends_with_its_window(tenant, clock):
    rule("budget")
    window = spend(tenant, 79)
    assert alert_watch.run() == 0
    LimitWindow.objects.update(spent=8_300_000_000)
    assert (alert_watch.run(), alert_watch.run()) == (1, 0)
    assert raised() == [f"Budget of {tenant}: 83 % spent"]
    assert "$8.30 of $10.00" in Alert.objects.get().text
    clock.advance(40 * 86_400)
    assert window.limit.view.starts(clocks.unix()) != window.starts
    assert (alert_watch.run(), raised()) == (0, [])


def test_a_rule_of_one_tenant_leaves_the_others_alone(tenant, clock):
    from tests import factories

    rule("budget", tenant=factories.make_tenant())
    spend(tenant, 100)
    assert alert_watch.run() == 0


def test_a_matter_that_comes_back_is_raised_again_only_after_the_pause(tenant, clock):
    rule("budget", cooldown=60)
    spend(tenant, 90)
    assert alert_watch.run() == 1
    LimitWindow.objects.update(spent=0)
    clock.advance(600)
    alert_watch.run()
    LimitWindow.objects.update(spent=9_000_000_000)
    assert alert_watch.run() == 0
    clock.advance(3601)
    assert alert_watch.run() == 1


def calls(tenant, provider: str, errors: int, count: int) -> None:
    bucket = clocks.now().replace(second=0, microsecond=0) - timedelta(minutes=3)
    sums = {"requests": count, "errors": errors, "ok": count - errors}
    UsageRollup.objects.create(period="minute", bucket=bucket, tenant=tenant, provider_id=provider, model="m", **sums)


def test_a_provider_that_fails_often_raises_unless_too_few_calls_say_so(tenant, clock):
    rule("error_rate", threshold=20, least=20)
    calls(tenant, "openai", 5, 25)
    calls(tenant, "groq", 4, 25)
    calls(tenant, "tei", 19, 19)
    alert_watch.run()
    assert raised() == ["openai fails: 20 % of calls"]


def test_a_model_without_a_price_raises_once_for_each_model(tenant, clock):
    rule("unpriced")
    for model in ("new-model", "new-model", "other-model"):
        insert([record(tenant_id=tenant.pk, model_routed=model, price_state="unpriced")])
    insert([record(tenant_id=tenant.pk, model_routed="known", price_state="priced", cost_nano=1)])
    assert alert_watch.run() == 2
    assert raised() == ["No price is known for new-model", "No price is known for other-model"]


def test_an_account_that_is_refused_or_expired_raises_until_it_is_back(credential, clock):
    rule("account_dead")
    until = clocks.now() + timedelta(hours=1)
    KeptRest.objects.create(key=str(credential.pk), kind="rate_limited", until=until)
    assert alert_watch.run() == 0
    KeptRest.objects.update(kind="auth")
    assert alert_watch.run() == 1
    assert credential.last4 in Alert.objects.get().text or credential.label in Alert.objects.get().text
    KeptRest.objects.all().delete()
    alert_watch.run()
    assert raised() == []


def test_a_quota_that_is_nearly_used_up_raises(credential, clock):
    rule("quota_low", threshold=90)
    ends = clocks.unix() + 3600
    windows = (Window("weekly", 91.0, ends, 7 * 86_400.0), Window("five_hour", 10.0, ends, 5 * 3600.0))
    quota_store.save({credential.pk: Standing(PlanUsage(windows), clocks.unix(), "headers")})
    assert alert_watch.run() == 1
    assert "window weekly: 91 % used" in Alert.objects.get().text


def test_lost_records_raise_by_their_reason(db, clock):
    rule("records_lost")
    RecordLoss.objects.create(noticed_at=clocks.now(), count=12, reason="journal full")
    alert_watch.run()
    assert raised() == ["12 records of calls were given up: journal full"]


def test_a_rule_that_is_switched_off_finds_nothing_and_ends_what_it_raised(tenant, clock):
    spend(tenant, 90)
    one = rule("budget")
    alert_watch.run()
    one.enabled = False
    one.save()
    assert (alert_watch.run(), raised()) == (0, [])


@pytest.mark.parametrize("kind", AlertRule.Kind.values)
def test_every_kind_is_looked_at(db, kind):
    rule(kind)
    assert alert_watch.run() == 0
