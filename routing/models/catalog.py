"""What the providers list, and how the last look at each list went."""

from django.db import models

from proxx.kit import clock


class CatalogModel(models.Model):
    """One model that a provider lists."""

    provider_id = models.CharField("provider", max_length=64)
    model_id = models.CharField("model", max_length=200)
    position = models.PositiveIntegerField(default=0, help_text="Its place in the provider's own list.")
    display_name = models.CharField(max_length=200, blank=True)
    created = models.BigIntegerField(default=0, help_text="Seconds since 1970; 0 if the provider does not say.")
    context_window = models.BigIntegerField(null=True, blank=True)
    max_output_tokens = models.BigIntegerField(null=True, blank=True)
    supports_reasoning = models.BooleanField(null=True, blank=True)
    supports_tools = models.BooleanField(null=True, blank=True)
    tool_types = models.JSONField(default=list, blank=True)
    first_seen_at = models.DateTimeField("first seen", default=clock.now, editable=False)

    class Meta:
        verbose_name = "model"
        ordering = ["provider_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "model_id"], name="catalog_model_once_per_provider")
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} · {self.model_id}"


class CatalogState(models.Model):
    """How the last look at a provider's list went. Not configuration: a look that changes nothing raises nothing."""

    provider_id = models.CharField("provider", max_length=64, primary_key=True)
    fetched_at = models.DateTimeField("last good answer", null=True, blank=True)
    tried_at = models.DateTimeField("last tried", null=True, blank=True)
    fault = models.CharField(max_length=240, blank=True)
    count = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "catalogue state"
        ordering = ["provider_id"]

    def __str__(self) -> str:
        return self.provider_id
