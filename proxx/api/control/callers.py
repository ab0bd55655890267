"""Who asks the control API, and whether they may: one `Who` for every way in.

The token of PROXY_AUTH_TOKEN and tenant keys with a control scope come as clients' keys do, or in `x-admin-token`; an
operator comes with the console's session. What a browser sends by itself (a cookie) needs the console's CSRF token for
every change. Each operation says which right it needs (`Needs`); one without does not start (app.py).
"""

import hmac
from dataclasses import dataclass
from typing import Any, ClassVar
from urllib.parse import urlsplit

from asgiref.sync import async_to_sync
from django.core import signing
from django.http import HttpRequest
from ninja.security.base import AuthBase
from ninja.utils import check_csrf

from accounts import keys, rights
from accounts.acting import Actor, ActorKind
from accounts.keys import IdentityUnavailable, KeyHolder, TooManyGuesses
from accounts.rights import NOBODY, Right, Who
from accounts.signin import second_factor, step_up
from proxx.api.auth import check_address
from proxx.api.carriers import presented
from proxx.api.control.errors import Refused
from proxx.kit import sealing
from proxx.kit.configured import settings

ADMIN_HEADER = "HTTP_X_ADMIN_TOKEN"
TOKEN_COOKIE = "open_hax_proxy_auth_token"  # noqa: S105 - a name
ADMIN_COOKIE = "multivibe_admin_session"
SESSION_SECONDS = 12 * 3600
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: their rights, how the audit names them, and the operator or key behind it."""

    who: Who
    actor: Actor
    operator: Any = None  # an Operator
    holder: KeyHolder | None = None

    @property
    def kind(self) -> str:
        """Return what the seeds call it."""
        if self.operator is not None:
            return "ui_session"
        return "tenant_api_key" if self.holder is not None and self.holder.key_id is not None else "legacy_admin"


class Needs(AuthBase):
    """Lets those in who have one of these rights, somewhere or everywhere; without any, all who are somebody.

    `wholly`: the right for some rows only (INSTEAD in accounts/roles.py) is not enough. `steps_up`: an operator must
    have shown lately who they are, as in the console. `public`: nobody is asked, because the operation itself does.
    """

    openapi_type: ClassVar = "http"
    openapi_scheme: ClassVar = "bearer"

    def __init__(
        self,
        *rights: Right,
        everywhere: bool = False,
        wholly: bool = False,
        steps_up: bool = False,
        public: bool = False,
    ) -> None:
        super().__init__()
        self.rights, self.everywhere, self.wholly = rights, everywhere, wholly
        self.steps_up, self.public = steps_up, public

    @property
    def said(self) -> str:
        """Return a sentence on what it takes."""
        place = " in the whole house" if self.everywhere else ""
        return f"Needs the right {' or '.join(f'`{right}`' for right in self.rights)}{place}."

    def __call__(self, request: HttpRequest) -> Caller:
        """Return who asks; raise 401, 403, 400 (two different keys) or 503 (keys cannot be checked)."""
        if self.public:
            return Caller(NOBODY, Actor(ActorKind.NOBODY, address=_address(request)))
        caller = who_asks(request)
        if self.rights and not any(self._allows(caller.who, right) for right in self.rights):
            place = "in the whole house" if self.everywhere else "here"
            raise Refused(403, "missing_right", f"This needs the right {' or '.join(self.rights)} {place}.")
        if self.steps_up and caller.operator is not None and request.method not in SAFE_METHODS:
            check_stepped_up(request)
        return caller

    def _allows(self, who: Who, right: Right) -> bool:
        if self.everywhere:
            return who.may(right)
        return who.may_somewhere(right) if self.wholly else who.may_open(right)


def who_asks(request: HttpRequest) -> Caller:
    """Return the caller of a request, by a token or key if it carries one, else by the console's session."""
    admin = request.META.get(ADMIN_HEADER, "").strip()
    token = presented(request.META)
    if admin and token and admin != token:
        raise Refused(400, "conflicting_keys", "Two different keys were given. Send one.")
    if admin or token:
        return by_token(request, admin or token or "")
    if cookie := request.COOKIES.get(TOKEN_COOKIE, ""):
        _from_this_site(request)
        return by_token(request, cookie)
    if holds_session(request):
        _from_this_origin(request)
        return by_token(request, settings.PROXY_AUTH_TOKEN)
    operator = getattr(request, "user", None)
    if operator is None or not operator.is_authenticated:
        raise Refused(401, "invalid_api_key", "Send a token or a key, or sign in to the console.")
    _from_this_site(request)
    if second_factor.is_missing(operator, request.session):
        raise Refused(403, "second_factor_required", "Your role needs a second factor: add one in the console first.")
    who = rights.of(operator)
    if who is NOBODY:
        raise Refused(401, "invalid_api_key", "This operator may not sign in.")
    actor = Actor(ActorKind.OPERATOR, str(operator.pk), operator.get_username(), _address(request))
    return Caller(who, actor, operator=operator)


