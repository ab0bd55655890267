"""Runtime facts per credential, in this process only: who rests until when, how often it failed, what is in flight,
how soon it usually speaks.

Keys are a credential's id, or a provider's id where no credential is needed; a rest may concern one model only.
A *hard* rest was asked for by the upstream and strikes the candidate out; a *soft* one is our own guess and only
sends it to the end of the line, so that a guess alone never refuses a call. Times are `clock.monotonic()` seconds.
"""

from dataclasses import dataclass
from uuid import UUID

from proxx.kit import clock

Key = UUID | str

# Model names come from callers: beyond this many of one credential the past ones are swept out.
MODELS_AT_MOST = 256
# How much the newest wait counts: after five as many calls the past is a third of the picture.
NEWEST = 0.2


@dataclass(frozen=True, slots=True)
class Rest:
    """Until when, and whether the upstream asked for it."""

    until: float
    is_soft: bool


# By credential, then by model; "" stands for all models. No entry: nothing to consider, which is the usual case.
rests: dict[Key, dict[str, Rest]] = {}
_streaks: dict[Key, dict[str, int]] = {}
_in_flight: dict[Key, int] = {}
_waits: dict[Key, dict[str, float]] = {}  # by credential, then by model


def resting(key: Key, model: str, now: float) -> float | None:
    """Return how many seconds the credential still rests for this model, hard or soft; nothing if it does not."""
    found = rest_of(key, model, now)
    return found.until - now if found else None


def rest_of(key: Key, model: str, now: float) -> Rest | None:
    """Return the rest that matters most now: a hard one before a soft one, then the longer one."""
    own = rests.get(key)
    if own is None:
        return None
    for place in ("", model):
        if place in own and own[place].until <= now:
            del own[place]
    if not own:
        rests.pop(key, None)
        return None
    one, other = own.get(""), own.get(model)
    if one is None or other is None:
        return one or other
    return max(one, other, key=lambda rest: (not rest.is_soft, rest.until))


def rest(key: Key, seconds: float, *, model: str = "", is_soft: bool = False) -> None:
    """Let a credential rest (for one model, if named); a rest never becomes shorter or softer by another."""
    own = rests.setdefault(key, {})
    now = clock.monotonic()
    before = own.get(model)
    if before and before.until > now:
        is_soft = is_soft and before.is_soft
        seconds = max(seconds, before.until - now)
    own[model] = Rest(now + seconds, is_soft)
    if len(own) > MODELS_AT_MOST:
        _sweep(key, now)


def failed(key: Key, *, model: str = "") -> int:
    """Count one failure and return the length of the streak; many calls that fail during one rest count once."""
    before = rests.get(key, {}).get(model)
    own = _streaks.setdefault(key, {})
    if model not in own or not (before and before.until > clock.monotonic()):
        own[model] = own.get(model, 0) + 1
    return own[model]


def good(key: Key, model: str = "") -> None:
    """Note a success: the streak ends, and our own guesses with it; what the upstream asked for stays."""
    streaks, own = _streaks.get(key), rests.get(key)
    for place in ("", model):
        if streaks:
            streaks.pop(place, None)
        if own and place in own and (own[place].is_soft or own[place].until <= clock.monotonic()):
            del own[place]
    if streaks is not None and not streaks:
        del _streaks[key]
    if own is not None and not own:
        rests.pop(key, None)


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


def spoke(key: Key, model: str, seconds: float) -> None:
    """Note how long a call waited for the first event of a stream: a moving average, per model."""
    own = _waits.setdefault(key, {})
    before = own.get(model)
    if before is None and len(own) >= MODELS_AT_MOST:
        del own[next(iter(own))]
    own[model] = seconds if before is None else before + NEWEST * (seconds - before)


def first_event(key: Key, model: str) -> float | None:
    """Return how many seconds the first event usually takes; nothing if it was never measured."""
    own = _waits.get(key)
    return own.get(model) if own is not None else None


def forget(key: Key | None = None) -> None:
    """Forget all facts of one credential (it was changed or switched on again), or of all."""
    for facts in (rests, _streaks, _waits):
        if key is None:
            facts.clear()
        facts.pop(key or "", None)


def _sweep(key: Key, now: float) -> None:
    rests[key] = {place: rest for place, rest in rests[key].items() if rest.until > now}
    _streaks[key] = {place: length for place, length in _streaks.get(key, {}).items() if place in rests[key]}
