"""Foreign text, made safe to keep and to show: cut, without control characters, with secrets masked."""

import re
from collections.abc import Sequence

READ_LIMIT = 8 * 1024  # security F4: nothing beyond is looked at
MESSAGE_LIMIT = 2000
TITLE_LIMIT = 300
RUN = 8  # this many characters of a secret in a row are too many

# C0, DEL, C1, and the marks that reorder or hide text on an operator's screen.
UNPRINTABLE = re.compile(r"[\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]+")
TITLE = re.compile(r"<title[^>]{0,100}>([^<]{1,500})", re.IGNORECASE)
HTML = re.compile(rb"\s{0,100}(?:<!--|<!doctype html|<html|<head|<body)", re.IGNORECASE)
ESCAPE = re.compile(r"\\{1,4}(?:u([0-9a-fA-F]{4})|([\"/]))")  # as JSON writes characters, also inside a quoted JSON
MASKS = (
    (re.compile(r"://[^/\s:@]{1,200}:[^/\s@]{1,200}@"), "://***@"),
    (re.compile(r"\b(bearer|basic)\s+[\w.~+/*=-]{8,}", re.IGNORECASE), r"\1 ***"),
    (re.compile(r"\b((?:sk|rk|fk|xai|nvapi|csk)-|(?:gsk|hf|r8|fw|pxx|ohpk|ghp|gho|tgp)_)[\w*.-]{4,}"), r"\1***"),
    (re.compile(r"\b(AIza|AKIA|ya29\.)[\w*.-]{8,}"), r"\1***"),
    (re.compile(r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"), "eyJ***"),
    (re.compile(r"\b[0-9a-f]{32}\.[A-Za-z0-9]{16}\b"), "***"),
    (
        re.compile(
            r"\b((?:api[ _-]?|access[ _-]?|secret[ _-]?)?(?:key|token|secret|password))"
            r"((?: provided)?[\"']?\s{0,3}[:=]\s{0,3}[\"']?)[\w*.~+/-]{8,}",
            re.IGNORECASE,
        ),
        r"\1\2***",
    ),
)


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return text as one safe line of at most `limit` characters."""
    line = UNPRINTABLE.sub(" ", text[:READ_LIMIT]).strip()
    line = line.encode("utf-8", "replace").decode()  # a lone surrogate from JSON would break whoever writes it down
    for pattern, mask in MASKS:
        line = pattern.sub(mask, line)
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def without(text: str, secret: str) -> str:
    """Return text with the secret masked, and every part of it of `RUN` characters, escaped as JSON may or not."""
    width = min(RUN, len(secret))
    if not width:
        return text
    parts = {secret[at : at + width] for at in range(len(secret) - width + 1)}
    plain, starts = _unescaped(text)
    kept: list[str] = []
    shown = masked = 0  # in `text`: all before is in `kept`; in `plain`: all before is masked
    for at in range(len(plain) - width + 1):
        if plain[at : at + width] in parts:
            if at > masked or not kept:
                kept += (text[shown : starts[at]], "***")
            masked = at + width
            shown = starts[masked]
    return "".join((*kept, text[shown:]))


def _unescaped(text: str) -> tuple[str, Sequence[int]]:
    """Return text without JSON's escapes, and where each of its characters (and its end) began."""
    if "\\" not in text:
        return text, range(len(text) + 1)
    letters: list[str] = []
    starts: list[int] = []
    end = 0
    for found in ESCAPE.finditer(text):
        letters += text[end : found.start()]
        starts += range(end, found.start() + 1)
        letters.append(chr(int(found[1], 16)) if found[1] else found[2])
        end = found.end()
    letters += text[end:]
    starts += range(end, len(text) + 1)
    return "".join(letters), starts


def is_page(body: bytes) -> bool:
    """Tell an HTML page from an answer."""
    return HTML.match(body) is not None


def title(body: bytes) -> str:
    """Return the title of an HTML page, or nothing."""
    found = TITLE.search(body[:READ_LIMIT].decode("utf-8", "replace"))
    return clean(found[1], TITLE_LIMIT) if found else ""