def session_value() -> str:
    """Return the cookie of a session below /admin: it is worth nothing once the token is another one."""
    return signing.TimestampSigner(salt=ADMIN_COOKIE).sign(sealing.digest(settings.PROXY_AUTH_TOKEN)[:32])


def holds_session(request: HttpRequest) -> bool:
    """Tell whether a request below /admin carries such a cookie."""
    said = request.COOKIES.get(ADMIN_COOKIE, "")
    if not said or not settings.PROXY_AUTH_TOKEN or not request.path_info.startswith("/admin/"):
        return False
    try:
        digest = signing.TimestampSigner(salt=ADMIN_COOKIE).unsign(said, max_age=SESSION_SECONDS)
    except signing.BadSignature:
        return False
    return hmac.compare_digest(digest, sealing.digest(settings.PROXY_AUTH_TOKEN)[:32])


def by_token(request: HttpRequest, token: str) -> Caller:
    """Return the caller behind a token or key; raise 401, 429 or 503."""
    try:
        holder = async_to_sync(keys.find)(token, address=_address(request))
    except TooManyGuesses as wait:
        raise _later(429, "too_many_wrong_keys", "Too many wrong keys came from this address.", wait) from None
    except IdentityUnavailable as wait:
        raise _later(503, "identity_unavailable", "Keys cannot be checked at the moment.", wait) from None
    if holder is None:
        raise Refused(401, "invalid_api_key", "This key is not known.")
    if holder.origins:
        check_address(holder, _address(request))
    kind = ActorKind.KEY if holder.key_id else ActorKind.ADMIN
    actor = Actor(kind, str(holder.key_id or ""), holder.label, _address(request))
    return Caller(rights.of_key(holder), actor, holder=holder)


def _later(status: int, code: str, message: str, wait: IdentityUnavailable) -> Refused:
    refused = Refused(status, code, message)
    refused.retry_after = wait.retry_after
    return refused


def _from_this_site(request: HttpRequest) -> None:
    """Refuse a change that another site may have made a browser send."""
    if request.method not in SAFE_METHODS and check_csrf(request) is not None:
        raise Refused(403, "csrf", "Send the console's CSRF token in x-csrftoken, or a key in place of the session.")


def _from_this_origin(request: HttpRequest) -> None:
    """Refuse a change that a page of another origin asks for; the cookie is a strict one already."""
    said = request.headers.get("Origin", "")
    if request.method not in SAFE_METHODS and said and urlsplit(said).netloc != request.get_host():
        raise Refused(403, "csrf", "This came from another site.")


def check_stepped_up(request: HttpRequest) -> None:
    """Raise 403 for an operator who has not shown lately who they are."""
    if not step_up.is_recent(request):
        raise Refused(403, "step_up_required", "Confirm in the console that it is you, then ask again.")


def _address(request: HttpRequest) -> str:
    return str(request.META.get("REMOTE_ADDR", ""))
