"""Pages for the projector: names, e-mail addresses and ids are masked before they leave the server.

The same stars stand for accounts, sanitized or not, where somebody looks who may not see them: whose accounts a house
has is no tenant's matter.

`?sanitized=1` (or `?safe=1`) on any page turns it on for this sign-in, `?sanitized=0` off. It hides and never widens;
what a page shows only so, its JSON and its exports show only so, too.
"""

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.conf import settings
from django.http import HttpRequest

from accounts.roles import Right

if TYPE_CHECKING:
    from accounts.rights import Who

Mask = Callable[[str], str]

SESSION_NAME = "sanitized"
WORDS = ("sanitized", "safe")
OFF = ("0", "false", "off", "no")
STARS = "****"
MARK_LENGTH = 4  # hex digits that keep masked names apart: few enough that they name nobody

_ADDRESS = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")
_TEXT = re.compile(r">[^<]*@[^<]*<")  # between tags; what a form would send back stays as it is


@dataclass(frozen=True, slots=True)
class Masks:
    """How names are shown to who looks: those of tenants, keys and people, and those of accounts."""

    names: Mask = str
    accounts: Mask = str


PLAIN = Masks()


def masks_for(request: HttpRequest, looking: "Who") -> Masks:
    """Return how names are shown in the answer to a request of that operator or key."""
    if is_sanitized(request):
        return Masks(masked, masked)
    return PLAIN if looking.may(Right.CREDENTIALS_READ) else Masks(accounts=masked)


def is_sanitized(request: HttpRequest) -> bool:
    """Tell whether this page must mask; what its address says is kept with the sign-in."""
    said = next((request.GET[word] for word in WORDS if word in request.GET), None)
    session = getattr(request, "session", None)
    if said is None:
        return bool(session is not None and session.get(SESSION_NAME))
    wanted = said.strip().lower() not in OFF
    if session is not None and bool(session.get(SESSION_NAME)) != wanted:
        session[SESSION_NAME] = wanted
    return wanted


def stays_sanitized(request: HttpRequest) -> bool:
    """Tell whether the sign-in of an answered request masks, without asking the database for it."""
    kept = getattr(getattr(request, "session", None), "_session_cache", None)
    return bool(kept and kept.get(SESSION_NAME))


def without_addresses(page: str) -> str:
    """Return a page's HTML with every e-mail address in its text masked: the net below what each page masks itself."""
    return _TEXT.sub(lambda text: _ADDRESS.sub(lambda address: masked(address[0]), text[0]), page)


def masked(text: str) -> str:
    """Return stars in place of a name, an address or an id, with a mark by which two of them can be told apart.

    The mark is keyed by this installation's secret, so nobody can try names against it. Nothing stays nothing.
    """
    if not text:
        return ""
    key = hashlib.sha256(settings.SECRET_KEY.encode()).digest()
    mark = hashlib.blake2b(text.encode("utf-8", "replace"), key=key, digest_size=MARK_LENGTH // 2).hexdigest()
    return f"{STARS}-{mark}"
