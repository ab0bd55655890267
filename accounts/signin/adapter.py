"""What allauth asks about accounts, answered for operators: nobody signs up, wrong passwords count per address."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.core.exceptions import ValidationError
from django.http import HttpRequest

from accounts.signin import alerts, second_factor, sessions, step_up

WRONG = "That is not the right name and password."
TOO_MANY = "Too many wrong attempts from here. Wait a while, then try again."


class AccountAdapter(DefaultAccountAdapter):
    """Sign-in with name and password."""

    error_messages = {
        **DefaultAccountAdapter.error_messages,
        "username_password_mismatch": WRONG,
        "invalid_login": WRONG,
        "too_many_login_attempts": TOO_MANY,
        "incorrect_password": "That is not your password.",
    }

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        """Refuse: operators are added by operators, or come from a provider of identities that may bring them."""
        return False

    def get_client_ip(self, request: HttpRequest) -> str:
        """Return the client's address."""
        return sessions.address_of(request)

    def pre_authenticate(self, request: HttpRequest, **credentials: Any) -> None:
        """Refuse whoever was wrong too often, and tell the operator."""
        try:
            super().pre_authenticate(request, **credentials)
        except ValidationError:
            alerts.locked_out(request, str(credentials.get("username", "")))
            raise

    def authentication_failed(self, request: HttpRequest, **credentials: Any) -> None:
        """Write a wrong password down."""
        alerts.failed(request, str(credentials.get("username", "")))

    def is_reauthentication_required(self, *, app: str, **kwargs: Any) -> bool:
        """Ask again before second factors change, unless somebody has just shown who they are."""
        return not step_up.is_recent(self.request)

    def get_reauthentication_methods(self, user: Any) -> list[dict[str, Any]]:
        """Return the ways to show again who one is; with a second factor the password alone is no longer one."""
        found: list[dict[str, Any]] = super().get_reauthentication_methods(user)
        factors = [way for way in found if way["id"] != "reauthenticate"]
        return factors if user.is_authenticated and second_factor.has_one(user) else found

    def _get_login_attempts_cache_key(self, request: HttpRequest, **credentials: Any) -> str:
        # Per name and address: a stranger elsewhere must not be able to lock an operator out.
        return f"{credentials.get('username', '').lower()}:{self.get_client_ip(request)}"
