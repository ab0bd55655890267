"""Log lines: one JSON object each, control characters escaped, whatever looks like a secret replaced.

Nothing in the house logs bodies or query strings; what stands here is the second net, for the texts of others. Known
secrets of the configuration are replaced wherever they appear; of unknown ones, what has the shape of a key.
"""

import json
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

MASK = "[secret]"
LONGEST = 16 * 1024  # characters of one message or traceback; the rest says nothing new
SHORT_LINE = 200  # characters of what an outsider may cause at will
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
    (re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)?"), MASK),  # signed tokens (JWT)
    (re.compile(r"(?i)\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{6,}"), rf"\1 {MASK}"),
    # Headers, cookies, query parameters and JSON members by their names.
    (
        re.compile(
            r"(?i)\b((?:proxy-)?authorization|(?:set-)?cookie|x-api-key|x-goog-api-key|api[_-]?key|access[_-]?token"
            r"|refresh[_-]?token|id[_-]?token|client[_-]?secret|code[_-]?verifier|password|passwd|secret|sessionid|csrftoken)"
            r"(\\?[\"']?\s*[=:]\s*\\?[\"']?)(?!(?:bearer|basic)\s)[^\s\"'&,;}\]\\]{3,}"
        ),
        rf"\1\2{MASK}",
    ),
    (re.compile(r"(?i)([?&](?:key|token|code|state|sig|signature)=)[^&\s\"']+"), rf"\1{MASK}"),
    (re.compile(r"(://[^/\s:@]*:)[^/\s@]+(@)"), rf"\1{MASK}\2"),  # a password inside an address
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


class OneLine(logging.Filter):
    """Of faults that anybody outside can cause at will: a warning of one short line, without a traceback."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Shorten the record, and let it pass."""
        record.msg, record.args = record.getMessage()[:SHORT_LINE], None
        record.exc_info = record.exc_text = record.stack_info = None
        record.levelno, record.levelname = logging.WARNING, "WARNING"
        return True


def configured_secrets() -> tuple[str, ...]:
    """Return the secrets that the settings hold, so that none of them ever stands in a line."""
    from django.conf import settings

    whole = (settings.SECRET_KEY, settings.KEY_PEPPER, settings.PROXY_AUTH_TOKEN, *settings.SEALING_KEYS)
    passwords = tuple(str(database.get("PASSWORD") or "") for database in settings.DATABASES.values())
    return tuple(secret for secret in (*whole, *passwords) if secret)


def _message(record: logging.LogRecord) -> str:
    try:
        return record.getMessage()
    except (TypeError, ValueError, KeyError):  # arguments that do not fit the template must not lose the line
        return str(record.msg)


def _is_plain(value: object) -> bool:
    return value is None or isinstance(value, str | int | float | bool)


def _safe(value: Any, known: tuple[str, ...]) -> Any:
    return masked(value, known=known)[:LONGEST] if isinstance(value, str) else value
