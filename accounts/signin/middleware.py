"""Before every page of the console: is this sign-in within its limits, and as strong as its roles demand?

The limits count wherever a session does, in the control API too; there its callers.py asks for the second factor.
"""

from django.contrib import messages
from django.contrib.auth import SESSION_KEY
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.deprecation import MiddlewareMixin

from accounts.signin import second_factor, sessions

CONSOLE = "/console/"
# Where somebody without the second factor that their role demands still gets: to where one gets it, and out.
STILL_OPEN = (
    "/console/account/",
    "/console/confirm/",
    "/console/login/",
    "/console/logout/",
    "/console/password_change/",
)
DEMANDED = "Your role needs a second factor: add an authenticator app or a passkey, then go on."


class EndOverdue(MiddlewareMixin):
    """End a sign-in that is too old or was idle for too long; note that the others are in use."""

    def process_request(self, request: HttpRequest) -> None:
        """Look at the session's marks; without a session there is nothing to do."""
        if SESSION_KEY not in request.session:
            return
        if sessions.is_over(request.session):
            request.session.flush()
        else:
            sessions.touch(request)


class DemandSecondFactor(MiddlewareMixin):
    """Let operators whose role demands a second factor do nothing until they have one."""

    def process_request(self, request: HttpRequest) -> HttpResponse | None:
        """Send them to the page where one gets it."""
        path = request.path_info
        if not path.startswith(CONSOLE) or path.startswith(STILL_OPEN) or not request.user.is_authenticated:
            return None
        if not second_factor.is_missing(request.user, request.session):
            return None
        messages.warning(request, DEMANDED)
        return redirect("signin_account")
