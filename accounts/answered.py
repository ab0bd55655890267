"""Changes that are to be made once, however often they are asked for: which were asked for, and what was answered.

Kept for a day, the newest `MOST` of them. Whose a name is, and what of an answer may be kept, is the caller's to say.
"""

from dataclasses import dataclass
from datetime import timedelta
from typing import ClassVar

from django.db import models, transaction

from proxx.kit import clock

KEPT = timedelta(hours=24)
UNANSWERED = timedelta(minutes=5)  # after which whoever began it is taken for dead
MOST = 10_000


class Answered(models.Model):
    """One change by its name; `status` is None while it is made."""

    name = models.CharField(primary_key=True, max_length=64)
    asked = models.CharField(max_length=64)  # a digest of the whole request
    status = models.PositiveSmallIntegerField(null=True)
    text = models.TextField(blank=True)
    mark = models.CharField(max_length=80, blank=True)  # the answer's ETag
    begun_at = models.DateTimeField()

    class Meta:
        """Found by name; the oldest go first."""

        verbose_name = "answered change"
        indexes: ClassVar = [models.Index(fields=["begun_at"], name="answered_begun")]

    def __str__(self) -> str:
        return self.name


class AskedOtherwise(Exception):
    """The same name was used for another request."""


class Unfinished(Exception):
    """Somebody makes this change at this moment."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the first request was answered."""

    status: int
    text: str
    mark: str = ""


def begin(name: str, asked: str) -> Answer | None:
    """Return what was answered before, or None: then the caller makes the change, and says `finish` or `give_up`.

    Raises `AskedOtherwise` or `Unfinished`.
    """
    now = clock.now()
    Answered.objects.filter(begun_at__lt=now - KEPT).delete()
    with transaction.atomic():
        row, is_new = Answered.objects.get_or_create(pk=name, defaults={"asked": asked, "begun_at": now})
    if is_new:
        _make_room()
        return None
    if row.asked != asked:
        raise AskedOtherwise
    if row.status is not None:
        return Answer(row.status, row.text, row.mark)
    left_behind = Answered.objects.filter(pk=name, status=None, begun_at=row.begun_at, begun_at__lt=now - UNANSWERED)
    if not left_behind.update(begun_at=now):
        raise Unfinished
    return None


def finish(name: str, answer: Answer) -> None:
    """Keep an answer."""
    Answered.objects.filter(pk=name).update(status=answer.status, text=answer.text, mark=answer.mark)


def give_up(name: str) -> None:
    """Forget a change that was not made: it may be asked for again."""
    Answered.objects.filter(pk=name).delete()


def _make_room() -> None:
    if Answered.objects.count() > MOST:
        oldest = Answered.objects.order_by("begun_at").values_list("pk", flat=True)[: MOST // 10]
        Answered.objects.filter(pk__in=list(oldest)).delete()
