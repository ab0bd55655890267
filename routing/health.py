"""Runtime facts per credential, as this process knows them: who rests until when and why, how often it failed, what is
in flight, how soon it usually speaks.

Keys are a credential's id, a provider's id where no credential is needed, or a *site*: a provider at one address. A
rest may concern one model only. A *hard* rest was asked for by the upstream and strikes the candidate out; a *soft* one
is our own guess and only sends it to the end of the line, so that a guess alone never refuses a call. An *open circuit*
follows many failures in a row: a hard rest at whose end one call at a time may try; its success closes the circuit.

Times are `clock.monotonic()` seconds. How other processes learn of it, and the next start, is health_sharing.py.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from uuid import UUID

from proxx.kit import clock

Key = UUID | str
Spot = tuple[Key, str]  # what rests: a key, and a model or ""

# Model names come from callers: beyond this many of one credential the past ones are swept out.
MODELS_AT_MOST = 256
USUAL_AT_MOST = 10_000
# How much the newest wait counts: after five as many calls the past is a third of the picture.
NEWEST = 0.2
PROBE_SECONDS = 1.0  # when a call that found the one probe under way may come again


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when, whether it is only our guess, the kind of failure it follows, and whether it is an open circuit."""

    until: float
    is_soft: bool
    kind: str = ""
    is_open: bool = False


@dataclass(slots=True)
class Streak:
    """Failures in a row. `length` counts those during one rest once, `failures` each, `openings` those of a circuit;
    `kind` is that of the last one."""

    length: int = 0
    failures: int = 0
    openings: int = 0
    kind: str = ""


# By credential, then by model; "" stands for all models. No entry: nothing to consider, which is the usual case.
rests: dict[Key, dict[str, Rest]] = {}
streaks: dict[Key, dict[str, Streak]] = {}
# By site, the accounts that could not connect since anybody could.
unreached: dict[str, set[Key]] = {}
# Called with `rest`, `good` or `clear` and the spot whenever a fact changes that others should know.
listeners: list[Callable[[str, Key, str], None]] = []
_probes: set[Spot] = set()
_in_flight: dict[Key, int] = {}
ended: list[Callable[[], None]] = []  # who hears that an attempt has ended
_waits: dict[Key, dict[str, float]] = {}  # by credential, then by model
_usual: dict[str, float] = {}  # by model, whoever served it


def resting(key: Key, model: str, now: float) -> float | None:
    """Return how many seconds the credential still rests for this model, hard or soft; nothing if it does not."""
    found = rest_of(key, model, now)
    return found.until - now if found else None


def rest_of(key: Key, model: str, now: float) -> Rest | None:
    """Return the rest that matters most now: a hard one before a soft one, then the longer one.

    A circuit whose time is over is none, unless somebody is trying it just now.
    """
    own = rests.get(key)
    if own is None:
        return None
    strongest: Rest | None = None
    for place in ("", model) if model else ("",):
        found = own.get(place)
        if found is None:
            continue
        if found.until <= now:
            if not found.is_open:
                del own[place]
                continue
            if (key, place) not in _probes:
                continue
            found = replace(found, until=now + PROBE_SECONDS)
        strongest = _stronger(strongest, found)
    if not own:
        rests.pop(key, None)
    return strongest


def standing(key: Key, site: str, model: str, now: float) -> Rest | None:
    """Return what keeps a credential from being asked for a model now: a rest of its own, or of its provider's site."""
    own = rest_of(key, model, now) if key in rests else None
    return _stronger(own, rest_of(site, "", now)) if site in rests else own


def is_troubled(key: Key, site: str) -> bool:
    """Tell whether anything is known against a credential or its provider's site, even if it is over."""
    return key in streaks or site in streaks or site in unreached or key in rests or site in rests


def rest(
    key: Key, seconds: float, *, model: str = "", is_soft: bool = False, kind: str = "", is_open: bool = False
) -> None:
    """Let a credential rest (for one model, if named); a rest never becomes shorter or softer by another."""
    own = rests.setdefault(key, {})
    now = clock.monotonic()
    new = Rest(now + seconds, is_soft, kind, is_open)
    before = own.get(model)
    if before and before.until > now:
        lead = before if _stronger(before, new) is before else new
        new = Rest(
            max(before.until, new.until), is_soft and before.is_soft, lead.kind or kind, is_open or before.is_open
        )
    own[model] = new
    if len(own) > MODELS_AT_MOST:
        _sweep(key, now)
    _changed("rest", key, model)


def open_circuit(key: Key, *, model: str, kind: str, seconds: float, longest: float) -> None:
    """Open the circuit of a spot, each time in a row for twice as long; one that is open already stays as it is."""
    found = rests.get(key, {}).get(model)
    if found is not None and found.is_open and found.until > clock.monotonic():
        return
    if found is not None and found.is_soft:
        del rests[key][model]  # a guess must not make it longer
    streak = streaks.setdefault(key, {}).setdefault(model, Streak())
    streak.openings += 1
    rest(key, min(seconds * 2 ** min(streak.openings - 1, 30), longest), model=model, kind=kind, is_open=True)


def failed(key: Key, *, model: str = "", kind: str = "") -> Streak:
    """Count one failure and return the streak; for its length many calls that fail during one rest count once."""
    before = rests.get(key, {}).get(model)
    streak = streaks.setdefault(key, {}).setdefault(model, Streak())
    streak.failures += 1
    streak.kind = kind
    if not streak.length or not (before and before.until > clock.monotonic()):
        streak.length += 1
    return streak


