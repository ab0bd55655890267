"""The pages for second factors: getting one, using one, losing one."""

from typing import Any

from allauth.mfa.base import views as base_views
from allauth.mfa.models import Authenticator
from allauth.mfa.totp import views as app_views
from allauth.mfa.webauthn import views as passkey_views
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.http import require_POST

from accounts.signin import second_factor
from accounts.signin.framed import Framed


class EnterCode(Framed, base_views.AuthenticateView):
    """The second step of signing in: a code or a passkey."""

    title = "One more step"


class ConfirmByCode(Framed, base_views.ReauthenticateView):
    """A code once more, before something dangerous."""

    title = "Confirm that it is you"


class ConfirmByPasskey(Framed, passkey_views.ReauthenticateWebAuthnView):
    """A passkey once more, before something dangerous."""

    title = "Confirm that it is you"

    def form_invalid(self, form: Any) -> HttpResponse:
        """Say on the same page that it was not one of the operator's passkeys."""
        for message in form.errors.get("credential", []):
            messages.error(self.request, message)
        return redirect(self.request.get_full_path())


class AddApp(Framed, app_views.ActivateTOTPView):
    """Show a picture to scan, and take the first code."""

    title = "Add an authenticator app"

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Add the secret for those who cannot scan, in groups that can be typed."""
        own = super().get_context_data(**more)
        secret = own["form"].secret
        return {**own, "secret": " ".join(secret[at : at + 4] for at in range(0, len(secret), 4))}

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it, and show recovery codes if there are none yet."""
        return _with_first_codes(self.request, super().form_valid(form))


class RemoveApp(Framed, app_views.DeactivateTOTPView):
    """Ask once more, then forget the authenticator app."""

    title = "Remove the authenticator app"


class AddPasskey(Framed, passkey_views.AddWebAuthnView):
    """Make a passkey with the browser's help."""

    title = "Add a passkey"

    def form_valid(self, form: Any) -> HttpResponse:
        """Keep it, and show recovery codes if there are none yet."""
        return _with_first_codes(self.request, super().form_valid(form))


class RemovePasskey(Framed, passkey_views.RemoveWebAuthnView):
    """Ask once more, then forget a passkey."""

    title = "Remove a passkey"


@require_POST
def renew_codes(request: HttpRequest) -> HttpResponse:
    """Make new recovery codes and show them, once."""
    if not second_factor.has_one(request.user):
        raise Http404
    return _show(request, second_factor.new_codes(request.user))


def factors_of(operator: Any) -> dict[str, Any]:
    """Return what the page of one's own sign-in shows of second factors."""
    found = list(Authenticator.objects.filter(user=operator).order_by("created_at"))
    return {
        "app": next((one for one in found if one.type == Authenticator.Type.TOTP), None),
        "passkeys": [one for one in found if one.type == Authenticator.Type.WEBAUTHN],
        "codes_left": second_factor.codes_left(operator),
    }


def _with_first_codes(request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    codes = second_factor.first_codes(request)
    return _show(request, codes) if codes else answer


def _show(request: HttpRequest, codes: list[str]) -> HttpResponse:
    context = {**admin.site.each_context(request), "title": "Recovery codes", "codes": codes}
    return TemplateResponse(request, "signin/recovery_codes.html", context)
