"""When to come back: every way in which upstreams say it, as seconds from now.

Order of belief: a spent plan's own reset, `retry-after-ms`, `Retry-After`, delays in the body, reset headers, prose.
"""

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from proxx.kit import clock
from proxx.upstream.failures.body import Facts

LONGEST = 8 * 86400.0  # a week and a day: no limit lasts longer, so a longer time is a mistake of the upstream
EPOCH = 1e9  # a number above this is a moment, not a duration
EPOCH_MS = 1e12

UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
UNIT = r"(ms|milliseconds?|d(?:ays?)?|h(?:ours?|rs?)?|m(?:in(?:ute)?s?)?|s(?:ec(?:ond)?s?)?)(?![a-z])"
PART = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s?" + UNIT, re.IGNORECASE)
SPAN = re.compile(r"(?:\d{1,9}(?:\.\d{1,9})?\s?" + UNIT + r"[\s,]{0,2}(?:and )?)+", re.IGNORECASE)
PROSE = re.compile(r"\b(?:try(?:ing)? again|retry(?:ing)?|wait|resets?|available again)\b[^0-9]{0,24}", re.IGNORECASE)
RESET_HEADERS = ("x-ratelimit-reset", "ratelimit-reset", "anthropic-ratelimit-unified-reset")
RESET_FAMILY = re.compile(r"(x-ratelimit-reset-|anthropic-ratelimit-)([a-z-]+?)(-reset)?")
PLAN_KEYS = ("resets_in_seconds", "resets_at")
DELAY_KEYS = ("retryDelay", "quotaResetDelay", "retry_after", "X-RateLimit-Reset")


def seconds(headers: Mapping[str, str], facts: Facts, *, limited: bool) -> float | None:
    """Return how long to stay away, or None if nothing says so.

    `headers` have lower-case names or ignore case. Reset headers and prose are believed only where a limit was hit
    (`limited`): providers send the former with every answer.
    """
    for wait in _told(headers, facts, limited=limited):
        if wait is not None:
            return min(max(wait, 0.0), LONGEST)
    return None


def parse(text: str) -> float | None:
    """Read seconds (`1.5`), a span (`6m0s`, `20ms`), an epoch in s or ms, an HTTP date or an RFC 3339 time."""
    text = text.strip()
    try:
        number = float(text)
    except ValueError:
        return _span(text) if SPAN.fullmatch(text) else _until(text)
    if number != number or number in (float("inf"), float("-inf")):
        return None
    if number >= EPOCH:
        return number / (1000 if number >= EPOCH_MS else 1) - clock.unix()
    return number


def _told(headers: Mapping[str, str], facts: Facts, *, limited: bool) -> Iterator[float | None]:
    waits = dict(reversed(facts.waits))  # the outermost of each key
    yield from (parse(waits[key]) for key in PLAN_KEYS if key in waits)
    yield _milliseconds(headers.get("retry-after-ms", ""))
    yield parse(headers.get("retry-after", ""))
    yield from (parse(waits[key]) for key in DELAY_KEYS if key in waits)
    if limited:
        yield _resets(headers)
        yield _in_prose(facts.message)


def _milliseconds(text: str) -> float | None:
    found = parse(text)
    return None if found is None else found / 1000


def _resets(headers: Mapping[str, str]) -> float | None:
    """Take the limit that is used up (the latest, if several are); if none is, the one that resets first."""
    for name in RESET_HEADERS:
        found = parse(headers.get(name, ""))
        if found is not None:
            return found
    spent: list[float] = []
    others: list[float] = []
    for name in headers:
        match = RESET_FAMILY.fullmatch(name)
        if match is None or not (match[3] or match[1].startswith("x-")):
            continue
        found = parse(headers[name])
        if found is None:
            continue
        left = headers.get(name.replace("reset", "remaining"), "")
        (spent if left.strip() == "0" else others).append(found)
    return max(spent) if spent else min(others, default=None)


def _in_prose(message: str) -> float | None:
    for anchor in PROSE.finditer(message):
        span = SPAN.match(message, anchor.end())
        if span is not None:
            return _span(span[0])
    return None


def _span(text: str) -> float:
    return sum(float(number) * UNITS[_unit(word)] for number, word in PART.findall(text))


def _unit(word: str) -> str:
    word = word.lower()
    return "ms" if word.startswith(("ms", "mil")) else word[0]


def _until(text: str) -> float | None:
    try:
        moment = datetime.fromisoformat(text) if text[4:5] == "-" else parsedate_to_datetime(text)
    except (ValueError, IndexError, OverflowError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return moment.timestamp() - clock.unix()
