"""The facts in an error body, whatever its shape: one tolerant reader for all upstreams.

Known shapes: `{error: {message, type, code, status, details}}`, `{error: "text"}`, `[{error}]`, `{errors: [...]}`,
`{object: "error", message}`, `{detail}`, `{msg, code}`, `{response: {error}}`, an event stream that holds one of these,
HTML pages and plain text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from proxx.kit import fastjson
from proxx.upstream.failures import prose

PARSE_LIMIT = 64 * 1024
CODE_LIMIT = 80
DEPTH = 4  # how many wrappers around the error we open
DEEPEST = 8  # levels inside the error that are looked at: deeper nesting is an attack, not an explanation
MESSAGE_KEYS = ("message", "msg", "detail", "error_description", "description", "title")
CODE_KEYS = ("code", "type", "status", "reason", "error_code")
WAIT_KEYS = ("resets_in_seconds", "resets_at", "retry_after", "retryDelay", "quotaResetDelay", "X-RateLimit-Reset")
PAGE = "html"  # the code given to an HTML page
PER_DAY, PER_MINUTE = "quota:per_day", "quota:per_minute"  # the codes given to Google's QuotaFailure details


@dataclass(frozen=True, slots=True)
class Facts:
    """What a body says: prose, its main code, all its codes in lower case, and times to wait by their key."""

    message: str = ""
    code: str | None = None
    codes: frozenset[str] = frozenset()
    waits: tuple[tuple[str, str], ...] = ()


def read(body: bytes) -> Facts:
    """Find the facts in a body of any kind; never raises."""
    if not body.strip():
        return Facts()
    if prose.is_page(body):
        return Facts(message=prose.title(body), codes=frozenset((PAGE,)))
    if len(body) <= PARSE_LIMIT:
        try:
            return read_object(fastjson.loads(_payload(body)))
        except (ValueError, RecursionError):
            pass  # not JSON: then it is prose
    return Facts(message=prose.clean(body[: prose.READ_LIMIT].decode("utf-8", "replace")))


def read_object(value: Any) -> Facts:
    """Find the facts in parsed JSON; never raises."""
    try:
        return _facts(value)
    except RecursionError:  # our caller stands deep already
        return Facts()


def _facts(value: Any) -> Facts:
    error = _innermost(value)
    if not isinstance(error, dict):
        return Facts(message=prose.clean(_text(error)))
    layers = [error, *_within(error)]
    codes = [text for layer in layers for text in _codes(layer)]
    main = codes[0] if codes else None
    outer = list(_codes(value)) if isinstance(value, dict) and value is not error else []
    return Facts(
        message=prose.clean(" ".join(_messages(layers)) or (_text(error) if error else "")),
        code=main,
        codes=frozenset(text.lower() for text in (*codes, *outer, *_quotas(error))),
        waits=tuple((key, _text(layer[key])) for layer in layers for key in WAIT_KEYS if layer.get(key) is not None),
    )


def _payload(body: bytes) -> bytes:
    """Return the first data of an event stream, or the body itself."""
    start = body.lstrip()
    if not start.startswith((b"data:", b"event:", b"id:", b":")):
        return body
    lines = (line[5:] for line in start.splitlines() if line.startswith(b"data:"))
    return next(lines, body)


def _innermost(value: Any) -> Any:
    """Unwrap down to the object (or text) that speaks of the error."""
    for _ in range(DEPTH):
        if isinstance(value, list) and value:
            value = value[0]
        elif isinstance(value, dict):
            inner = next((value[key] for key in ("error", "errors", "response", "detail") if value.get(key)), None)
            if inner is None or (isinstance(inner, str) and any(value.get(key) for key in MESSAGE_KEYS)):
                return value
            value = inner
        else:
            break
    return value


def _within(error: dict[str, Any], levels: int = DEEPEST) -> Iterator[dict[str, Any]]:
    """Yield the objects inside an error that say more: Google's details, Azure's inner error, a router's metadata."""
    details = error.get("details")
    for detail in details if isinstance(details, list) else [details]:
        if isinstance(detail, dict):
            yield detail
            if isinstance(detail.get("metadata"), dict):
                yield detail["metadata"]
    for key in ("innererror", "metadata", "headers"):
        inner = error.get(key)
        if isinstance(inner, dict) and levels:
            yield inner
            yield from _within(inner, levels - 1)
    raw = error.get("raw")
    if isinstance(raw, str) and raw.lstrip().startswith("{") and len(raw) <= PARSE_LIMIT:
        try:
            quoted = _innermost(fastjson.loads(raw))
        except (ValueError, RecursionError):
            return
        if isinstance(quoted, dict):
            yield quoted


def _codes(layer: dict[str, Any]) -> Iterator[str]:
    for key in CODE_KEYS:
        value = layer.get(key)
        if isinstance(value, str | int) and not isinstance(value, bool) and str(value).strip():
            text = prose.clean(str(value), CODE_LIMIT)
            if text and text != "error":  # `type: "error"` and `object: "error"` say nothing
                yield text


def _messages(layers: list[dict[str, Any]]) -> Iterator[str]:
    """Yield every different sentence, outermost first."""
    seen: set[str] = set()
    for layer in layers:
        text = next((_text(layer[key]) for key in MESSAGE_KEYS if layer.get(key)), "")
        if isinstance(layer.get("error"), str):
            text = text or layer["error"]
        if text and text not in seen:
            seen.add(text)
            yield text


def _quotas(error: dict[str, Any]) -> Iterator[str]:
    """Say which of Google's quotas were hit: a day's or a minute's."""
    for detail in _within(error):
        violations = detail.get("violations")
        for violation in violations if isinstance(violations, list) else []:
            words = _text(violation).lower().replace(" ", "")
            if "perday" in words:
                yield PER_DAY
            elif "perminute" in words:
                yield PER_MINUTE


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value[: prose.READ_LIMIT]
    if isinstance(value, list) and value and isinstance(value[0], dict):
        said = [item.get("msg") or item.get("message") or "" for item in value[:5] if isinstance(item, dict)]
        return "; ".join(str(_shallow(words, DEEPEST)) for words in said)
    return str(_shallow(value, DEEPEST))[: prose.READ_LIMIT]


def _shallow(value: Any, levels: int) -> Any:
    """Return a value without what lies deeper than so many levels, which `str` would follow to any depth."""
    if not isinstance(value, list | dict):
        return value
    if not levels:
        return "…"
    if isinstance(value, list):
        return [_shallow(item, levels - 1) for item in value]
    return {key: _shallow(item, levels - 1) for key, item in value.items()}
