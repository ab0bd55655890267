"""What may be stored of a body: no secret that we know, nothing that looks like one, and no personal data of the kinds
in PROXY_BODIES_REDACT.

Runs in the store's thread, piece by piece: one search over a whole body would hold up the event loop for as long. A
word that has to be there is looked for first, which costs nearly nothing. What a model spells out over several events
of a stream is not seen as one; that is why what is left is sealed all the same.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from itertools import product
from typing import Final

from proxx.kit import logs
from proxx.kit.configured import settings

PIECE: Final = 16 * 1024  # characters of one search: a fraction of a millisecond
EMAIL, CARD, PHONE, OWN = "[e-mail]", "[card]", "[phone]", "[hidden]"
BINARY: Final = "(not text)"
NOT_TEXT: Final = 0.02  # this share of characters that are none makes a body binary
CARD_DIGITS, PHONE_DIGITS = range(13, 20), range(8, 16)

LEAST_BEGUN: Final = 4  # characters of a secret that one at a cut is known by
LONGEST_WORD: Final = 4096  # characters that are taken off a cut end at most: longer ones are files, not secrets
# What writers of JSON escape by number beside what they must: .NET, Gson, Go.
_RISKY: Final = ("<>&'`+", "<>&'=", "<>&")

# One of these has to be in a text, in lower case, for the shape of logs.SHAPES at the same place to be in it.
NEEDLES: Final[tuple[tuple[str, ...], ...]] = (
    ("pxx_", "sk-", "rk-", "pk-", "aiza", "ya29.", "gsk_", "xai-", "hf_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_",
     "github_pat_", "akia", "xoxa", "xoxb", "xoxp", "xoxr", "r8_", "nvapi-", "pplx-", "fw_", "csk-"),
    ("eyj",),
    ("bearer", "basic"),
    ("authorization", "cookie", "key", "token", "secret", "verifier", "passw", "sessionid"),
    ("key=", "token=", "code=", "state=", "sig=", "signature="),
    ("://", ":\\"),  # slashes may be escaped
)  # fmt: skip
NAMED: Final = 3  # which of them is a name with its value

# The shape that begins with a name is slow, and the names are ordinary words: only one with its sign is worth a search.
_NAMED = re.compile(r"(?:authorization|cookie|key|token|secret|verifier|password|passwd|sessionid)[\\\s\"']{0,40}[=:]")
_DIGITS = re.compile(r"[0-9][0-9 ().-]{6,24}[0-9]")  # a number that is long enough, wherever it stands

_EMAIL = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}")
_NUMBER = re.compile(r"(?<![\w.,:/#=-])\+?\(?\d[\d ().-]{6,24}\d(?![\w-])")
_AMERICAN = re.compile(r"\(?\d{3}\)?[ .-]\d{3}[ .-]\d{4}")

Rule = tuple[Callable[[str], bool], Callable[[str], str]]


def redacted(text: str, known: Iterable[str] = (), *, is_cut: bool = False) -> str:
    """Return a text without known secrets, and without what looks like a secret or like personal data.

    The end of one that was cut goes too: what began there cannot be judged.
    """
    if is_cut:
        text = text.rstrip("\ufffd")
    for secret in known:
        if len(secret) >= logs.SHORTEST_SECRET:
            text = _without(text, secret, is_cut=is_cut)
    if is_cut:
        text = _without_end(text)
    rules = _rules(tuple(settings.PROXY_BODIES_REDACT), settings.PROXY_BODIES_PATTERN)
    return "".join([_piece(piece, rules) for piece in _pieces(text)])


def text_of(raw: bytes) -> str:
    """Return bytes as text: a cut may go through a character, and a form's file is none at all."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        text = raw.decode(errors="replace")
    return text if text.count("\ufffd") <= max(3, len(text) * NOT_TEXT) else BINARY


def _without(text: str, secret: str, *, is_cut: bool) -> str:
    for spelling in _spellings(secret):
        text = text.replace(spelling, logs.MASK)
        if is_cut and (begun := _begun(text, spelling)):
            text = text[:-begun] + logs.MASK
    return text


