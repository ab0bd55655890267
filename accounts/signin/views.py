"""The sign-in page, the page that asks again, and what an operator sees of their own sign-ins."""

from typing import Any

from allauth.account import views as allauth_views
from allauth.account.adapter import get_adapter
from allauth.account.utils import get_next_redirect_url
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.signin import outside, sessions
from accounts.signin.factor_views import factors_of
from accounts.signin.framed import Framed
from accounts.signin.outside_views import identities_of


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class SignIn(Framed, allauth_views.LoginView):
    """Name and password, and the other ways in; whoever is signed in but has no rights is told so."""

    title = "Sign in"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Tell people without rights, let everybody else sign in."""
        if request.user.is_authenticated and not admin.site.has_permission(request):
            return TemplateResponse(request, "signin/no_rights.html", admin.site.each_context(request), status=403)
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **more: Any) -> dict[str, Any]:
        """Add the ways in besides a password."""
        return {**super().get_context_data(**more), "ways": outside.ways()}


@method_decorator(sensitive_post_parameters("password"), name="dispatch")
class Confirm(Framed, allauth_views.ReauthenticateView):
    """The password once more, before something dangerous."""

    title = "Confirm that it is you"

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        """Offer those who have neither password nor second factor to sign in again where they came from."""
        if get_adapter(request).get_reauthentication_methods(request.user):
            return super().dispatch(request, *args, **kwargs)
        mine = {account.provider for account in request.user.socialaccount_set.all()}  # type: ignore[union-attr]
        own = {"title": self.title, "ways": [way for way in outside.ways() if way["id"] in mine]}
        own["next"] = get_next_redirect_url(request) or reverse("signin_account")
        return TemplateResponse(request, "signin/confirm_outside.html", {**admin.site.each_context(request), **own})


class SwitchedOff(Framed, allauth_views.AccountInactiveView):
    """For an operator who was switched off."""

    title = "Switched off"


@require_safe
def account(request: HttpRequest) -> HttpResponse:
    """Show how oneself signs in, and where one is signed in now."""
    open_ones = sessions.open_ones(request.user, request.session.session_key)  # type: ignore[arg-type]
    own = {"title": "My sign-in", "sign_ins": open_ones, **factors_of(request.user), **identities_of(request.user)}
    return TemplateResponse(request, "signin/account.html", {**admin.site.each_context(request), **own})


@require_POST
def end_sign_ins(request: HttpRequest) -> HttpResponse:
    """End one of one's own sign-ins, or all but this one."""
    operator: Any = request.user
    chosen = [int(one) for one in request.POST.getlist("sign_in") if one.isdecimal() and len(one) < 19]
    if "others" in request.POST:
        ended = sessions.end_all(operator, keep=request.session.session_key)
    else:
        ended = sessions.end(operator, chosen)
    messages.success(request, f"{ended} sign-ins ended." if ended != 1 else "The sign-in is ended.")
    return redirect("signin_account")
