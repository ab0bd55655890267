"""What allauth asks about identities from outside: who may come in, and which operator they are.

An identity belongs to the operator that it made at its first sign-in, or that linked it while signed in; never to
another one because of an e-mail address. Its list is asked each time.
"""

import logging
from http import HTTPStatus
from typing import Any

from allauth.core.exceptions import ImmediateHttpResponse
from allauth.socialaccount.adapter import DefaultSocialAccountAdapter
from allauth.socialaccount.providers.base import AuthProcess
from django.conf import settings
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse

from accounts.signin import admission, alerts, oidc
from accounts.signin.admission import Identity
from accounts.signin.entry import Entry

logger = logging.getLogger(__name__)

GITHUB = "github"
ORGANISATIONS = "https://api.github.com/user/orgs?per_page=100"


class OutsideAdapter(DefaultSocialAccountAdapter):
    """Identities of GitHub and of OpenID Connect issuers."""

    def list_apps(self, request: HttpRequest, provider: str | None = None, client_id: str | None = None) -> list[Any]:
        """Return the providers of the settings; there are none in the database."""
        from allauth.socialaccount.adapter import _build_apps_from_settings

        found = _build_apps_from_settings(provider=provider, client_id=client_id)
        return [app for apps in found.values() for app in apps]

    def get_provider(self, request: HttpRequest, provider: str, client_id: str | None = None) -> Any:
        """Return a provider by its name; an issuer with our rules."""
        found = super().get_provider(request, provider, client_id)
        ours = oidc.GitHub if found.id == GITHUB else oidc.StrictProvider
        return ours(request, app=found.app)

    def pre_social_login(self, request: HttpRequest, sociallogin: Any) -> None:
        """Let an identity in, with the roles it deserves; refuse who is on no list."""
        claims = sociallogin.account.extra_data.get("id_token")
        if claims is not None and not oidc.fits(sociallogin.state.get("nonce"), claims):
            raise ImmediateHttpResponse(fault(request, sociallogin.account.provider))
        identity = self._identity(sociallogin)
        listed = admission.entries(identity.provider)
        deserved = admission.matching(identity, listed)
        if not deserved:
            raise ImmediateHttpResponse(refused(request, sociallogin, identity))
        sociallogin.email_addresses = []  # an address neither links nor is in the way of anything
        if sociallogin.is_existing:
            if sociallogin.state.get("process") != AuthProcess.CONNECT:
                admission.apply_roles(sociallogin.user, listed, deserved)
            return
        sociallogin.user.email = identity.email
        sociallogin.user.is_staff = False
        request.admitted = (listed, deserved)  # type: ignore[attr-defined]

    def is_open_for_signup(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Make an operator of an identity that was let in."""
        return hasattr(request, "admitted")

    def is_auto_signup_allowed(self, request: HttpRequest, sociallogin: Any) -> bool:
        """Ask for nothing more."""
        return True

    def save_user(self, request: HttpRequest, sociallogin: Any, form: Any = None) -> Any:
        """Store a new operator, who can do nothing but what the list says."""
        operator = super().save_user(request, sociallogin, form)
        listed, deserved = _admitted(request)
        admission.apply_roles(operator, listed, deserved)
        return operator

    def get_connect_redirect_url(self, request: HttpRequest, socialaccount: Any) -> str:
        """Return to the page of one's own sign-in."""
        return reverse("signin_account")

    def on_authentication_error(self, request: HttpRequest, provider: Any, **facts: Any) -> None:
        """Say that it did not work out, without the provider's words."""
        name = getattr(provider.app, "provider_id", "") or provider.id
        reason = facts.get("exception")
        told = str(reason) if isinstance(reason, oidc.Untrusted) else type(reason).__name__
        logger.warning("Signing in with a provider did not work out.", extra={"provider": name, "reason": told})
        raise ImmediateHttpResponse(fault(request, name))

    def can_authenticate_by_email(self, login: Any, email: str) -> bool:
        """Refuse: an e-mail address is no identity."""
        return False

    def _identity(self, sociallogin: Any) -> Identity:
        account = sociallogin.account
        if account.provider != GITHUB:
            claims = {**(account.extra_data.get("userinfo") or {}), **account.extra_data["id_token"]}
            claim = sociallogin.provider.app.settings["groups_claim"]
            return admission.identity_of(account.provider, claims, groups_claim=claim)
        verified = [one.email.lower() for one in sociallogin.email_addresses if one.verified]
        primary = [one.email.lower() for one in sociallogin.email_addresses if one.verified and one.primary]
        email = next(iter(primary or verified), "")
        login = str(account.extra_data["login"]).lower()
        return Identity(GITHUB, frozenset({login, f"id:{account.uid}"}), email, orgs=self._organisations(sociallogin))

    def _organisations(self, sociallogin: Any) -> frozenset[str]:
        if not any(entry.kind == "org" for entry in admission.entries(GITHUB)):
            return frozenset()
        with self.get_requests_session() as session:
            answer = session.get(ORGANISATIONS, headers={"Authorization": f"token {sociallogin.token.token}"})
            answer.raise_for_status()
            return frozenset(str(one["login"]).lower() for one in answer.json())


def ways() -> list[dict[str, str]]:
    """Return what the sign-in page offers besides a password: the id and the name of each provider."""
    return [{"id": one, "name": name} for one, name in settings.PROXY_SIGN_IN_WAYS.items()]


def refused(request: HttpRequest, sociallogin: Any, identity: Identity) -> HttpResponse:
    """Tell somebody whom the provider knows that they may not come in here."""
    name = identity.email or next(iter(sorted(identity.names)), "")
    alerts.refused(request, identity.provider, name)
    context = {"who": name, "way": _name(identity.provider), "title": "Not on the list"}
    return _page(request, "signin/refused.html", context, HTTPStatus.FORBIDDEN)


def fault(request: HttpRequest, provider: str) -> HttpResponse:
    """Tell somebody that signing in there did not work out."""
    context = {"way": _name(provider), "title": "That did not work out"}
    return _page(request, "signin/fault.html", context, HTTPStatus.UNAUTHORIZED)


def _page(request: HttpRequest, template: str, context: dict[str, Any], status: HTTPStatus) -> HttpResponse:
    answer = TemplateResponse(request, template, {**admin.site.each_context(request), **context}, status=status)
    return answer.render()


def _name(provider: str) -> str:
    return str(settings.PROXY_SIGN_IN_WAYS.get(provider, "the provider"))


def _admitted(request: HttpRequest) -> tuple[list[Entry], list[Entry]]:
    return request.admitted  # type: ignore[attr-defined,no-any-return]