@lru_cache(maxsize=64)
def _spellings(secret: str) -> tuple[str, ...]:
    """Return a secret as JSON may say it, also within a text of JSON; the longest first."""
    quoted = json.dumps(secret)[1:-1]
    said = {secret, quoted, json.dumps(secret, ensure_ascii=False)[1:-1], quoted.replace("/", r"\/")}
    for risky, digits in product(_RISKY, "xX"):
        said.add("".join(f"\\u{ord(one):04{digits}}" if one in risky else one for one in quoted))
    said |= {json.dumps(one)[1:-1] for one in said}
    return tuple(sorted(said, key=len, reverse=True))


def _begun(text: str, secret: str) -> int:
    """Return how many of a secret's first characters a text ends with; fewer than can be told from chance are none."""
    most = min(len(secret) - 1, len(text))
    return next((size for size in range(most, LEAST_BEGUN - 1, -1) if text.endswith(secret[:size])), 0)


def _without_end(text: str) -> str:
    """Return a text without its last word, of which only the beginning is there."""
    start = max(0, len(text) - LONGEST_WORD)
    return text[: max(start, 1 + max(text.rfind(mark, start) for mark in " \n\t\"',{}[]"))]


def _piece(text: str, rules: tuple[Rule, ...]) -> str:
    lower = text.lower()
    for is_due, replace in rules:
        if is_due(lower):
            text = replace(text)
    return text


def _pieces(text: str) -> Iterator[str]:
    """Cut a text where no secret can be: after a comma, a brace, a line, else a blank or a form's field."""
    start = 0
    while len(text) - start > PIECE:
        end = start + PIECE
        cut = max(text.rfind(mark, start, end) for mark in ",}\n")
        cut = cut if cut > start else max(text.rfind(" ", start, end), text.rfind("&", start, end))
        cut = cut + 1 if cut > start else end
        yield text[start:cut]
        start = cut
    yield text[start:]


@lru_cache(maxsize=8)
def _rules(kinds: tuple[str, ...], own: str) -> tuple[Rule, ...]:
    rules: list[Rule] = [
        (_has(needles), _replacing(shape, instead))
        for needles, (shape, instead) in zip(NEEDLES, logs.SHAPES, strict=True)
    ]
    has_a_name, replace = rules[NAMED]
    rules[NAMED] = (lambda lower: has_a_name(lower) and _NAMED.search(lower) is not None, replace)
    if "email" in kinds:
        rules.append((_has(("@",)), _replacing(_EMAIL, EMAIL)))
    if "card" in kinds or "phone" in kinds:
        rules.append(
            (
                lambda lower: _DIGITS.search(lower) is not None,
                lambda text: _NUMBER.sub(lambda found: _number(found[0], kinds), text),
            )
        )
    if own:
        rules.append((lambda _: True, _replacing(re.compile(own), OWN)))
    return tuple(rules)


def _has(needles: tuple[str, ...]) -> Callable[[str], bool]:
    def is_due(lower: str) -> bool:
        return any(needle in lower for needle in needles)

    return is_due


def _replacing(shape: "re.Pattern[str]", instead: str) -> Callable[[str], str]:
    def replace(text: str) -> str:
        return shape.sub(instead, text)

    return replace


def _number(said: str, kinds: tuple[str, ...]) -> str:
    digits = [int(one) for one in said if one.isdecimal()]
    if "card" in kinds and len(digits) in CARD_DIGITS and digits[0] in (2, 3, 4, 5, 6) and _is_card(digits):
        return CARD
    is_phone = said.startswith("+") or _AMERICAN.fullmatch(said) is not None
    return PHONE if "phone" in kinds and is_phone and len(digits) in PHONE_DIGITS else said


def _is_card(digits: list[int]) -> bool:
    """Tell whether the last digit is the check digit of the others (Luhn, ISO/IEC 7812-1)."""
    doubled = [2 * one - 9 * (one > 4) for one in digits[-2::-2]]
    return (sum(digits[-1::-2]) + sum(doubled)) % 10 == 0
