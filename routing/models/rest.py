"""What a process that starts must know of the rests that others, or its predecessor, have learned."""

from django.db import models


class KeptRest(models.Model):
    """A hard rest of a credential (for one model, if named) or of a provider's address. No configuration.

    `key` is what routing/health.py keeps its facts under. Written in the background, read at start.
    """

    key = models.CharField(max_length=300)
    model = models.CharField(max_length=200, blank=True)
    kind = models.CharField(max_length=40)
    until = models.DateTimeField()
    is_open = models.BooleanField(default=False)
    length = models.PositiveIntegerField(default=0)
    failures = models.PositiveIntegerField(default=0)
    openings = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name = "kept rest"
        constraints = [models.UniqueConstraint(fields=("key", "model"), name="routing_kept_rest_once")]

    def __str__(self) -> str:
        return f"{self.key} {self.model}".strip()
