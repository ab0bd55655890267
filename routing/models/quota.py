"""What accounts have left, as it was last heard. Not configuration: it changes by itself and raises no revision."""

from django.db import models

from accounts.models import Credential


class QuotaStanding(models.Model):
    """One account's windows; with a fault alone, nothing is known of it yet."""

    class Source(models.TextChoices):
        """How it became known."""

        ASKED = "asked", "asked"
        HEADERS = "headers", "an answer's headers"
        REFUSED = "refused", "a refusal"

    credential = models.OneToOneField(Credential, on_delete=models.CASCADE, primary_key=True, related_name="quota")
    windows = models.JSONField(default=list, help_text="Name, percent used, end and length in seconds, of each.")
    plan = models.CharField(max_length=64, blank=True)
    stopped = models.BooleanField(default=False, help_text="The provider said that it takes no calls.")
    has_credits = models.BooleanField(default=False)
    source = models.CharField(max_length=16, choices=Source.choices, blank=True)
    heard_at = models.DateTimeField("last heard", null=True, blank=True)
    tried_at = models.DateTimeField("last asked", null=True, blank=True)
    fault = models.CharField(max_length=240, blank=True)

    class Meta:
        verbose_name = "quota"
        ordering = ["credential"]
        indexes = [models.Index(fields=["heard_at"], name="quota_standing_heard_at")]

    def __str__(self) -> str:
        return f"Quota of {self.credential_id}"
