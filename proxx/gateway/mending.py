"""A request that its provider rejected, asked once more without what it blamed.

Only what can be taken away without changing what is asked: a member nobody has to obey, a feature flag, seals on
earlier thinking, how much is thought. What a provider refuses of a model is remembered for a while, so that later calls
leave it out at once. A call whose caller wants no loss is never mended. The words of a rejection are read in
upstream/failures/complaints.py, bodies are edited in protocols/repairs.
"""

import re
from collections import OrderedDict
from dataclasses import dataclass, replace
from itertools import chain

from proxx.gateway import asking
from proxx.gateway.asking import FEATURES, Route
from proxx.gateway.call import Call
from proxx.kit import clock
from proxx.protocols.hub.losses import LIMIT
from proxx.protocols.hub.parts import Part
from proxx.protocols.repairs import members, seals, thinking
from proxx.protocols.repairs.thinking import Taken
from proxx.upstream.failures import Failure, complaints
from proxx.upstream.failures.complaints import Complaint, Path
from proxx.upstream.message import HeaderList
from routing.planner import Candidate

REMEMBERED = 3600.0  # seconds
MOST_MODELS = 1000
MOST_OF_ONE = 32
REFUSED = "the provider refused it"
UNREADABLE = "reasoning;the provider could not read its own seals"
NEAREST = "reasoning;the provider takes no such effort and was asked for the nearest"

Place = tuple[str, str, str]  # provider, model, dialect


@dataclass(frozen=True, slots=True)
class Refused:
    """What a provider does not take: a member of the body, perhaps under another name, or a feature of a header."""

    path: Path = ()
    instead: str = ""
    feature: str = ""


_known: OrderedDict[Place, dict[Refused, float]] = OrderedDict()  # and until when


def route(call: Call, candidate: Candidate) -> Route:
    """Return how a candidate is asked, less what it is known to refuse."""
    chosen = asking.route(call, candidate)
    return _mended(call, chosen) if _known or call.complaints else chosen


def continued(call: Call, chosen: Route, parts: tuple[Part, ...]) -> Route:
    """Return how a candidate is asked to go on with a turn that it paused, in the same way."""
    following = asking.continued(call, chosen, parts)
    return _mended(call, following) if _known or call.complaints else following


def headers(call: Call, chosen: Route, told: HeaderList) -> HeaderList:
    """Return the headers less the features that the candidate is known to refuse, and note those."""
    if not _known or call.strict:
        return told
    refused = {one.feature.encode() for one in _refused(_place(chosen.candidate)) if one.feature}
    return [line for line in (_without(line, refused, chosen) for line in told) if line] if refused else told


def learn(call: Call, chosen: Route, failure: Failure, body: bytes) -> bool:
    """Take to heart what a candidate blames; tell whether it may be asked once more, which is true once a call."""
    place = _place(chosen.candidate)
    if call.strict or not body or place in call.complaints:
        return False
    complaint = complaints.read(failure, body)
    if complaint is None:
        return False
    if complaint.blames == "features":
        refused = [Refused(feature=word) for word in _blamed(complaint, _features(call, chosen))]
    elif complaint.blames == "members":
        refused = [Refused(path, complaint.instead) for path in complaint.paths]
        if any(members.without(chosen.body, one.path, instead=one.instead) is chosen.body for one in refused):
            return False
    else:
        refused = []
        if _edited(chosen.body, chosen, complaint) is chosen.body:
            return False
    if complaint.blames in ("features", "members"):
        if not refused:
            return False
        _remember(place, refused)
    call.complaints[place] = complaint
    return True


def _mended(call: Call, chosen: Route) -> Route:
    if call.strict:
        return chosen
    place = _place(chosen.candidate)
    complaint, known = call.complaints.get(place), _refused(place)
    if complaint is None and not known:
        return chosen
    notes = list(chosen.notes)
    bodies = [_written(body, chosen, complaint, known, notes) for body in (chosen.body, *chosen.more)]
    return replace(chosen, body=bodies[0], more=tuple(bodies[1:]), notes=notes)


def _written(body: bytes, chosen: Route, complaint: Complaint | None, known: list[Refused], notes: list[str]) -> bytes:
    for one in known:
        left = members.without(body, one.path, instead=one.instead) if one.path else body
        if left is not body and not one.instead:
            _note(notes, f"{'.'.join(one.path)};{REFUSED}")
        body = left
    if complaint is None:
        return body
    edited = _edited(body, chosen, complaint)
    if edited is not body:
        _note(notes, UNREADABLE if complaint.blames == "seals" else NEAREST)
    return edited


def _edited(body: bytes, chosen: Route, complaint: Complaint) -> bytes:
    dialect = chosen.upstream.name
    if complaint.blames == "seals":
        return seals.without_seals(body, dialect)
    if complaint.blames == "effort":
        return thinking.with_effort(body, dialect, Taken(complaint.allowed, complaint.budget, complaint.way))
    return body


def _features(call: Call, chosen: Route) -> set[str]:
    """Return the features that were asked for, by whomever."""
    provider = ((name.lower().encode(), value.encode()) for name, value in chosen.candidate.provider.headers)
    wished = call.options.headers if call.options is not None else ()
    values = (value for name, value in chain(chosen.headers, provider, wished) if name == FEATURES)
    return {word.strip() for value in values for word in value.decode("latin-1").split(",") if word.strip()}


def _blamed(complaint: Complaint, asked: set[str]) -> list[str]:
    found = (word for word in sorted(asked) if re.search(rf"(?<![\w-]){re.escape(word)}(?![\w-])", complaint.message))
    return list(found)


def _without(line: tuple[bytes, bytes], refused: set[bytes], chosen: Route) -> tuple[bytes, bytes] | None:
    name, value = line
    if name != FEATURES:
        return line
    words = [word.strip() for word in value.split(b",") if word.strip()]
    kept = [word for word in words if word not in refused]
    if len(kept) == len(words):
        return line
    _note(chosen.notes, f"anthropic-beta;{REFUSED}")
    return (name, b",".join(kept)) if kept else None


def _note(notes: list[str], note: str) -> None:
    if note not in notes and len(notes) < LIMIT:
        notes.append(note)


def _place(candidate: Candidate) -> Place:
    return candidate.provider.id, candidate.model, candidate.protocol


def _refused(place: Place) -> list[Refused]:
    known = _known.get(place)
    if known is None:
        return []
    now = clock.monotonic()
    if any(until <= now for until in known.values()):
        for one in [one for one, until in known.items() if until <= now]:
            del known[one]
        if not known:
            del _known[place]
    return list(known)


def _remember(place: Place, refused: list[Refused]) -> None:
    known = _known.setdefault(place, {})
    _known.move_to_end(place)
    for one in refused:
        known.pop(one, None)
        known[one] = clock.monotonic() + REMEMBERED
    while len(known) > MOST_OF_ONE:
        del known[next(iter(known))]
    while len(_known) > MOST_MODELS:
        _known.popitem(last=False)
