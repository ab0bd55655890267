"""Is the audit what it was? Every entry's hash covers the one before it, so any edit, deletion or swap breaks the chain
at a place that can be named. That nothing is missing at its end shows against the head, and against an anchor: the
number and hash of an entry that somebody kept elsewhere.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from accounts.audit_entry import NO_HASH, AuditEntry, AuditHead

AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the chain is whole, and what is wrong with the entry after that; no fault: all of it is."""

    checked: int
    hash: str
    fault: str = ""

    @property
    def anchor(self) -> str:
        """Return what to keep elsewhere: the last good entry's number and hash."""
        return f"{self.checked}:{self.hash}"


def verify(anchors: Mapping[int, str] | None = None) -> Verdict:
    """Read the whole chain in this database and judge it; writers go on meanwhile."""
    head = AuditHead.objects.filter(pk=AuditHead.ONLY).first() or AuditHead()
    found = AuditEntry.objects.order_by("sequence").iterator(chunk_size=AT_A_TIME)
    kept = list((anchors or {}).items())
    return judged(found, [*kept, (head.sequence, head.hash)] if head.sequence else kept)


def judged(entries: Iterable[AuditEntry], kept: Iterable[tuple[int, str]]) -> Verdict:
    """Judge entries in their order, from the first one on; each anchor's entry must be there with its hash."""
    anchors: dict[int, set[str]] = {}
    for at, digest in kept:
        anchors.setdefault(at, set()).add(digest)
    number, last = 0, NO_HASH
    for entry in entries:
        fault = _fault(entry, number + 1, last, anchors)
        if fault:
            return Verdict(number, last, fault)
        number, last = entry.sequence, entry.hash
    missing = [one for one in sorted(anchors) if one > number]
    if missing:
        return Verdict(number, last, f"Entry {number + 1} is missing, and all others up to {missing[-1]}.")
    return Verdict(number, last)


def _fault(entry: AuditEntry, expected: int, last: str, anchors: Mapping[int, set[str]]) -> str:
    if entry.sequence != expected:
        return f"Entry {expected} is missing."
    if entry.previous != last:
        return f"Entry {expected} does not follow the entry before it."
    if entry.hash != entry.worked_out_hash():
        return f"Entry {expected} was changed."
    if anchors.get(expected, {entry.hash}) != {entry.hash}:
        return f"Entry {expected} is not the one that was there when its anchor was taken."
    return ""


def anchor_of(text: str) -> tuple[int, str]:
    """Read an anchor, `NUMBER:HASH`; raise `ValueError` for anything else."""
    number, _, digest = text.strip().partition(":")
    if not number.isdigit() or len(digest) != len(NO_HASH):
        raise ValueError("An anchor is a number, a colon and 64 hexadecimal digits.")
    return int(number), digest.lower()
