"""One call in words and bars, for its page in the console."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from accounts.sanitized import PLAIN, Masks
from analytics.models import RequestAttempt, RequestLog
from routing import footprint

LEAST_WIDTH = 0.4  # percent: a bar that cannot be seen says nothing
MARKS = 4  # of the time axis at most, without the first
NANO = 1_000_000_000
PRICED = {
    "priced": "by the model's price",
    "free": "this model costs nothing",
    "unpriced": "its price is not known",
    "none": "nothing was used",
}
USAGE = {
    "reported": "reported by the provider",
    "estimated": "estimated by us",
    "replaced": "estimated by us: what the provider reported cannot be",
    "none": "unknown",
}
ESTIMATED = ("estimated", "replaced")


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
    account: str
    message: str  # the provider's own words
    parts: list[Part]
    took: str
    good: bool


def bars(call: RequestLog, attempts: Sequence[RequestAttempt], masks: Masks = PLAIN) -> list[Bar]:
    """Return a bar for each attempt: waiting for headers, for the first event, then the answer itself."""
    whole = _whole(call, attempts)
    return [
        Bar(
            attempt,
            account=masks.accounts(attempt.account),
            message=masks.names(attempt.message),
            parts=_parts(attempt, whole),
            took=span(attempt.duration_ms),
            good=not attempt.failure,
        )
        for attempt in attempts
    ]


def client_bar(call: RequestLog, attempts: Sequence[RequestAttempt]) -> list[Part]:
    """Return the client's own bar, above those of the attempts: until proxx asked somebody, until the first byte, and
    the answer."""
    asked = attempts[0].started_ms if attempts else call.duration_ms
    points = [("own", 0, "proxx: reading, planning, waiting for room")]
    if attempts:
        points.append(("wait", asked, "waiting for the first byte"))
    if call.first_event_ms is not None:
        points.append(("body", call.first_event_ms, "receiving the answer"))
    return _drawn(points, call.duration_ms, _whole(call, attempts))


def marks(call: RequestLog, attempts: Sequence[RequestAttempt]) -> list[tuple[str, str]]:
    """Return the marks of the time axis: where, as CSS takes it, and which moment."""
    whole = _whole(call, attempts)
    parts = min(MARKS, whole)  # a call of three milliseconds has no quarters that could be told apart
    return [(f"{100 * place / parts:.2f}%", span(whole * place // parts)) for place in range(parts + 1)]


def _whole(call: RequestLog, attempts: Sequence[RequestAttempt]) -> int:
    return max([1, call.duration_ms, *(attempt.started_ms + attempt.duration_ms for attempt in attempts)])


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
    return f"{'~' if call.usage_state in ESTIMATED else ''}{count:,}"


def cost(call: RequestLog) -> str:
    """Return what the call cost, or why that is not known."""
    if call.cost_nano is None:
        return "–" if call.price_state == "none" else call.price_state or "unknown"
    return f"${call.cost_nano / NANO:.6f}".rstrip("0").rstrip(".")


def result(call: RequestLog) -> str:
    """Return status and outcome in a word or two."""
    name = call.get_outcome_display()
    return f"{call.status} {name}" if call.status else str(name)


def facts(call: RequestLog, masks: Masks = PLAIN) -> dict[str, Any]:
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
        "tables": [("Call", _call(call, masks)), ("Answer", _answer(call, masks)), ("Caller", _caller(call, masks))],
    }


def _parts(attempt: RequestAttempt, whole: int) -> list[Part]:
    headers, first, end = attempt.headers_ms, attempt.first_event_ms, attempt.started_ms + attempt.duration_ms
    points = [("wait", attempt.started_ms, "waiting for the answer to begin")]
    if headers is not None:
        points.append(("head", headers, "headers there, waiting for the first event"))
    if first is not None:
        points.append(("body", first, "receiving the answer"))
    return _drawn(points, end, whole)


def _drawn(points: list[tuple[str, int, str]], end: int, whole: int) -> list[Part]:
    """Return pieces that follow each other: kind, where it begins (ms), what it is."""
    parts = []
    for (kind, start, title), following in zip(points, [*(point[1] for point in points[1:]), end], strict=True):
        length = max(0, following - start)
        left = min(100 * start / whole, 100 - LEAST_WIDTH)
        width = min(max(LEAST_WIDTH, 100 * length / whole), 100 - left)
        parts.append(Part(kind, f"{left:.2f}%", f"{width:.2f}%", f"{title}: {span(length)}"))
    return parts


def _call(call: RequestLog, masks: Masks) -> list[tuple[str, str]]:
    named = [("The client's own id", masks.names(call.request_id))] if call.request_id else []
    return [
        ("Request id", str(call.pk)),
        *named,
        ("Begun", f"{call.started_at:%Y-%m-%d %H:%M:%S.%f}"[:-3] + " UTC"),
        ("Path", call.endpoint),
        ("Dialect", f"{call.dialect}, {'streamed' if call.stream else 'whole'}"),
        ("Model asked for", call.model_requested or "–"),
        ("Size", f"{size(call.bytes_in)} in, {size(call.bytes_out)} out"),
    ]


def _answer(call: RequestLog, masks: Masks) -> list[tuple[str, str]]:
    cached = f"{tokens(call, call.cache_read_tokens)} read, {tokens(call, call.cache_write_tokens)} written"
    facts = [
        ("Provider", call.provider_id or "none"),
        ("Credential", masks.accounts(call.credential.label) if call.credential else "–"),
        ("Model", call.model_routed or "–"),
        ("Usage", USAGE.get(call.usage_state, call.usage_state)),
        ("Cached tokens", cached),
        ("Reasoning tokens", tokens(call, call.reasoning_tokens)),
        *_rarer(call),
    ]
    if call.input_tokens is not None or call.output_tokens is not None:
        facts.append(("Energy and water", _footprint(call)))
    if call.error_code:
        facts.append(("Error", call.error_code))
    return facts


def _rarer(call: RequestLog) -> list[tuple[str, str]]:
    """What few calls have: said where there is any."""
    named = [
        ("Cache for an hour", call.cache_write_1h_tokens, "written"),
        ("Audio tokens", call.audio_in_tokens, "in"),
        ("Audio tokens", call.audio_out_tokens, "out"),
        ("Picture tokens", call.image_in_tokens, "in"),
        ("Picture tokens", call.image_out_tokens, "out"),
    ]
    facts = [(name, f"{tokens(call, count)} {where}") for name, count, where in named if count]
    pieces = [("Pictures", call.pictures), ("Web searches", call.server_tools)]
    facts += [(name, f"{count:,}") for name, count in pieces if count]
    return facts + ([("Service tier", call.service_tier)] if call.service_tier else [])


def _footprint(call: RequestLog) -> str:
    """Return the estimate, and that it is one."""
    one = footprint.estimate(call.model_routed, call.input_tokens or 0, call.output_tokens or 0)
    energy = f"{one.joules:,.0f} J" if one.joules < 10_000 else f"{one.joules / 1000:,.1f} kJ"
    return f"about {energy}, {one.water_ml:,.2f} ml (estimate by the model's family)"


def _caller(call: RequestLog, masks: Masks) -> list[tuple[str, str]]:
    return [
        ("Tenant", masks.names(call.tenant.name) if call.tenant else "–"),
        ("Key", masks.names(call.key.label) if call.key else "none of the stored ones"),
        ("Address", masks.names(call.client_address) or "–"),
        ("Program", call.user_agent or "–"),
    ]
