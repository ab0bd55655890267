from django.apps import apps

from analytics import models

# Which tables of ours hold what people did, and what throws it away (analytics/retention.py). Days of sums hold no
# person; they stay.
RULES = {
    models.RequestLog: "after PROXY_RECORD_RETENTION_DAYS",
    models.RequestAttempt: "with their calls",
    models.UsageRollup: "minutes after 8 days, hours after 400",
    models.RollupDue: "when summed, or with their buckets",
    models.RecordLoss: "after PROXY_RECORD_RETENTION_DAYS",
}


def test_every_table_has_its_rule():
    assert set(apps.get_app_config("analytics").get_models()) == set(RULES)
