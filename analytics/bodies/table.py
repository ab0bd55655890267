"""The table of kept bodies: apart from the calls, with an end of its own, sealed.

One row for a call, under the call's id; on Postgres partitioned by days like the calls (partitions.py). What lies in
`content` is parts.py's.
"""

from datetime import UTC, datetime
from typing import ClassVar

from django.db import models

from accounts.fields import SealedTextField
from proxx.kit import ids, sealing


class RequestBody(models.Model):
    """What was said in one call, as far as it is kept. Sizes are bytes, before sealing and as stored."""

    id = models.UUIDField(primary_key=True)
    tenant = models.ForeignKey(
        "accounts.Tenant", models.DO_NOTHING, null=True, db_constraint=False, db_index=False, related_name="+"
    )
    why = models.CharField(max_length=8)  # errors, sampled or full: what the key or tenant asked for
    plain_bytes = models.BigIntegerField()
    stored_bytes = models.BigIntegerField()
    mark = models.CharField(max_length=24, default=sealing.current_mark)  # which encryption key seals it
    content = SealedTextField(mark="mark")

    class Meta:
        """Their sum is asked each minute: a covering index spares the texts."""

        verbose_name = "kept body"
        verbose_name_plural = "kept bodies"
        indexes: ClassVar = [models.Index(fields=["stored_bytes"], name="body_sizes")]

    def __str__(self) -> str:
        return f"bodies of {self.id}"

    @property
    def began(self) -> datetime:
        """When its call began."""
        return datetime.fromtimestamp(ids.moment(self.id), UTC)
