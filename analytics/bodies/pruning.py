"""How long bodies are kept, and how much of them: by their age, and by the size of all together."""

from datetime import datetime

from django.db.models import QuerySet, Sum

from analytics import rows
from analytics.bodies.table import RequestBody
from proxx.kit import ids, metrics

BATCH = 200  # rows of one delete: their texts are long


def before(moment: datetime) -> int:
    """Delete what calls said that began before that moment; return how many calls that were."""
    return _delete_while(RequestBody.objects.filter(id__lt=ids.earliest(moment.timestamp())))


def to_size(limit: int) -> int:
    """Delete the oldest until the rest is below so many bytes, and own up to it; return how many calls that were."""
    excess = (RequestBody.objects.aggregate(sum=Sum("stored_bytes"))["sum"] or 0) - limit
    gone = 0
    while excess > 0:
        sizes = list(RequestBody.objects.order_by("id").values_list("id", "stored_bytes")[:BATCH])
        if not sizes:
            break
        chosen = []
        for id, size in sizes:
            if excess <= 0:
                break
            chosen.append(id)
            excess -= size
        gone += RequestBody.objects.filter(id__in=chosen).delete()[0]
    if gone:
        metrics.count("proxx_bodies_lost", gone, reason="store full")
        rows.note_loss(gone, "bodies: store full")
    return gone


def _delete_while(old: "QuerySet[RequestBody]") -> int:
    gone = 0
    while batch := list(old.order_by("id").values_list("id", flat=True)[:BATCH]):
        gone += RequestBody.objects.filter(id__in=batch).delete()[0]
    return gone
