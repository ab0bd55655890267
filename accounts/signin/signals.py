"""What happens whenever somebody signs in or shows again who they are, whichever way they took."""

from typing import Any

from allauth.account.internal.flows.login import AUTHENTICATION_METHODS_SESSION_KEY
from allauth.account.signals import authentication_step_completed
from allauth.account.signals import user_logged_in as let_in
from allauth.mfa.signals import authenticator_added, authenticator_removed
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponseBase

from accounts.signin import alerts, sessions, step_up
from accounts.signin.second_factor import PROTECTED

WAYS = {"password": "a password", "mfa": "a second factor", "socialaccount": "a provider"}


@receiver(user_logged_in, dispatch_uid="accounts.signin.begin")
def begin(request: HttpRequest, **_: Any) -> None:
    """Start the sign-in's limits, and list it."""
    sessions.begin(request)


@receiver(let_in, dispatch_uid="accounts.signin.tell")
def tell(request: HttpRequest, response: HttpResponseBase, user: Any, **_: Any) -> None:
    """Write it down, and tell of new browsers."""
    steps = request.session.get(AUTHENTICATION_METHODS_SESSION_KEY, ())
    way = " and ".join(_way(step) for step in steps) or "no step"
    alerts.signed_in(request, user, response, way)


@receiver(authentication_step_completed, dispatch_uid="accounts.signin.confirm")
def confirm(request: HttpRequest, **facts: Any) -> None:
    """Note that somebody who was signed in has shown again who they are."""
    if facts.get("reauthenticated"):
        step_up.note(request)


@receiver(authenticator_added, dispatch_uid="accounts.signin.factor_added")
def factor_added(request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    """Tell of a new second factor."""
    alerts.factor_changed(request, user, f"second factor added: {authenticator.get_type_display()}")


@receiver(authenticator_removed, dispatch_uid="accounts.signin.factor_removed")
def factor_removed(request: HttpRequest, user: Any, authenticator: Any, **_: Any) -> None:
    """Tell of a second factor that went; whether one is left is looked up anew."""
    request.session.pop(PROTECTED, None)
    alerts.factor_changed(request, user, f"second factor removed: {authenticator.get_type_display()}")


def _way(step: dict[str, Any]) -> str:
    return str(step.get("provider") or WAYS.get(step["method"], step["method"]))
