"""What happened: one row per call, one per attempt, and sums that outlive both.

A call's id is a UUIDv7, so its start is inside it and ranges of time are ranges of ids. Rows that point to a call,
and a call's pointers to tenant, key and credential, carry no database constraint: logs outlive what they mention,
and Postgres may drop whole partitions. Rows are written by rows.py, summed by rollup.py, thrown away by retention.py.
"""

import uuid
from datetime import UTC, datetime
from typing import ClassVar

from django.db import models

from analytics.alert import Alert as Alert  # these: here, so that Django finds them
from analytics.alert import AlertRule as AlertRule
from analytics.bodies.table import RequestBody as RequestBody
from analytics.call_tag import CallTag as CallTag
from proxx.kit import ids

NOBODY = uuid.UUID(int=0)
OUTCOMES = (("ok", "OK"), ("error", "Error"), ("cancelled", "Cancelled"), ("refused", "Refused"))
USAGE_STATES = (
    ("reported", "Reported"),
    ("estimated", "Estimated"),
    ("replaced", "Replaced"),  # what was reported could not be believed: an estimate stands in its place
    ("none", "Unknown"),
)
PERIODS = (("minute", "Minute"), ("hour", "Hour"), ("day", "Day"))
COUNTS = (
    "duration_ms",
    "first_event_ms",
    "bytes_in",
    "bytes_out",
    "input_tokens",
    "cache_read_tokens",
    "cache_write_tokens",
    "output_tokens",
    "reasoning_tokens",
    "cost_nano",
    "fresh_tokens",
    "cache_write_1h_tokens",
    "audio_in_tokens",
    "image_in_tokens",
    "text_tokens",
    "audio_out_tokens",
    "image_out_tokens",
    "pictures",
    "server_tools",
)


def _none_negative() -> models.Q:
    rule = models.Q()
    for name in COUNTS:
        rule &= models.Q(**{f"{name}__gte": 0}) | models.Q(**{f"{name}__isnull": True})
    return rule


