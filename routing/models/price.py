"""Prices that calls were priced by: what a record's cost can be checked against, long after the lists have changed."""

from django.db import models


class PriceVersion(models.Model):
    """One price as it was taken: its rates and who told them. Never changed; its id is made of its content."""

    id = models.BigIntegerField(primary_key=True)
    rates = models.JSONField()  # as pricing.to_dict writes them: nano-dollars per million tokens
    source = models.CharField(max_length=16)
    first_used_at = models.DateTimeField()

    class Meta:
        verbose_name = "price that was taken"
        verbose_name_plural = "prices that were taken"

    def __str__(self) -> str:
        return f"{self.id:016x} ({self.source or 'unknown'})"
