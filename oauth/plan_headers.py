"""How much is left, as providers say it in the headers of every answer. Pure, and cheap: it runs once per answer.

Each style is a family of headers with a prefix of its own; a provider's entry names its styles. What a provider says
when it is asked is plan_usage.py.
"""

from collections.abc import Callable, Iterable

from oauth.plan_usage import FIVE_HOURS, WEEK, PlanUsage, Window, believed, moment, name_of
from proxx.kit import clock
from proxx.upstream.failures import wait
from proxx.upstream.message import HeaderList

Said = dict[str, str]

SHORTEST_NAME = 17  # characters: no header that matters here has a shorter name


def read(styles: Iterable[str], raw_headers: HeaderList) -> PlanUsage | None:
    """Return what the headers say, of the first style that says anything; nothing if none does."""
    for style in styles:
        if style not in STYLES:
            continue  # one that is only asked
        prefix, told = STYLES[style]
        said = {
            low[len(prefix) :].decode("latin-1"): value.decode("latin-1").strip()
            for name, value in raw_headers
            if len(name) >= SHORTEST_NAME and (low := name.lower()).startswith(prefix)
        }
        if said and (usage := told(said)) is not None:
            return usage
    return None


def _codex(said: Said) -> PlanUsage | None:
    windows = []
    for place, usual in (("primary", FIVE_HOURS), ("secondary", WEEK)):
        used, minutes = _number(said, f"{place}-used-percent"), _number(said, f"{place}-window-minutes")
        if used is None or (
            minutes is not None and minutes <= 0
        ):  # an account without a second window names one of no length
            continue
        seconds = minutes * 60 if minutes else usual
        resets_at, after = moment(said.get(f"{place}-reset-at")), _number(said, f"{place}-reset-after-seconds")
        if resets_at is None and after is not None:
            resets_at = believed(clock.unix() + after)
        windows.append(Window(name_of(seconds), _percent(used), resets_at, seconds))
    if not windows:
        return None
    has_credits = _is(said, "credits-unlimited") or (
        _is(said, "credits-has-credits") and (_number(said, "credits-balance") or 0) > 0
    )
    return PlanUsage(tuple(windows), plan=said.get("plan-type", "").lower()[:64], has_credits=has_credits)


def _anthropic(said: Said) -> PlanUsage | None:
    """Of a Claude plan: the share that is used is a fraction here. Windows of single models are not the account's."""
    windows = []
    for word, seconds in (("5h", FIVE_HOURS), ("7d", WEEK)):
        used = _number(said, f"{word}-utilization")
        if used is not None:
            windows.append(Window(name_of(seconds), _percent(used * 100), moment(said.get(f"{word}-reset")), seconds))
    if not windows:
        return None
    return PlanUsage(
        tuple(windows),
        stopped=said.get("status") == "rejected",
        has_credits=said.get("overage-status") == "allowed",
    )


def _by_minute(said: Said) -> PlanUsage | None:
    """Of limits by the minute: requests and tokens, each with what is left and when it is full again."""
    windows = []
    for name in said:
        if not name.startswith("limit-"):
            continue
        what = name.removeprefix("limit-")
        limit, left = _number(said, name), _number(said, f"remaining-{what}")
        if not limit or left is None:
            continue
        after = wait.parse(said.get(f"reset-{what}", ""))
        resets_at = None if after is None else clock.unix() + max(after, 0.0)
        windows.append(Window(what[:40], _percent(100 - left / limit * 100), believed(resets_at)))
    return PlanUsage(tuple(windows[:4])) if windows else None


def _number(said: Said, name: str) -> float | None:
    try:
        found = float(said.get(name, ""))
    except ValueError:
        return None
    return found if abs(found) < 1e15 else None  # neither nan nor infinity passes


def _percent(used: float) -> float:
    return min(max(used, 0.0), 100.0)


def _is(said: Said, name: str) -> bool:
    return said.get(name, "").lower() in ("true", "1")


STYLES: dict[str, tuple[bytes, Callable[[Said], PlanUsage | None]]] = {
    "codex": (b"x-codex-", _codex),
    "anthropic": (b"anthropic-ratelimit-unified-", _anthropic),
    "by_minute": (b"x-ratelimit-", _by_minute),
}
