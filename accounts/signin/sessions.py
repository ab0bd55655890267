"""Sign-ins that are open: since when, last seen when, from where; what ends them (security B5).

Their marks lie in the session itself, so a page needs no further query to know that a sign-in is over. The list that
people see is allauth's table of sessions; a row goes when its session does.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.http import HttpRequest

from accounts.models import Operator
from proxx.kit import clock

SIGNED_IN = "signed_in_at"
SEEN = "seen_at"
CONFIRMED = "confirmed_at"
LISTED = "listed_as"
SEEN_EVERY = 60.0  # seconds: more often would write to the database with every page
NOWHERE = "0.0.0.0"  # noqa: S104 - an address that stands for none

BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (("Windows", "Windows"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Android", "Android"),
           ("Mac OS X", "macOS"), ("CrOS", "ChromeOS"), ("Linux", "Linux"))  # fmt: skip


@dataclass(frozen=True, slots=True)
class SignIn:
    """One open sign-in, as its owner sees it."""

    id: int
    device: str
    address: str
    since: datetime
    seen: datetime
    current: bool


def begin(request: HttpRequest) -> None:
    """Mark a session in which somebody has just signed in, and list it."""
    now = clock.unix()
    request.session.update({SIGNED_IN: now, SEEN: now, CONFIRMED: now})
    _list(request)


def is_over(session: Any) -> bool:
    """Tell whether a session in which somebody is signed in has passed one of its limits."""
    now = clock.unix()
    since, seen = session.get(SIGNED_IN), session.get(SEEN)
    if not isinstance(since, int | float) or not isinstance(seen, int | float):
        return True  # from before there were limits
    return now - since > settings.PROXY_SIGN_IN_HOURS * 3600 or now - seen > settings.PROXY_SIGN_IN_IDLE_MINUTES * 60


def stored(key: str | None) -> Any:
    """Return what is stored of a session now, nothing if it was ended."""
    return _store(key).load() if key else {}


def touch(request: HttpRequest) -> None:
    """Note that the sign-in is in use, once in a while."""
    now = clock.unix()
    if now - request.session[SEEN] >= SEEN_EVERY or request.session.get(LISTED) != request.session.session_key:
        request.session[SEEN] = now
        _list(request)


def open_ones(operator: Operator, current: str | None) -> list[SignIn]:
    """Return an operator's open sign-ins, the newest first; `current` is the key of the one that asks."""
    found = []
    for row in UserSession.objects.purge_and_list(operator):
        marks = _store(row.session_key).load()
        if row.session_key != current and is_over(marks):
            row.end()
            continue
        seen = datetime.fromtimestamp(marks.get(SEEN, 0), UTC)
        mine = row.session_key == current
        found.append(SignIn(row.pk, device(row.user_agent), _shown(row.ip), row.created_at, seen, mine))
    return sorted(found, key=lambda one: (one.current, one.seen), reverse=True)


def end(operator: Operator, ids: Iterable[int]) -> int:
    """End these sign-ins of an operator and return how many there were; others' are left alone."""
    rows = UserSession.objects.filter(user=operator, pk__in=list(ids))
    return _end(rows)


def end_all(operator: Operator, *, keep: str | None = None) -> int:
    """End all sign-ins of an operator, except the session with the key `keep`; return how many there were."""
    return _end(UserSession.objects.filter(user=operator).exclude(session_key=keep or ""))


def device(user_agent: str) -> str:
    """Name browser and system in the words people use."""
    browser = next((name for mark, name in BROWSERS if mark in user_agent), "")
    system = next((name for mark, name in SYSTEMS if mark in user_agent), "")
    return " on ".join(filter(None, (browser, system))) or user_agent[:60] or "Unknown"


def address_of(request: HttpRequest) -> str:
    """Return the client's address; the server in front has already looked behind trusted proxies."""
    return str(request.META.get("REMOTE_ADDR") or NOWHERE)


def _list(request: HttpRequest) -> None:
    key = request.session.session_key
    if key is None:
        return
    before = request.session.get(LISTED)
    facts = {"user_id": request.session["_auth_user_id"], "ip": address_of(request), "user_agent": _agent(request)}
    if before not in (None, key):  # the key was renewed, after a change of the password
        UserSession.objects.filter(session_key=before).update(session_key=key)
    UserSession.objects.update_or_create(session_key=key, defaults={**facts, "last_seen_at": clock.now()})
    request.session[LISTED] = key


def _agent(request: HttpRequest) -> str:
    return str(request.META.get("HTTP_USER_AGENT", ""))[: UserSession._meta.get_field("user_agent").max_length]


def _end(rows: Any) -> int:
    ended = list(rows)
    for row in ended:
        row.end()
    return len(ended)


def _store(key: str | None = None) -> Any:
    return import_module(settings.SESSION_ENGINE).SessionStore(key)


def _shown(address: str) -> str:
    return "" if address == NOWHERE else address
