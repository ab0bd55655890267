"""Keys that followed each other by rotation are one line: what bounds one of them bounds all, and counts them together.

So a rotation ends no budget, and while old and new both work they share it.
"""

from uuid import UUID

from accounts.models import ApiKey


def roots() -> dict[UUID, UUID]:
    """Return the first key of the line of each key that was rotated or came by it; other keys are not in it."""
    before = dict(ApiKey.objects.filter(replaces__isnull=False).order_by().values_list("pk", "replaces_id"))
    found: dict[UUID, UUID] = {}
    for key_id in before:
        passed, first = [key_id], before[key_id]
        while first in before and first not in found and first not in passed:
            passed.append(first)
            first = before[first]
        root = found.get(first, first)
        found |= dict.fromkeys([*passed, root], root)
    return found


def of(key_id: UUID) -> frozenset[UUID]:
    """Return the keys of a key's line, with itself."""
    known = roots()
    root = known.get(key_id)
    return frozenset({key_id, *(other for other, its in known.items() if root is not None and its == root)})
