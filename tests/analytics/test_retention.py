from django.apps import apps

from analytics import alert, models

# Which tables of ours hold what people did, and what throws it away (analytics/retention.py). Days of sums hold no
# person; they stay.
RULES = {
    models.RequestLog: "after PROXY_RECORD_RETENTION_DAYS",
    models.RequestAttempt: "with their calls",
    models.CallTag: "with their calls",
    models.UsageRollup: "minutes after 8 days, hours after 400",
    models.RollupDue: "when summed, or with their buckets",
    models.RequestBody: "after PROXY_BODIES_RETENTION_DAYS, and above PROXY_BODIES_LIMIT",
    models.RecordLoss: "after PROXY_RECORD_RETENTION_DAYS",
    alert.AlertRule: "never: it is configuration",
    alert.Alert: "PROXY_RECORD_RETENTION_DAYS after its end (analytics/alert_watch.py)",
}


def test_every_table_has_its_rule():
    assert set(apps.get_app_config("analytics").get_models()) == set(RULES)
