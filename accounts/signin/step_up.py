"""What is dangerous asks again who is there: a password or second factor within the last minutes (security B3).

Signing in counts as showing it. A form that was opened in time may still be sent a while later: nobody should lose
what they typed.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode

from accounts.signin.sessions import CONFIRMED
from proxx.kit import clock

FORM_STAYS_OPEN = 600.0  # seconds on top, for sending what was opened in time
LOST = "That took too long: confirm that it is you, then send it again."

View = Callable[..., HttpResponseBase]


def is_recent(request: HttpRequest, *, grace: float = 0.0) -> bool:
    """Tell whether whoever asks has shown who they are within the last minutes (and `grace` seconds more)."""
    confirmed = request.session.get(CONFIRMED)
    limit = settings.PROXY_STEP_UP_MINUTES * 60 + grace
    return isinstance(confirmed, int | float) and 0 <= clock.unix() - confirmed <= limit


def note(request: HttpRequest) -> None:
    """Note that whoever asks has just shown who they are."""
    request.session[CONFIRMED] = clock.unix()


def requires_step_up(view: View) -> View:
    """Let a view run only for somebody who has recently shown who they are; ask the others, then come back."""

    @wraps(view)
    def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        return asked_again(request) or view(request, *args, **kwargs)

    return guarded


def asked_again(request: HttpRequest, *, back: str = "") -> HttpResponse | None:
    """Return the way to the page that asks who is there, or None if that is known well enough; from there it goes on
    to this page, unless `back` names another one."""
    sends = request.method == "POST"
    if not request.user.is_authenticated or is_recent(request, grace=FORM_STAYS_OPEN if sends else 0.0):
        return None
    if sends:
        messages.warning(request, LOST)
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': back or request.get_full_path()})}")


class NeedsStepUp:
    """For an admin page whose forms are dangerous: opening one to change something, or sending anything, asks again."""

    def changeform_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask before a form is opened or sent."""
        return asked_again(request) or super().changeform_view(request, *args, **kwargs)  # type: ignore[misc]

    def delete_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask before something is deleted."""
        return asked_again(request) or super().delete_view(request, *args, **kwargs)  # type: ignore[misc]

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Ask before an action runs on rows of the list."""
        asked = asked_again(request) if request.method == "POST" else None
        return asked or super().changelist_view(request, *args, **kwargs)  # type: ignore[misc]
