"""Alerts: rules that operators write, and what has been raised by them.

What a rule looks at is alert_watch.py's; how people are told is alert_sending.py's.
"""

from typing import ClassVar
from uuid import uuid4

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator, validate_email
from django.db import models

from accounts.audited import Audited
from accounts.fields import SealedTextField
from proxx.kit import clock
from proxx.upstream import webhook


class AlertRule(Audited):
    """What to look at, and whom to tell."""

    class Kind(models.TextChoices):
        """What is looked at."""

        BUDGET = "budget", "A budget is nearly spent"
        ERROR_RATE = "error_rate", "A provider fails often"
        UNPRICED = "unpriced", "A model without a known price answered"
        ACCOUNT_DEAD = "account_dead", "An account is refused or has expired"
        QUOTA_LOW = "quota_low", "An account's quota is nearly used up"
        RECORDS_LOST = "records_lost", "Records were given up (journal full)"

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=80, unique=True)
    kind = models.CharField("when", max_length=16, choices=Kind.choices, default=Kind.BUDGET)
    threshold = models.PositiveSmallIntegerField(
        "from this share on (%)",
        default=80,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text="Percent of the budget, of the quota, or of the provider's calls.",
    )
    minutes = models.PositiveSmallIntegerField(
        "over so many minutes", default=10, validators=[MinValueValidator(1), MaxValueValidator(1440)]
    )
    least = models.PositiveIntegerField(
        "not below so many calls", default=20, help_text="Fewer calls in that time say nothing."
    )
    tenant = models.ForeignKey(
        "accounts.Tenant", null=True, blank=True, on_delete=models.CASCADE, related_name="+", help_text="Empty: all."
    )
    provider_id = models.CharField("provider", max_length=64, blank=True, help_text="Short name. Empty: all.")
    cooldown = models.PositiveIntegerField(
        "at most once in so many minutes",
        default=60,
        validators=[MaxValueValidator(100_000)],
        help_text="For the same matter; while it lasts nobody is told twice.",
    )
    emails = models.TextField("e-mail to", blank=True, help_text="Addresses, one a line. Needs PROXY_MAIL_URL.")
    webhook_url = models.CharField("webhook", max_length=500, blank=True, help_text="An https:// address.")
    secret = SealedTextField("webhook's secret", blank=True, tail="secret_tail")
    secret_tail = models.CharField(max_length=4, blank=True, editable=False)
    enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField("created", default=clock.now, editable=False)

    class Meta:
        """By name."""

        verbose_name = "alert rule"
        ordering: ClassVar = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def recipients(self) -> list[str]:
        """The addresses, one by one."""
        return [line.strip() for line in self.emails.splitlines() if line.strip()]

    def clean(self) -> None:
        """Refuse what could never be delivered."""
        faults = {}
        if not self.recipients and not self.webhook_url:
            faults["emails"] = "Say whom to tell: by e-mail, by a webhook, or both."
        for one in self.recipients:
            try:
                validate_email(one)
            except ValidationError:
                faults["emails"] = f"“{one}” is no e-mail address."
        if self.webhook_url and (wrong := webhook.fault(self.webhook_url)):
            faults["webhook_url"] = wrong
        if self.webhook_url and not self.secret:
            faults["secret"] = "A webhook needs a secret to sign its messages with."  # noqa: S105
        if faults:
            raise ValidationError(faults)


class Alert(models.Model):
    """One matter that a rule found: raised once, told once, ended when it is found no more."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    rule = models.ForeignKey(AlertRule, on_delete=models.CASCADE, related_name="alerts")
    subject = models.CharField(max_length=200)
    title = models.CharField(max_length=200)
    text = models.CharField("what", max_length=500)
    detail = models.JSONField(default=dict)
    raised_at = models.DateTimeField("raised", default=clock.now)
    ended_at = models.DateTimeField("ended", null=True)
    mailed_at = models.DateTimeField(null=True)
    posted_at = models.DateTimeField(null=True)
    tries = models.PositiveSmallIntegerField(default=0)
    next_try_at = models.DateTimeField(null=True)
    fault = models.CharField(max_length=240, blank=True)

    class Meta:
        """One open alert for each matter of a rule."""

        verbose_name = "alert"
        ordering: ClassVar = ["-raised_at"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["rule", "subject"], condition=models.Q(ended_at__isnull=True), name="alert_open_once"
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["rule", "subject", "raised_at"], name="alert_by_matter"),
            models.Index(fields=["next_try_at"], name="alert_by_next_try"),
        ]

    def __str__(self) -> str:
        return self.title
