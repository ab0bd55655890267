"""What the providers list, and how the last look at each list went."""

from django.db import models

from proxx.kit import clock
from routing.capabilities import Facts
from routing.pricing import from_dict


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
    supports_schema = models.BooleanField(null=True, blank=True)
    inputs = models.JSONField(null=True, blank=True, help_text="What it reads: text, image, audio, pdf, video.")
    outputs = models.JSONField(null=True, blank=True, help_text="What it makes: text, image, audio, embedding.")
    price = models.JSONField(default=dict, blank=True, help_text="Nano-dollars per million tokens (pricing.py).")
    first_seen_at = models.DateTimeField("first seen", default=clock.now, editable=False)

    class Meta:
        verbose_name = "model"
        ordering = ["provider_id", "position"]
        constraints = [
            models.UniqueConstraint(fields=["provider_id", "model_id"], name="catalog_model_once_per_provider")
        ]

    def __str__(self) -> str:
        return f"{self.provider_id} · {self.model_id}"

    def facts(self) -> Facts:
        """Return what its provider says of it; a price that cannot be read is none."""
        reads = None if self.inputs is None else set(self.inputs)
        try:
            price = from_dict(self.price, source="provider")
        except (ValueError, TypeError, AttributeError):
            price = None
        return Facts(
            context_window=self.context_window,
            max_output=self.max_output_tokens,
            images=None if reads is None else "image" in reads,
            audio=None if reads is None else "audio" in reads,
            # Lists forget documents, and providers turn them into text or pictures: only a yes says something.
            pdf=True if reads and "pdf" in reads else None,
            video=None if reads is None else "video" in reads,
            tools=self.supports_tools,
            schema=self.supports_schema,
            reasoning=self.supports_reasoning,
            outputs=None if self.outputs is None else tuple(self.outputs),
            price=price,
        )


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
