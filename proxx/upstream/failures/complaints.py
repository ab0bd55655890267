"""What exactly an upstream's rejection blames, where that could be taken away and the rest asked again.

Read from its words, which are all that most providers give. Nothing is decided here: what is taken away, and whether,
is the gateway's business.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from proxx.kit import fastjson
from proxx.upstream.failures.body import PARSE_LIMIT
from proxx.upstream.failures.kinds import Failure

Blamed = Literal["members", "features", "seals", "effort"]
Path = tuple[str, ...]

STATUSES = frozenset((400, 422))
MOST_MEMBERS = 8  # of one complaint


@dataclass(frozen=True, slots=True)
class Complaint:
    """What is blamed: `members` of the body by their `paths`, each perhaps with the name it should have (`instead`);
    `features` that a header switches on; `seals` on earlier thinking; or how much thinking is asked for (`effort`).

    For an effort, `allowed` are the words that are taken, if it says so, `budget` the smallest and largest number of
    tokens, `way` how this model wants to be told: adaptive, manual, level, budget, on, or "" (not said).
    """

    blames: Blamed
    message: str
    paths: tuple[Path, ...] = ()
    instead: str = ""
    allowed: tuple[str, ...] = ()
    budget: tuple[int, int] | None = None
    way: str = ""


_NAME = r"[A-Za-z_][\w.\[\]-]{0,79}"
_QUOTED = rf"[`'\"]?(?P<name>{_NAME})[`'\"]?"
_MEMBERS = tuple(
    re.compile(pattern, re.ASCII)
    for pattern in (
        rf"Un(?:supported|known) parameter(?:\(s\))?: ?{_QUOTED}",
        rf"Unrecognized request arguments? supplied: {_QUOTED}",
        rf"(?P<name>{_NAME}): Extra inputs are not permitted",
        rf"Unknown name \"(?P<name>{_NAME})\"(?: at '(?P<at>[^']{{1,200}})')?: Cannot find field",
        rf"Unsupported value: {_QUOTED} does not support .{{1,60}}\bOnly the default",
        rf"^{_QUOTED} is deprecated for this model",
        rf"^(?P<place>\w+): `(?P<name>{_NAME})` is not supported in version",
        rf"^property '(?P<name>{_NAME})' is unsupported",
        rf"Argument not supported on this model: {_QUOTED}",
        rf"does not support (?:the )?parameter {_QUOTED}",
        rf"does not support the {_QUOTED} parameter",
    )
)
_NOT_TAKEN = frozenset(("unsupported_parameter", "unknown_parameter"))
_INSTEAD = re.compile(r"\b[Uu]se [`'\"]?(max_completion_tokens|max_tokens)[`'\"]? instead")
_LIMITS = frozenset((("max_tokens",), ("max_completion_tokens",)))

_SEALS = re.compile(
    r"(?:encrypted|reasoning|signature|thinking|thought).{0,160}"
    r"(?:could not|cannot|can't) be (?:verified|decrypted|parsed)"
    r"|invalid [`'\"]?(?:signature|data)[`'\"]? in [`'\"]?(?:redacted_)?thinking"
    r"|(?:corrupted|invalid) thought[ _]?signature|thought[ _]?signature (?:is )?(?:invalid|not valid|corrupted)",
    re.IGNORECASE,
)
_FEATURES = re.compile(r"anthropic-beta|\bbeta (?:flag|header|feature)", re.IGNORECASE)

_EFFORT = re.compile(r"\beffort\b|reasoning_effort|thinking[ _]level|think value", re.IGNORECASE)
_ALLOWED = re.compile(
    r"(?:supported (?:values|levels)|should be|must be|allowed values|one of)\b(.{1,300})", re.IGNORECASE
)
_WORDS = re.compile(r"\b(none|minimal|low|medium|high|xhigh|max)\b", re.IGNORECASE)
_BUDGET = re.compile(r"thinking budget -?\d+ is invalid.{0,40}between (\d{1,7}) and (\d{1,7})", re.IGNORECASE)
_NOT = r"(?:is |are )?not supported"
_WAYS = (
    (re.compile(rf"thinking\.type\.enabled[`'\"]? {_NOT}|thinking type [`'\"]?enabled[`'\"]? {_NOT}"), "adaptive"),
    (re.compile(rf"adaptive thinking {_NOT}|thinking\.type\.adaptive[`'\"]? {_NOT}"), "manual"),
    (re.compile(rf"thinking type [`'\"]?adaptive[`'\"]? {_NOT}"), "manual"),
    (re.compile(rf"thinking[. ]type[. ][`'\"]?disabled[`'\"]? {_NOT}"), "on"),
    (re.compile(rf"[Tt]hinking budget {_NOT}"), "level"),
    (re.compile(rf"[Tt]hinking[ _]level {_NOT}"), "budget"),
    (re.compile(r"[Bb]udget 0 is invalid"), "on"),
)


def read(failure: Failure, body: bytes) -> Complaint | None:
    """Say what a rejection blames; None if nothing that could be taken away, or nothing that is known."""
    if failure.kind != "invalid_request" or failure.status not in STATUSES:
        return None
    said = failure.message
    if failure.code == "invalid_encrypted_content" or _SEALS.search(said):
        return Complaint("seals", said)
    if _FEATURES.search(said):
        return Complaint("features", said)
    error = _error(body)
    return _effort(said, error) or _members(said, error)


def _effort(said: str, error: Any) -> Complaint | None:
    way = next((way for pattern, way in _WAYS if pattern.search(said)), "")
    budget = _BUDGET.search(said)
    if budget is not None:
        return Complaint("effort", said, budget=(int(budget[1]), int(budget[2])), way=way)
    about = str(error.get("param") or "").endswith("effort") if isinstance(error, dict) else False
    if not way and not (about or _EFFORT.search(said)):
        return None
    listed = _ALLOWED.search(said)
    allowed = tuple(dict.fromkeys(word.lower() for word in _WORDS.findall(listed[1]))) if listed else ()
    if way or allowed or re.search(r"thinking[ _]level \w+ is not supported", said, re.IGNORECASE):
        return Complaint("effort", said, allowed=allowed, way=way)
    return None


def _members(said: str, error: Any) -> Complaint | None:
    paths = tuple(dict.fromkeys((*_listed(error), *_named(said))))
    if (
        not paths
        and isinstance(error, dict)
        and error.get("code") in _NOT_TAKEN
        and isinstance(error.get("param"), str)
    ):
        paths = (_path(error["param"]),)
    if not paths or len(paths) > MOST_MEMBERS:
        return None
    instead = _INSTEAD.search(said)
    renamed = instead[1] if instead and len(paths) == 1 and paths[0] in _LIMITS and paths[0] != (instead[1],) else ""
    return Complaint("members", said, paths=paths, instead=renamed)


def _named(said: str) -> Iterator[Path]:
    for pattern in _MEMBERS:
        for found in pattern.finditer(said):
            at = found.groupdict().get("at") or ""
            yield (*_path(at), *_path(found["name"]))


def _listed(error: Any) -> Iterator[Path]:
    """Yield the places in a list of faults as validators of bodies write it."""
    for fault in error if isinstance(error, list) else ():
        place = fault.get("loc") if isinstance(fault, dict) and fault.get("type") == "extra_forbidden" else None
        if isinstance(place, list):
            steps = tuple(str(step) for step in place)
            yield steps[1:] if steps[:1] == ("body",) else steps


def _path(name: str) -> Path:
    return tuple(step for step in re.split(r"[.\[\]]+", name) if step)


def _error(body: bytes) -> Any:
    """Return the object, or list, that speaks of the error in a body that is JSON."""
    if len(body) > PARSE_LIMIT:
        return None
    try:
        found = fastjson.loads(body)
    except (ValueError, RecursionError):
        return None
    if isinstance(found, list) and found:
        found = found[0]
    if isinstance(found, dict):
        return found.get("error") or found.get("detail") or found
    return None
