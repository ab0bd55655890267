"""How much of an account's plan is left: what providers say when they are asked, in one shape.

`ask` asks one account and returns what it said; storing it and acting on it is routing's (quota.py, quota_refresh.py).
What answers to calls say in their headers is plan_headers.py. A window is known by its length, never by its place in
the answer: an account with a weekly window alone names it first.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from proxx.kit import clock, fastjson
from proxx.upstream import auth, client, codex, failures
from proxx.upstream.failures import wait
from proxx.upstream.message import HeaderList, Timeouts, UpstreamRequest

FIVE_HOURS, DAY, WEEK, MONTH = 5 * 3600.0, 86400.0, 7 * 86400.0, 30 * 86400.0
NAMES = {"five_hour": FIVE_HOURS, "daily": DAY, "weekly": WEEK, "monthly": MONTH}
LONGEST = 40 * DAY  # an end that is farther away is a mistake of the provider
ALIKE = 0.1  # a window that is this much longer or shorter still has the name
ANSWER_LIMIT = 1024 * 1024
REVIEW = "code_review_"  # begins the names of windows that only reviews of code use up
TRANSPORT_FAULTS = tuple(fault for fault, _ in failures.EXCEPTIONS)
# The account is no member of that workspace any more: it may still have a plan of its own.
WORKSPACE_CODES = ("deactivated_workspace", "invalid_workspace")


class UsageUnknown(Exception):
    """The provider did not say how much is left; the text is one sentence for the operator."""


@dataclass(frozen=True, slots=True)
class Window:
    """So much of a limit is used, in percent; it begins anew at `resets_at` (seconds since 1970).

    `seconds` is its length; nothing for a limit by the minute, which is full again soon.
    """

    name: str
    used: float
    resets_at: float | None = None
    seconds: float | None = None

    @property
    def is_ours(self) -> bool:
        """Tell whether calls through proxx use it up, so that its end concerns them."""
        return not self.name.startswith(REVIEW)


@dataclass(frozen=True, slots=True)
class PlanUsage:
    """What is known of a plan. `stopped`: the provider says it takes no calls now. `has_credits`: it takes them when
    the windows are used up. `wrong_workspace`: it answered only without the workspace that the account names."""

    windows: tuple[Window, ...]
    plan: str = ""
    stopped: bool = False
    has_credits: bool = False
    wrong_workspace: bool = False


async def ask(style: str, *, base_url: str, secret: str, account_id: str, seconds: float) -> PlanUsage:
    """Ask how much of a plan is left, within so many seconds; `style` is a name in `STYLES`.

    Raises `UsageUnknown`. `account_id` is the ChatGPT workspace, where there is one.
    """
    path, read = STYLES[style]
    url, who = path(base_url), codex.usual() if style == "codex" else [(b"user-agent", b"proxx")]
    usage, code = await _asked(url, secret, account_id, seconds, read, who)
    if usage is None and account_id and code in WORKSPACE_CODES:
        usage, code = await _asked(url, secret, "", seconds, read, who)
        if usage is not None:
            return replace(usage, wrong_workspace=True)
    if usage is None:
        raise UsageUnknown(code)
    return usage


async def _asked(
    url: str,
    secret: str,
    account_id: str,
    seconds: float,
    read: Callable[[Mapping[str, Any]], PlanUsage],
    who: HeaderList,
) -> tuple[PlanUsage | None, str]:
    """Return what was said; else nothing, and the provider's code or a sentence."""
    headers = [(b"accept", b"application/json"), (b"accept-encoding", b"identity"), *who]
    try:
        headers += [*auth.headers("bearer", secret), *auth.workspace(account_id)]
        timeouts = Timeouts(connect=seconds, headers=seconds, idle=seconds)
        response = await client.send(UpstreamRequest("GET", client.url(url), headers, b"", timeouts))
        try:
            body = await response.read(ANSWER_LIMIT)
        finally:
            await response.aclose()
        if response.status != 200:
            failure = failures.classify(response.status, response.headers, body)
            return None, failure.code if failure.code in WORKSPACE_CODES else f"The provider said {response.status}."
        said = fastjson.loads(body)
        if not isinstance(said, dict):
            return None, "The answer is not what it should be."
        usage = read(said)
    except (ValueError, TypeError, KeyError):
        return None, "The answer is not what it should be."
    except TRANSPORT_FAULTS as fault:
        return None, failures.from_exception(fault).message
    return (usage, "") if usage.windows else (None, "The answer names no limits.")


def codex_usage(said: Mapping[str, Any]) -> PlanUsage:
    """Read the answer of `wham/usage`, perhaps under `usage`, in either spelling."""
    inner = said.get("usage")
    whole = inner if isinstance(inner, dict) else said
    limit = _of(whole, "rate_limit", "rateLimit")
    review = _windows(_of(whole, "code_review_rate_limit", "codeReviewRateLimit"))
    windows = [*_windows(limit), *(replace(one, name=f"{REVIEW}{one.name}") for one in review)]
    credits = _of(whole, "credits")
    return PlanUsage(
        tuple(windows),
        plan=str(_of(whole, "plan_type", "planType") or "").lower()[:64],
        stopped=_of(limit, "allowed") is False or _of(limit, "limit_reached", "limitReached") is True,
        has_credits=_of(credits, "unlimited") is True
        or (_of(credits, "has_credits", "hasCredits") is True and (_number(_of(credits, "balance")) or 0) > 0),
    )


