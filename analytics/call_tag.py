"""CallTag: a word that somebody put on a call. What proxx itself says of calls is not stored here (labels.py)."""

from typing import ClassVar

from django.db import models

LONGEST_TAG = 64


class CallTag(models.Model):
    """One tag of one call. Like a call's other rows it has no constraint to it: retention drops calls whole."""

    pk = models.CompositePrimaryKey("call_id", "tag")
    call_id = models.UUIDField()
    tag = models.CharField(max_length=LONGEST_TAG)
    tenant_id = models.UUIDField(null=True)
    added_by = models.CharField(max_length=200, blank=True)
    added_at = models.DateTimeField()

    class Meta:
        """Found by its call, and by its word from the newest call down."""

        verbose_name = "tag of a call"
        verbose_name_plural = "tags of calls"
        indexes: ClassVar = [models.Index(fields=["tag", "call_id"], name="tag_by_word")]

    def __str__(self) -> str:
        return self.tag
