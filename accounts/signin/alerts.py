"""What is told when somebody signs in, fails to, or changes how they do: to the audit, and to the operator by mail.

Mail goes out on a thread of its own: how long it takes must not say whether a name exists. Without PROXY_MAIL_URL
there is none. A browser that signed in before carries a signed mark, so that only new ones are worth a mail.
"""

import logging
import threading
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.core.mail import EmailMessage
from django.http import HttpRequest, HttpResponseBase

from accounts import audit
from accounts.models import Operator
from accounts.signin import sessions
from proxx.kit import clock

log = logging.getLogger(__name__)

KNOWN = "proxx_known"
KNOWN_FOR = 365 * 86_400  # seconds
ONE_AN_HOUR = 3600
NO_MAIL = "django.core.mail.backends.dummy.EmailBackend"
LOOK = "If that was not you: change your password and look at “My sign-in” in the console."


def signed_in(request: HttpRequest, operator: Operator, response: HttpResponseBase, way: str) -> None:
    """Write a sign-in down; tell its operator if the browser is a new one, and remember it."""
    audit.note("signed in", operator, {"with": way, "device": _device(request)})
    if str(operator.pk) in _known(request):
        return
    _mail(operator, "New sign-in", f"Somebody signed in as you, with {way}, from a new browser:\n\n{_place(request)}")
    marks = ",".join([str(operator.pk), *_known(request)][:5])
    response.set_signed_cookie(
        _cookie(),
        marks,
        salt=KNOWN,
        max_age=KNOWN_FOR,
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def failed(request: HttpRequest, username: str) -> None:
    """Write a wrong password down, if there is such an operator; names that do not exist are nobody's business."""
    operator = Operator.objects.filter(username=username).first()
    if operator is not None:
        audit.note("sign-in failed", operator, {"device": _device(request)})


def locked_out(request: HttpRequest, username: str) -> None:
    """Tell an operator, once an hour, that somebody has tried too many passwords for them."""
    operator = Operator.objects.filter(username=username).first()
    if operator is not None and cache.add(f"proxx.locked:{operator.pk}", 1, timeout=ONE_AN_HOUR):
        audit.note("sign-in locked", operator, {"device": _device(request)})
        _mail(operator, "Too many wrong passwords", f"Somebody tries passwords for your name:\n\n{_place(request)}")


def factor_changed(request: HttpRequest, operator: Operator, what: str) -> None:
    """Write down and tell that a second factor came or went."""
    audit.note(what, operator)
    _mail(operator, what[:1].upper() + what[1:], f"How you sign in has changed: {what}.\n\n{_place(request)}")


def refused(request: HttpRequest, provider: str, who: str) -> None:
    """Write down that an identity from outside was on no list."""
    audit.note("sign-in refused", f"{who} at {provider}")


def _mail(operator: Operator, subject: str, text: str) -> None:
    if operator.email and settings.EMAIL_BACKEND != NO_MAIL:
        message = EmailMessage(f"proxx: {subject}", f"{text}\n\n{LOOK}\n", to=[operator.email])
        threading.Thread(target=_send, args=(message,), name="accounts.signin.mail", daemon=True).start()


def _send(message: EmailMessage) -> None:
    try:
        message.send()
    except OSError as fault:  # SMTP's faults are of this kind; their texts may hold addresses
        log.warning("An alert could not be sent.", extra={"fault": type(fault).__name__})


def _known(request: HttpRequest) -> list[str]:
    marks: Any = request.get_signed_cookie(_cookie(), default="", salt=KNOWN, max_age=KNOWN_FOR)
    return [mark for mark in str(marks).split(",") if mark]


def _cookie() -> str:
    return f"__Host-{KNOWN}" if settings.SESSION_COOKIE_SECURE else KNOWN


def _device(request: HttpRequest) -> str:
    return sessions.device(str(request.META.get("HTTP_USER_AGENT", "")))


def _place(request: HttpRequest) -> str:
    return f"{_device(request)}\n{sessions.address_of(request)}\n{clock.now():%Y-%m-%d %H:%M} UTC"