def zai_usage(said: Mapping[str, Any]) -> PlanUsage:
    """Read z.ai's answer: a list of limits, or windows under one of many names."""
    inner = said.get("data")
    whole = inner if isinstance(inner, dict) else said
    plan = str(_of(whole, "level", "plan", "planName") or "").lower()[:64]
    limits = whole.get("limits")
    if isinstance(limits, list):
        return PlanUsage(tuple(filter(None, map(_zai_limit, limits))), plan=plan)
    nested = _of(whole, "rate_limit", "rateLimit")
    short = _of(whole, *_ZAI_SHORT) or _of(nested, "primary_window", "primaryWindow")
    long = _of(whole, *_ZAI_LONG) or _of(nested, "secondary_window", "secondaryWindow")
    return PlanUsage(tuple(filter(None, (_window(short, FIVE_HOURS), _window(long, WEEK)))), plan=plan)


def name_of(seconds: float) -> str:
    """Return the name of a window of that length: one that people know, else its hours."""
    for name, usual in NAMES.items():
        if abs(seconds - usual) <= usual * ALIKE:
            return name
    return f"{seconds / 3600:g} h"


def moment(said: Any) -> float | None:
    """Read a moment as seconds since 1970: seconds, milliseconds, or an ISO time."""
    if isinstance(said, bool) or said in (None, "", 0, "0") or str(said).strip().startswith("-"):
        return None
    left = wait.parse(str(said))
    return None if left is None else believed(clock.unix() + left)


def believed(resets_at: float | None) -> float | None:
    """Return the end of a window, unless it is one that no window has: then nothing is known of it."""
    return resets_at if resets_at is not None and 0 < resets_at <= clock.unix() + LONGEST else None


def _windows(limit: Any) -> list[Window]:
    """Read the windows of one limit of Codex."""
    places = (("primary", FIVE_HOURS), ("secondary", WEEK))
    found = (_window(_of(limit, f"{name}_window", f"{name}Window", name), usual) for name, usual in places)
    return [one for one in found if one is not None]


def _window(said: Any, usual: float) -> Window | None:
    """Read a window in any of the spellings; one without a length has the usual one of its place."""
    if not isinstance(said, dict):
        return None
    used = next((found for name in _USED if (found := _number(said.get(name))) is not None), None)
    if used is None:
        part, whole = _number(said.get("used")), _number(said.get("total"))
        if part is None or not whole:
            return None
        used = part / whole * 100
    seconds = _number(_of(said, "limit_window_seconds", "limitWindowSeconds")) or usual
    resets_at = next((found for name in _RESETS if (found := moment(said.get(name))) is not None), None)
    after = _number(_of(said, "reset_after_seconds", "resetAfterSeconds"))
    if resets_at is None and after is not None:
        resets_at = believed(clock.unix() + after)
    return Window(name_of(seconds), min(max(used, 0.0), 100.0), resets_at, seconds)


def _zai_limit(said: Any) -> Window | None:
    """Read one of z.ai's limits; those on tools, which no model call uses, are left out."""
    if not isinstance(said, dict) or said.get("type") not in (None, "TOKENS_LIMIT"):
        return None
    unit, number = _ZAI_UNITS.get(said.get("unit", 0)), _number(said.get("number")) or 1.0
    used = _number(said.get("percentage"))
    if used is None or unit is None:
        return None
    seconds = unit * number
    return Window(name_of(seconds), min(max(used, 0.0), 100.0), moment(said.get("nextResetTime")), seconds)


def _of(said: Any, *names: str) -> Any:
    """Return the first of these members that says anything; nothing of what is no object."""
    if not isinstance(said, dict):
        return None
    return next((said[name] for name in names if said.get(name) is not None), None)


def _number(said: Any) -> float | None:
    if isinstance(said, bool) or not isinstance(said, int | float | str):
        return None
    try:
        found = float(said)
    except ValueError:
        return None
    return found if abs(found) < 1e15 else None  # neither nan nor infinity passes


def _codex_url(base_url: str) -> str:
    return base_url.rstrip("/").removesuffix("/codex") + "/wham/usage"


def _zai_url(base_url: str) -> str:
    parts = urlsplit(base_url)
    return urlunsplit((parts.scheme, parts.netloc, "/api/monitor/usage/quota/limit", "", ""))


_USED = (
    *("used_percent", "usedPercent", "usage_percent", "usagePercent", "percent", "percentUsed", "percentage"),
    "used_percentage",
)
_RESETS = ("reset_at", "resetAt", "resets_at", "resetTime", "reset_time", "expireAt", "expire_at", "nextResetTime")
_ZAI_SHORT = ("primary", "fiveHour", "five_hour", "hour5", "shortTerm", "short_term")
_ZAI_LONG = ("secondary", "weekly", "week", "weeklyQuota", "weekly_quota", "longTerm", "long_term")
_ZAI_UNITS = {1: DAY, 3: 3600.0, 5: MONTH, 6: WEEK}

# Where to ask, and how to read what is said. A provider's entry names its style.
STYLES: dict[str, tuple[Callable[[str], str], Callable[[Mapping[str, Any]], PlanUsage]]] = {
    "codex": (_codex_url, codex_usage),
    "zai": (_zai_url, zai_usage),
}
