"""Rules of alerts on Postgres: every kind finds what it looks for, and raises it once."""

import json

import pytest

from tests import forked
from tests.analytics.test_kill import House
from tests.live import base_environment

pytestmark = [pytest.mark.slow, pytest.mark.real]

PROGRAM = """
import django; django.setup()
import json
from datetime import timedelta
from accounts.models import Limit, LimitWindow, Tenant
from analytics import alert_sending, alert_watch
from analytics.alert import Alert, AlertRule
from analytics.models import RecordLoss, UsageRollup
from analytics.rows import insert
from oauth.plan_usage import PlanUsage, Window
from proxx.kit import clock
from routing import quota_store
from routing.models import KeptRest
from routing.quota import Standing
from tests import factories
from tests.analytics.records import record
tenant, account = factories.make_tenant(), factories.make_credential()
for kind in AlertRule.Kind.values:
    AlertRule.objects.create(name=kind, kind=kind, emails="ops@example.com", threshold=20)
limit = Limit.objects.create(tenant=tenant, kind=Limit.Kind.MONEY_MONTH, amount=100)
LimitWindow.objects.create(limit=limit, starts=limit.view.starts(clock.unix()), spent=90)
bucket = clock.now().replace(second=0, microsecond=0) - timedelta(minutes=3)
UsageRollup.objects.create(period="minute", bucket=bucket, tenant=tenant, provider_id="groq", model="m",
                           requests=30, errors=10, ok=20)
insert([record(tenant_id=tenant.pk, model_routed="new-model", price_state="unpriced")])
KeptRest.objects.create(key=str(account.pk), kind="auth", until=clock.now() + timedelta(hours=1))
full = Window("weekly", 91.0, clock.unix() + 3600, 7 * 86_400.0)
quota_store.save({account.pk: Standing(PlanUsage((full,)), clock.unix(), "headers")})
RecordLoss.objects.create(noticed_at=clock.now(), count=12, reason="journal full")
found = [alert_watch.run(), alert_watch.run()]
alert_sending.deliver()
faults = sorted(set(Alert.objects.values_list("fault", flat=True)))
print(json.dumps([found, sorted(Alert.objects.values_list("rule__kind", flat=True)), faults]))
"""


def test_every_kind_of_rule_raises_its_matter_once(tmp_path, templates):
    house = House(tmp_path, templates, True)
    try:
        started = forked.start("-c", PROGRAM, env={**base_environment(tmp_path), **house.database.environment})
        said, _ = started.communicate(timeout=120)
        assert started.returncode == 0
    finally:
        house.database.drop()
    found, kinds, faults = json.loads(said.splitlines()[-1])
    assert kinds == ["account_dead", "budget", "error_rate", "quota_low", "records_lost", "unpriced"]
    assert found == [6, 0]
    assert faults == ["The e-mail was not sent: PROXY_MAIL_URL is not set."]