class RequestLog(models.Model):
    """One call of a client, as it ended. Token counts are empty when nobody said them.

    `input_tokens` and `output_tokens` are whole sides, all other tokens disjoint buckets of them. `traits` are bits
    that labels.py has words for; `planned` says in short why the first account was asked (record.py).
    """

    id = models.UUIDField(primary_key=True)
    tenant = models.ForeignKey(
        "accounts.Tenant", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    key = models.ForeignKey(
        "accounts.ApiKey", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    endpoint = models.CharField(max_length=120)
    dialect = models.CharField(max_length=24)
    stream = models.BooleanField()
    model_requested = models.CharField(max_length=200)
    model_routed = models.CharField("model", max_length=200)
    provider_id = models.CharField("provider", max_length=64)
    credential = models.ForeignKey(
        "accounts.Credential", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    status = models.SmallIntegerField()
    outcome = models.CharField(max_length=12, choices=OUTCOMES)
    error_code = models.CharField(max_length=80)
    duration_ms = models.BigIntegerField("duration (ms)")
    first_event_ms = models.BigIntegerField("first byte (ms)", null=True)
    bytes_in = models.BigIntegerField()
    bytes_out = models.BigIntegerField()
    client_address = models.CharField(max_length=64)
    user_agent = models.CharField(max_length=200)
    request_id = models.CharField("request id", max_length=128)
    input_tokens = models.BigIntegerField(null=True)
    cache_read_tokens = models.BigIntegerField(null=True)
    cache_write_tokens = models.BigIntegerField(null=True)
    output_tokens = models.BigIntegerField(null=True)
    reasoning_tokens = models.BigIntegerField(null=True)
    usage_state = models.CharField(max_length=12, choices=USAGE_STATES)
    cost_nano = models.BigIntegerField("cost (nano-dollars)", null=True)
    price_state = models.CharField(max_length=16)
    attempt_count = models.SmallIntegerField("attempts")
    warnings = models.JSONField()
    fresh_tokens = models.BigIntegerField(null=True)
    cache_write_1h_tokens = models.BigIntegerField(null=True)
    audio_in_tokens = models.BigIntegerField(null=True)
    image_in_tokens = models.BigIntegerField(null=True)
    text_tokens = models.BigIntegerField(null=True)
    audio_out_tokens = models.BigIntegerField(null=True)
    image_out_tokens = models.BigIntegerField(null=True)
    pictures = models.BigIntegerField(null=True)
    server_tools = models.BigIntegerField("web searches", null=True)
    service_tier = models.CharField(max_length=16, default="")
    price_version = models.BigIntegerField(null=True)
    # The digest by which its conversation keeps to one account (16 hex digits), where several could have answered.
    conversation = models.CharField(max_length=16, default="")
    traits = models.BigIntegerField(default=0)
    planned = models.CharField(max_length=240, default="")

    attempts: "models.Manager[RequestAttempt]"

    class Meta:
        """No ordering: every reader says its own."""

        verbose_name = "request"
        constraints: ClassVar = [models.CheckConstraint(condition=_none_negative(), name="log_counts_not_negative")]
        indexes: ClassVar = [
            models.Index(fields=["tenant", "id"], name="log_by_tenant"),
            models.Index(fields=["outcome", "id"], name="log_by_outcome"),
            models.Index(fields=["key", "id"], name="log_by_key"),
            models.Index(fields=["credential", "id"], name="log_by_credential"),
            models.Index(fields=["model_routed", "id"], name="log_by_model"),
            models.Index(fields=["request_id", "id"], name="log_by_request_id"),
        ]

    def __str__(self) -> str:
        return f"{self.model_requested or self.endpoint} at {self.started_at:%Y-%m-%d %H:%M:%S} UTC"

    @property
    def started_at(self) -> datetime:
        """The call's start, read from its id."""
        return datetime.fromtimestamp(ids.moment(self.id), UTC)


class RequestAttempt(models.Model):
    """One try at one candidate. Offsets and durations are milliseconds, offsets from the call's start."""

    pk = models.CompositePrimaryKey("call_id", "number")
    call = models.ForeignKey(
        RequestLog, models.DO_NOTHING, db_constraint=False, db_index=False, related_name="attempts"
    )
    number = models.SmallIntegerField()
    provider_id = models.CharField(max_length=64)
    credential = models.ForeignKey(
        "accounts.Credential", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    account = models.CharField(max_length=120)
    model = models.CharField(max_length=200)
    protocol = models.CharField(max_length=24)
    status = models.SmallIntegerField(null=True)
    failure = models.CharField(max_length=40)
    message = models.CharField(max_length=240)
    retry_after = models.FloatField(null=True)
    started_ms = models.BigIntegerField()
    headers_ms = models.BigIntegerField(null=True)
    first_event_ms = models.BigIntegerField(null=True)
    duration_ms = models.BigIntegerField()

    class Meta:
        """The primary key is the call and the number: unique by itself, and it lets the table be partitioned."""

        verbose_name = "attempt"

    def __str__(self) -> str:
        return f"attempt {self.number} at {self.provider_id}"


class UsageRollup(models.Model):
    """Sums of one period for one tenant, key, provider, account and model; recomputed whole, so never counted twice.

    Key and account are `NOBODY` where there is none: in a key of a table nothing is equal to nothing.
    """

    period = models.CharField(max_length=6, choices=PERIODS)
    bucket = models.DateTimeField()
    tenant = models.ForeignKey(
        "accounts.Tenant", models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )
    key_id = models.UUIDField(default=NOBODY)
    provider_id = models.CharField(max_length=64)
    credential_id = models.UUIDField(default=NOBODY)
    model = models.CharField(max_length=200)
    requests = models.BigIntegerField(default=0)
    ok = models.BigIntegerField(default=0)
    errors = models.BigIntegerField(default=0)
    cancelled = models.BigIntegerField(default=0)
    refused = models.BigIntegerField(default=0)
    attempts = models.BigIntegerField(default=0)
    input_tokens = models.BigIntegerField(default=0)
    cache_read_tokens = models.BigIntegerField(default=0)
    cache_write_tokens = models.BigIntegerField(default=0)
    output_tokens = models.BigIntegerField(default=0)
    reasoning_tokens = models.BigIntegerField(default=0)
    cost_nano = models.BigIntegerField(default=0)
    bytes_in = models.BigIntegerField(default=0)
    bytes_out = models.BigIntegerField(default=0)
    duration_ms = models.BigIntegerField(default=0)
    first_event_ms = models.BigIntegerField(default=0)
    first_event_count = models.BigIntegerField(default=0)
    fresh_tokens = models.BigIntegerField(default=0)
    cache_write_1h_tokens = models.BigIntegerField(default=0)
    audio_in_tokens = models.BigIntegerField(default=0)
    image_in_tokens = models.BigIntegerField(default=0)
    text_tokens = models.BigIntegerField(default=0)
    audio_out_tokens = models.BigIntegerField(default=0)
    image_out_tokens = models.BigIntegerField(default=0)
    pictures = models.BigIntegerField(default=0)
    server_tools = models.BigIntegerField(default=0)
    streams = models.BigIntegerField(default=0)
    cache_hits = models.BigIntegerField("calls with cached input", default=0)
    retried = models.BigIntegerField("calls with more than one attempt", default=0)
    estimated = models.BigIntegerField("calls whose usage was estimated", default=0)
    unpriced = models.BigIntegerField("calls without a price", default=0)
    output_ms = models.BigIntegerField("time spent answering", default=0)
    streamed_tokens = models.BigIntegerField("tokens out in that time", default=0)

    class Meta:
        """One row per bucket, found by period and time."""

        verbose_name = "usage rollup"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["period", "bucket", "tenant", "key_id", "provider_id", "credential_id", "model"],
                name="rollup_once_per_bucket",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.period} {self.bucket:%Y-%m-%d %H:%M} {self.provider_id} {self.model}"


class RollupDue(models.Model):
    """A bucket that changed since it was last summed; whoever changes it says so in the same transaction."""

    pk = models.CompositePrimaryKey("period", "bucket")
    period = models.CharField(max_length=6, choices=PERIODS)
    bucket = models.DateTimeField()

    class Meta:
        """The work list of rollup.py, not for people."""

        verbose_name = "bucket to sum"
        verbose_name_plural = "buckets to sum"

    def __str__(self) -> str:
        return f"{self.period} {self.bucket:%Y-%m-%d %H:%M}"


class RecordLoss(models.Model):
    """Records that were given up because neither database nor disk would take them; the console shows it."""

    noticed_at = models.DateTimeField()
    count = models.BigIntegerField()
    reason = models.CharField(max_length=40)

    class Meta:
        """Few rows, if any."""

        verbose_name = "loss of records"
        verbose_name_plural = "losses of records"

    def __str__(self) -> str:
        return f"{self.count} records, {self.reason}"
