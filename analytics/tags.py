"""Words that people put on calls: add, remove, read. What proxx says of calls by itself is labels.py's.

Adding and removing is in the audit. Who may is the caller's question.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

from django.db import transaction
from django.db.models import Count

from accounts import acting, audit
from analytics import labels
from analytics.call_tag import LONGEST_TAG
from analytics.models import CallTag, RequestLog
from analytics.queries import Tenants
from proxx.kit import clock, ids

MOST_TAGS = 20  # of one call
COUNTED_FOR = timedelta(days=7)
MOST_COUNTED = 200


class NotATag(ValueError):
    """A word that cannot be a tag; the text says why, for people."""


def add(call: RequestLog, word: str) -> CallTag:
    """Put a word on a call; again changes nothing. Raises `NotATag`."""
    word = word_of(word)
    with transaction.atomic():
        there = CallTag.objects.filter(call_id=call.pk, tag=word).first()
        if there is not None:
            return there
        if CallTag.objects.filter(call_id=call.pk).count() >= MOST_TAGS:
            raise NotATag(f"A request has {MOST_TAGS} tags at most.")
        audit.write("tagged", call, {"tag": (None, word)}, tenant_id=call.tenant_id)
        fresh = {"tenant_id": call.tenant_id, "added_by": acting.current().name[:200], "added_at": clock.now()}
        return CallTag.objects.get_or_create(call_id=call.pk, tag=word, defaults=fresh)[0]


def remove(call: RequestLog, word: str) -> bool:
    """Take a word from a call; tell whether it was there."""
    if not word.isprintable():  # a zero byte, for one, would be too much for Postgres
        return False
    with transaction.atomic():
        gone = CallTag.objects.filter(call_id=call.pk, tag=word.strip()).delete()[0]
        if gone:
            audit.write("untagged", call, {"tag": (word.strip(), None)}, tenant_id=call.tenant_id)
    return bool(gone)


def word_of(text: str) -> str:
    """Return a tag as it is kept. Raises `NotATag`."""
    word = " ".join(text.split())
    if not word or not word.isprintable():
        raise NotATag("Say a word or two.")
    if len(word) > LONGEST_TAG:
        raise NotATag(f"A tag has {LONGEST_TAG} characters at most.")
    if labels.is_ours(word):
        raise NotATag(f"“{word}” is a word that proxx says by itself.")
    return word


def of(calls: Iterable[RequestLog]) -> dict[UUID, list[CallTag]]:
    """Return what people put on some calls, by call. One query."""
    found: dict[UUID, list[CallTag]] = {call.id: [] for call in calls}
    for tag in CallTag.objects.filter(call_id__in=list(found)).order_by("call_id", "added_at"):
        found[tag.call_id].append(tag)
    return found


def counts(scope: Tenants) -> dict[str, int]:
    """Return how many calls of the last week have each word, the most used first."""
    rows = CallTag.objects.filter(call_id__gte=ids.earliest((clock.now() - COUNTED_FOR).timestamp()))
    if scope is not None:
        rows = rows.filter(tenant_id__in=scope)
    counted = rows.values_list("tag").annotate(count=Count("call_id")).order_by("-count", "tag")[:MOST_COUNTED]
    return {word: count for word, count in counted}
