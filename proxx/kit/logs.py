"""Log lines: one JSON object each, or text for eyes; control characters escaped, what looks like a secret replaced.

Nothing in the house logs bodies or query strings; what stands here is the second net, for the texts of others. Known
secrets of the configuration are replaced wherever they appear; of unknown ones, what has the shape of a key.
"""

import json
import logging
import os
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

MASK = "[secret]"
LONGEST = 16 * 1024  # characters of one message or traceback; the rest says nothing new
SHORT_LINE = 200  # characters of what an outsider may cause at will
DIM, PLAIN = "\x1b[2m", "\x1b[0m"
COLOURS = {
    logging.INFO: "\x1b[32m",
    logging.WARNING: "\x1b[33m",
    logging.ERROR: "\x1b[31m",
    logging.CRITICAL: "\x1b[1;31m",
}
SHORTEST_SECRET = 8  # shorter words would blank innocent text

# What a LogRecord always has: anything else was given by `extra` and is worth a field of its own.
ORDINARY = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "data"}

SHAPES: tuple[tuple[re.Pattern[str], str], ...] = (
    # Keys by their vendors' prefixes, ours first.
    (
        re.compile(
            r"\b(?:pxx_|sk-|rk-|pk-|AIza|ya29\.|gsk_|xai-|hf_|gh[pousr]_|github_pat_|AKIA|xox[abpr]-|r8_|nvapi-|pplx-|fw_|csk-)"
            r"[A-Za-z0-9_\-.]{8,}"
        ),
        MASK,
    ),
    # Signed tokens (JWT). The head is bounded: many beginnings in a row must not each be followed to the end.
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,1024}+\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), MASK),
    (re.compile(r"(?i)\b(bearer|basic)\s+(?:[A-Za-z0-9._~+/=-]|\\{1,4}/){6,}"), rf"\1 {MASK}"),
    # JSON may write a slash as `\/`, also in what stands within a text: it does not end a value.
    # Headers, cookies, query parameters and JSON members by their names.
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-goog-api-key|api[_-]?key|access[_-]?token"
            r"|refresh[_-]?token|id[_-]?token|client[_-]?secret|code[_-]?verifier|password|passwd|secret|sessionid|csrftoken)"
            r"(\\?[\"']?\s*[=:]\s*\\?[\"']?)(?!(?:bearer|basic)\s)(?:[^\s\"'&,;}\]\\]|\\{1,4}/){3,}"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)([?&](?:key|token|code|state|sig|signature)=)[^&\s\"']+"), rf"\1{MASK}"),
    (re.compile(r"(:(?:\\{0,4}/){2}[^/\s:@]*:)[^/\s@]+(@)"), rf"\1{MASK}\2"),  # a password inside an address
)


def masked(text: str, *, known: tuple[str, ...] = ()) -> str:
    """Return the text with known secrets, and whatever looks like one, replaced."""
    for secret in known:
        text = text.replace(secret, MASK)
    for shape, instead in SHAPES:
        text = shape.sub(instead, text)
    return text


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, message; then what `extra` gave; then the traceback."""

    def __init__(self, known_secrets: Callable[[], tuple[str, ...]] | None = None) -> None:
        super().__init__()
        self._known_secrets = known_secrets or (lambda: ())

    def format(self, record: logging.LogRecord) -> str:
        """Write the record; every text in it passes the mask, and JSON escapes what could start another line."""
        known = tuple(secret for secret in self._known_secrets() if len(secret) >= SHORTEST_SECRET)
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": _message(record),
        }
        line |= {key: value for key, value in vars(record).items() if key not in ORDINARY and _is_plain(value)}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        elif record.stack_info:
            line["traceback"] = record.stack_info
        return json.dumps({key: _safe(value, known) for key, value in line.items()}, ensure_ascii=True)


class TextLines(JsonLines):
    """The same for eyes: time, level and message on a line, what `extra` gave behind it, the traceback below. With
    `colours` the level tells how bad it is."""

    def __init__(
        self, known_secrets: Callable[[], tuple[str, ...]] | None = None, *, colours: bool | None = None
    ) -> None:
        super().__init__(known_secrets)
        self._colours = wants_colours() if colours is None else colours

    def format(self, record: logging.LogRecord) -> str:
        """Write the record; control characters stay escaped, so that nobody writes another's line or moves a cursor."""
        line = json.loads(super().format(record))
        head = f"{line.pop('time')[11:19]} {line.pop('level'):<7}"
        name, message, trace = line.pop("logger"), line.pop("message"), line.pop("traceback", "")
        rest = "".join(f" {key}={_escaped(str(value))}" for key, value in line.items())
        said = f"{name}: {_escaped(message)}{rest}"
        if self._colours:
            head = f"{COLOURS.get(record.levelno, DIM)}{head}{PLAIN}"
        below = "".join(f"\n    {_escaped(one)}" for one in trace.splitlines())
        return f"{head} {said}{below}"


class OneLine(logging.Filter):
    """Of faults that anybody outside can cause at will: a warning of one short line, without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record, and let it pass."""
        record.msg, record.args = record.getMessage()[:SHORT_LINE], None
        record.exc_info = record.exc_text = record.stack_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def wants_colours() -> bool:
    """Tell whether standard error is a terminal that may be coloured (https://no-color.org)."""
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def configured_secrets() -> tuple[str, ...]:
    """Return the secrets that the settings hold, so that none of them ever stands in a line."""
    from django.conf import settings

    tokens = (settings.PROXY_AUTH_TOKEN, settings.PROXY_METRICS_TOKEN)
    whole = (settings.SECRET_KEY, settings.KEY_PEPPER, *settings.FORMER_PEPPERS, *tokens, *settings.SEALING_KEYS)
    headers = tuple(part.partition("=")[2].strip() for part in settings.OTEL_EXPORTER_OTLP_HEADERS.split(","))
    passwords = tuple(str(database.get("PASSWORD") or "") for database in settings.DATABASES.values())
    return tuple(secret for secret in (*whole, *headers, *passwords) if secret)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit the template must not lose the line
        return str(record.msg)


def _escaped(text: str) -> str:
    return "".join(one if one.isprintable() else one.encode("unicode_escape").decode() for one in text)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _safe(value: Any, known: tuple[str, ...]) -> Any:
    return masked(value, known=known)[:LONGEST] if isinstance(value, str) else value
