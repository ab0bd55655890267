"""What each account has left in its windows, as far as it is known: the picture in this process's memory.

It is fed by what answers say in their headers (`heard`), by refusals (`refused`), and by what other processes and the
periodic job learned (quota_share.py, quota_refresh.py). The planner strikes out who is in `spent`, which is empty while
nobody is; `quota_first` orders by `rank`. Nothing here is configuration, and nothing waits. Windows end at a time of
day, rests and ranks by the stopwatch (`clock.monotonic()`).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from django.conf import settings

from oauth import plan_headers
from oauth.plan_usage import FIVE_HOURS, WEEK, PlanUsage, Window, believed, name_of
from proxx.kit import clock
from proxx.upstream.failures import Failure
from proxx.upstream.message import HeaderList
from routing.plan import Candidate, Key

EARSHOT = 1.0  # seconds in which an account's answers are read once: they say nearly the same
UNSAID = 300.0  # seconds an account is left alone that takes no calls and does not say until when
SPENT = 100.0  # percent of a limit by the minute
SAME = 2.0  # seconds by which two ways to say the same moment may differ
SAME_END = 60.0  # seconds by which two processes may differ on when a plan's window ends
IN_PART = ("headers", "refused")  # sources that speak of some windows, not of all
LONG_WAIT = 6 * 3600.0  # who is sent away for longer has used up more than five hours' worth

# Ranks of `quota_first`; between them and BEGUN_ONCE stands when the longest window ends.
UNTOUCHED, UNKNOWN, BEGUN_ONCE = -2.0, -1.0, 1e18


@dataclass(frozen=True, slots=True)
class Standing:
    """What is known of one account, since when (seconds since 1970), and how: asked, headers or refused."""

    usage: PlanUsage
    heard_at: float
    source: str


standings: dict[Key, Standing] = {}
# Who takes no calls now, and until when. No entry: nothing to consider, which is the usual case.
spent: dict[Key, float] = {}
# What this process learned by itself and has not told yet.
news: dict[UUID, Standing] = {}

_ranks: dict[Key, float] = {}
_changes: dict[Key, float] = {}  # when the next window of an account ends: its rank is another one then
_next_change = float("inf")
_deaf_until: dict[Key, float] = {}


def heard(candidate: Candidate, raw_headers: HeaderList) -> None:
    """Take in what an answer's headers say of its account; for providers whose entry names a quota style."""
    now = clock.monotonic()
    key = candidate.key
    if not isinstance(key, UUID) or now < _deaf_until.get(key, 0.0):
        return
    _deaf_until[key] = now + EARSHOT
    usage = plan_headers.read(candidate.provider.quota, raw_headers)
    if usage is not None:
        note(key, Standing(joined(standings.get(key), usage), clock.unix(), "headers"), is_news=True)


def refused(candidate: Candidate, failure: Failure) -> None:
    """Take in that an account's quota is spent, as a refusal says with the time of its return."""
    key, wait = candidate.key, failure.retry_after
    if failure.kind != "quota_spent" or not isinstance(key, UUID) or wait is None or not candidate.provider.quota:
        return
    known = spent.get(key)
    if known is not None and known >= clock.monotonic() + wait - SAME:
        return  # the headers of the same answer said it of the right window
    seconds = WEEK if wait > LONG_WAIT else FIVE_HOURS
    full = Window(name_of(seconds), 100.0, clock.unix() + wait, seconds)
    note(key, Standing(joined(standings.get(key), PlanUsage((full,))), clock.unix(), "refused"), is_news=True)


def note(key: Key, standing: Standing, *, is_news: bool = False) -> None:
    """Keep what is known of an account beside what was known; `is_news`: this process heard it and tells others."""
    told = standing
    if not is_news and (before := standings.get(key)) is not None:
        standing = merged(before, told)
    standings[key] = standing
    if isinstance(key, UUID) and (is_news or (key in news and standing is not told)):
        news[key] = standing
    else:
        news.pop(key, None)  # type: ignore[arg-type]  # others know it
    _judge(key, standing, clock.monotonic())


def merged(one: Standing, other: Standing) -> Standing:
    """Return what two processes know of an account, which may have heard of different windows of it.

    The younger holds, with windows that only the older knows, or knows to be fuller: a plan's window only fills until
    it ends. A complete answer holds alone.
    """
    older, younger = (one, other) if one.heard_at <= other.heard_at else (other, one)
    if younger.source not in IN_PART:
        return younger
    known = {window.name: window for window in younger.usage.windows}
    missed = [window for window in windows_now(older.usage) if _is_ahead(window, known.get(window.name))]
    if not missed:
        return younger
    windows = {**known, **{window.name: window for window in missed}}
    usage = replace(younger.usage, windows=tuple(windows.values()), plan=younger.usage.plan or older.usage.plan)
    return replace(younger, usage=usage)