def good(key: Key, model: str = "") -> None:
    """Note a success: streak and circuit end, and our own guesses with them; what the upstream asked for stays."""
    known, own = streaks.get(key), rests.get(key)
    if known is None and own is None:
        return
    for place in ("", model) if model else ("",):
        ended = known is not None and known.pop(place, None) is not None
        found = own.get(place) if own else None
        if own and found and (found.is_soft or found.is_open or found.until <= clock.monotonic()):
            del own[place]
            ended = True
        if ended:
            _changed("good", key, place)
    _tidy(key)


def clear(key: Key, model: str | None = None) -> None:
    """Drop what is known against a credential, for one model ("" is all models together) or, without one, of any kind,
    as an operator asks."""
    places = {*rests.get(key, ()), *streaks.get(key, ())} if model is None else {model}
    for place in places:
        rests.get(key, {}).pop(place, None)
        streaks.get(key, {}).pop(place, None)
        _probes.discard((key, place))
        _changed("clear", key, place)
    _tidy(key)
    if isinstance(key, str):
        unreached.pop(key, None)


def unreachable(site: str, key: Key) -> int:
    """Note that an account could not connect to a site; return how many could not since anybody could."""
    accounts = unreached.setdefault(site, set())
    accounts.add(key)
    return len(accounts)


def reached(key: Key, site: str, model: str) -> None:
    """Note that a candidate has begun to answer: failures are no longer in a row, and its circuits close at once,
    without waiting for its last word."""
    if unreached.pop(site, None) is not None:
        good(site)
    for spot in ((key, ""), (key, model), (site, "")):
        streak, found = streaks.get(spot[0], {}).get(spot[1]), rests.get(spot[0], {}).get(spot[1])
        if streak is not None:
            streak.failures = 0
        if found is not None and found.is_open:
            good(*spot)


def begin_probe(key: Key, site: str, model: str) -> tuple[Spot, ...]:
    """Take the one try that half-open circuits allow; return their spots, for `end_probe`. Ask `standing` first."""
    now = clock.monotonic()
    spots: set[Spot] = {(key, ""), (key, model), (site, "")}
    taken = tuple(
        spot for spot in spots if (found := rests.get(spot[0], {}).get(spot[1])) and _is_half_open(found, now)
    )
    _probes.update(taken)
    return taken


def end_probe(spots: tuple[Spot, ...]) -> None:
    """Give the one try back, however it ended."""
    _probes.difference_update(spots)


def begin(key: Key) -> None:
    """Note that an attempt has begun."""
    _in_flight[key] = _in_flight.get(key, 0) + 1


def done(key: Key) -> None:
    """Note that an attempt has ended, however it did."""
    left = _in_flight.get(key, 0) - 1
    if left > 0:
        _in_flight[key] = left
    else:
        _in_flight.pop(key, None)
    for hear in ended:
        hear()


def in_flight(key: Key) -> int:
    """Return how many attempts are under way."""
    return _in_flight.get(key, 0)


def all_in_flight() -> int:
    """Return how many attempts are under way in this process, over all credentials."""
    return sum(_in_flight.copy().values())


def spoke(key: Key, model: str, seconds: float) -> None:
    """Note how long a call waited for the first event of a stream: a moving average, per model."""
    for waits, at_most in ((_waits.setdefault(key, {}), MODELS_AT_MOST), (_usual, USUAL_AT_MOST)):
        before = waits.get(model)
        if before is None and len(waits) >= at_most:
            del waits[next(iter(waits))]
        waits[model] = seconds if before is None else before + NEWEST * (seconds - before)


def usual_wait(model: str) -> float | None:
    """Return how long the first event of a model usually takes, by all accounts; nothing if it was never measured."""
    return _usual.get(model)


def first_event(key: Key, model: str) -> float | None:
    """Return how many seconds the first event usually takes; nothing if it was never measured."""
    own = _waits.get(key)
    return own.get(model) if own is not None else None


def forget(key: Key | None = None) -> None:
    """Forget all facts of one credential (it was changed or switched on again), or of all."""
    if key is None:
        for facts in (rests, streaks, unreached, _waits, _usual, _probes):
            facts.clear()
        return
    clear(key)
    _waits.pop(key, None)


def _stronger(one: Rest | None, other: Rest | None) -> Rest | None:
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda rest: (not rest.is_soft, rest.until))


def _is_half_open(found: Rest | None, now: float) -> bool:
    return found is not None and found.is_open and found.until <= now


def _changed(what: str, key: Key, model: str) -> None:
    for listener in listeners:
        listener(what, key, model)


def _tidy(key: Key) -> None:
    if not rests.get(key, True):
        del rests[key]
    if not streaks.get(key, True):
        del streaks[key]


def _sweep(key: Key, now: float) -> None:
    """Drop the past; if the present is too much, what ends soonest."""
    lasting = [(place, found) for place, found in rests[key].items() if found.until > now]
    lasting.sort(key=lambda row: row[1].until, reverse=True)
    rests[key] = dict(lasting[:MODELS_AT_MOST])
    streaks[key] = {place: streak for place, streak in streaks.get(key, {}).items() if place in rests[key]}
