"""Runtime facts per credential, in this process only: who rests until when, how often it failed, what is in flight.

Keys are a credential's id, or a provider's id where no credential is needed; a rest may concern one model only.
A *hard* rest was asked for by the upstream and strikes the candidate out; a *soft* one is our own guess and only
sends it to the end of the line, so that a guess alone never refuses a call. Times are `clock.monotonic()` seconds.
"""

from dataclasses import dataclass
from uuid import UUID

from proxx.kit import clock

Key = UUID | str

# Model names come from callers: beyond this many entries the past ones are swept out.
SWEEP_AT = 4096


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when, and whether the upstream asked for it."""

    until: float
    is_soft: bool


rests: dict[tuple[Key, str], Rest] = {}
_streaks: dict[tuple[Key, str], int] = {}
_in_flight: dict[Key, int] = {}


def resting(key: Key, model: str, now: float) -> float | None:
    """Return how many seconds the credential still rests for this model, hard or soft; nothing if it does not."""
    found = rest_of(key, model, now)
    return found.until - now if found else None


def rest_of(key: Key, model: str, now: float) -> Rest | None:
    """Return the rest that matters most now: a hard one before a soft one, then the longer one."""
    one, other = rests.get((key, "")), rests.get((key, model))
    if one is not None and one.until <= now:
        one = None
    if other is None or other.until <= now:
        return one
    return other if one is None or (not other.is_soft, other.until) > (not one.is_soft, one.until) else one


def rest(key: Key, seconds: float, *, model: str = "", is_soft: bool = False) -> None:
    """Let a credential rest (for one model, if named); a rest never becomes shorter or softer by another."""
    _sweep()
    now = clock.monotonic()
    before = rests.get((key, model))
    if before and before.until > now:
        is_soft = is_soft and before.is_soft
        seconds = max(seconds, before.until - now)
    rests[key, model] = Rest(now + seconds, is_soft)


def failed(key: Key, *, model: str = "") -> int:
    """Count one failure and return the length of the streak; many calls that fail during one rest count once."""
    before = rests.get((key, model))
    if not (before and before.until > clock.monotonic()) or (key, model) not in _streaks:
        _streaks[key, model] = _streaks.get((key, model), 0) + 1
    return _streaks[key, model]


def good(key: Key, model: str = "") -> None:
    """Note a success: the streak ends, and our own guesses with it; what the upstream asked for stays."""
    for place in ((key, ""), (key, model)):
        _streaks.pop(place, None)
        found = rests.get(place)
        if found and (found.is_soft or found.until <= clock.monotonic()):
            del rests[place]


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


def in_flight(key: Key) -> int:
    """Return how many attempts are under way."""
    return _in_flight.get(key, 0)


def all_in_flight() -> int:
    """Return how many attempts are under way in this process, over all credentials."""
    return sum(_in_flight.copy().values())


def forget(key: Key | None = None) -> None:
    """Forget all facts of one credential (it was changed or switched on again), or of all."""
    for facts in (rests, _streaks):
        for place in [place for place in facts if key is None or place[0] == key]:
            facts.pop(place, None)


def _sweep() -> None:
    if len(rests) + len(_streaks) < SWEEP_AT:
        return
    now = clock.monotonic()
    for place in [place for place, rest in rests.items() if rest.until <= now]:
        del rests[place]
    for place in [place for place in _streaks if place not in rests]:
        del _streaks[place]
