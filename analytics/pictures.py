"""One call in words and bars, for its page in the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from analytics.models import RequestAttempt, RequestLog

LEAST_WIDTH = 0.4  # percent: a bar that cannot be seen says nothing
NANO = 1_000_000_000
PRICED = {
    "priced": "by the model's price",
    "free": "this model costs nothing",
    "unpriced": "its price is not known",
    "none": "nothing was used",
}
USAGE = {"reported": "reported by the provider", "estimated": "estimated by us", "none": "unknown"}


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of an attempt's bar; `left` and `width` are percent of the call, as CSS takes them."""

    kind: str
    left: str
    width: str
    title: str


@dataclass(frozen=True, slots=True)
class Bar:
    """One attempt beside its bar."""

    attempt: RequestAttempt
    parts: list[Part]
    took: str
    good: bool


def bars(call: RequestLog, attempts: Sequence[RequestAttempt]) -> list[Bar]:
    """Return a bar for each attempt: waiting for headers, for the first event, then the answer itself."""
    ends = [attempt.started_ms + attempt.duration_ms for attempt in attempts]
    whole = max([1, call.duration_ms, *ends])
    return [
        Bar(attempt, _parts(attempt, whole), span(attempt.duration_ms), good=not attempt.failure)
        for attempt in attempts
    ]


def span(milliseconds: int) -> str:
    """Return a length of time in the unit that people would choose."""
    if milliseconds < 1_000:
        return f"{milliseconds} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1_000:.2f} s"
    minutes, rest = divmod(milliseconds // 1_000, 60)
    return f"{minutes} min {rest:02d} s"


def size(octets: int) -> str:
    """Return a number of bytes in the unit that people would choose."""
    if octets < 1_000:
        return f"{octets} bytes"
    return f"{octets / 1_000:.1f} kB" if octets < 1_000_000 else f"{octets / 1_000_000:.1f} MB"


def tokens(call: RequestLog, count: int | None) -> str:
    """Return a count of tokens; a tilde says that it was estimated, a dash that nobody knows."""
    if count is None:
        return "–"
    return f"{'~' if call.usage_state == 'estimated' else ''}{count:,}"


def cost(call: RequestLog) -> str:
    """Return what the call cost, or why that is not known."""
    if call.cost_nano is None:
        return "–" if call.price_state == "none" else call.price_state or "unknown"
    return f"${call.cost_nano / NANO:.6f}".rstrip("0").rstrip(".")


def result(call: RequestLog) -> str:
    """Return status and outcome in a word or two."""
    name = call.get_outcome_display()
    return f"{call.status} {name}" if call.status else str(name)


def facts(call: RequestLog) -> dict[str, Any]:
    """Return the page's figures and its tables of facts: pairs of name and value."""
    first = "–" if call.first_event_ms is None else span(call.first_event_ms)
    return {
        "figures": [
            ("Duration", span(call.duration_ms), "until the last byte"),
            ("First byte", first, "until the answer began"),
            ("Tokens in", tokens(call, call.input_tokens), "cached ones included"),
            ("Tokens out", tokens(call, call.output_tokens), "reasoning included"),
            ("Cost", cost(call), PRICED.get(call.price_state, "")),
        ],
        "result": result(call),
        "tables": [("Call", _call(call)), ("Answer", _answer(call)), ("Caller", _caller(call))],
    }


def _parts(attempt: RequestAttempt, whole: int) -> list[Part]:
    headers, first, end = attempt.headers_ms, attempt.first_event_ms, attempt.started_ms + attempt.duration_ms
    marks = [("wait", attempt.started_ms, "waiting for the answer to begin")]
    if headers is not None:
        marks.append(("head", headers, "headers there, waiting for the first event"))
    if first is not None:
        marks.append(("body", first, "receiving the answer"))
    parts = []
    for (kind, start, title), following in zip(marks, [*(mark[1] for mark in marks[1:]), end], strict=True):
        length = max(0, following - start)
        left = min(100 * start / whole, 100 - LEAST_WIDTH)
        width = min(max(LEAST_WIDTH, 100 * length / whole), 100 - left)
        parts.append(Part(kind, f"{left:.2f}%", f"{width:.2f}%", f"{title}: {span(length)}"))
    return parts


def _call(call: RequestLog) -> list[tuple[str, str]]:
    named = [("The client's own id", call.request_id)] if call.request_id else []
    return [
        ("Request id", str(call.pk)),
        *named,
        ("Begun", f"{call.started_at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"),
        ("Path", call.endpoint),
        ("Dialect", f"{call.dialect}, {'streamed' if call.stream else 'whole'}"),
        ("Model asked for", call.model_requested or "–"),
        ("Size", f"{size(call.bytes_in)} in, {size(call.bytes_out)} out"),
    ]


def _answer(call: RequestLog) -> list[tuple[str, str]]:
    cached = f"{tokens(call, call.cache_read_tokens)} read, {tokens(call, call.cache_write_tokens)} written"
    facts = [
        ("Provider", call.provider_id or "none"),
        ("Credential", call.credential.label if call.credential else "–"),
        ("Model", call.model_routed or "–"),
        ("Usage", USAGE.get(call.usage_state, call.usage_state)),
        ("Cached tokens", cached),
        ("Reasoning tokens", tokens(call, call.reasoning_tokens)),
    ]
    if call.error_code:
        facts.append(("Error", call.error_code))
    if call.warnings:
        facts.append(("Notes", "; ".join(map(str, call.warnings))))
    return facts


def _caller(call: RequestLog) -> list[tuple[str, str]]:
    return [
        ("Tenant", call.tenant.name if call.tenant else "–"),
        ("Key", call.key.label if call.key else "none of the stored ones"),
        ("Address", call.client_address or "–"),
        ("Program", call.user_agent or "–"),
    ]