def spent_until(key: Key, now: float) -> float | None:
    """Return until when an account takes no calls, by the stopwatch; nothing if it does."""
    until = spent.get(key)
    if until is not None and until <= now:
        del spent[key]
        return None
    return until


def rank(key: Key) -> float:
    """Return an account's place in `quota_first`, lower first; call `renew` before."""
    return _ranks.get(key, UNKNOWN)


def ranked(candidates: Sequence[Candidate]) -> list[Candidate]:
    """Return candidates in the order of `quota_first`, equals as they were; call `renew` before."""
    get = _ranks.get
    places = [get(one.key, UNKNOWN) for one in candidates]
    return [candidates[place] for place in sorted(range(len(places)), key=places.__getitem__)]


def renew(now: float) -> None:
    """Rank those anew whose window has ended since."""
    global _next_change
    if now < _next_change:
        return
    for key in [key for key, at in _changes.items() if at <= now]:
        _judge(key, standings[key], now)
    _next_change = min(_changes.values(), default=float("inf"))


def windows_now(usage: PlanUsage) -> tuple[Window, ...]:
    """Return the windows as they stand: one whose end has passed is unused, and its next end is not known.

    Nor is an end that no window has, whoever told it: it would lock an account out for as long.
    """
    now = clock.unix()
    return tuple(_as_it_stands(one, now) for one in usage.windows)


def is_warning(window: Window) -> bool:
    """Tell whether a window is nearly used up."""
    return window.used >= settings.PROXY_QUOTA_WARN_PERCENT


def is_spent(window: Window) -> bool:
    """Tell whether a window counts as used up: a plan's a little before it is, a limit by the minute when it is."""
    return window.used >= (SPENT if window.seconds is None else settings.PROXY_QUOTA_SPENT_PERCENT)


def rests_until(usage: PlanUsage, heard_at: float) -> float | None:
    """Return until when (seconds since 1970) an account takes no calls that said this then; nothing if it does."""
    now = clock.unix()
    # Of limits by the minute the provider gives back a little each moment: who asks again too soon is told.
    over = [one for one in windows_now(usage) if one.seconds is not None and one.is_ours and is_spent(one)]
    if not usage.stopped and (not over or usage.has_credits):
        return None
    until = max((one.resets_at for one in over if one.resets_at is not None), default=heard_at + UNSAID)
    return until if until > now else None


def forget(key: Key | None = None) -> None:
    """Forget what is known of one account, or of all."""
    global _next_change
    for facts in (standings, spent, news, _ranks, _changes, _deaf_until):
        if key is None:
            facts.clear()
        else:
            facts.pop(key, None)  # type: ignore[arg-type]
    if key is None:
        _next_change = float("inf")


def _is_ahead(window: Window, of: Window | None) -> bool:
    """Tell whether one report of a window says more than another: it is of a later window, or of more use."""
    if of is None:
        return True
    if window.seconds is None or window.resets_at is None or of.resets_at is None:
        return False
    later = window.resets_at - of.resets_at
    return later > SAME_END or (later > -SAME_END and window.used > of.used)


def _as_it_stands(window: Window, now: float) -> Window:
    if window.resets_at is None:
        return window
    if believed(window.resets_at) is None:
        return replace(window, resets_at=None)
    return replace(window, used=0.0, resets_at=None) if window.resets_at <= now else window


def joined(before: Standing | None, usage: PlanUsage) -> PlanUsage:
    """Return what is newly said and, of windows that it does not mention, what was known."""
    if before is None:
        return usage
    named = {one.name for one in usage.windows}
    kept = tuple(one for one in windows_now(before.usage) if one.name not in named)
    return replace(usage, windows=(*usage.windows, *kept), plan=usage.plan or before.usage.plan)


def _judge(key: Key, standing: Standing, now: float) -> None:
    """Work out rank and rest of one account, and when they change by themselves."""
    global _next_change
    shift = now - clock.unix()
    usage = standing.usage
    until = rests_until(usage, standing.heard_at)
    if until is None:
        spent.pop(key, None)
    else:
        spent[key] = until + shift
    windows = windows_now(usage)
    _ranks[key] = _rank(windows, shift)
    ends = [one.resets_at for one in windows if one.resets_at is not None]
    _changes[key] = min(ends) + shift if ends else float("inf")
    _next_change = min(_next_change, _changes[key])


def _rank(windows: Iterable[Window], shift: float) -> float:
    plans = [one for one in windows if one.seconds is not None and one.is_ours]
    if not plans:
        return UNKNOWN
    if not any(one.used for one in plans):
        return UNTOUCHED
    longest = max(plans, key=lambda one: one.seconds or 0.0)
    return max(0.0, longest.resets_at + shift) if longest.resets_at is not None else BEGUN_ONCE
