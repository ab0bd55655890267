"""Going to a provider of identities, and coming back."""

from secrets import token_urlsafe
from typing import Any

from allauth.account.utils import get_next_redirect_url
from allauth.socialaccount.adapter import get_adapter
from allauth.socialaccount.models import SocialAccount, SocialApp
from allauth.socialaccount.providers.oauth2.client import OAuth2Error
from allauth.socialaccount.providers.oauth2.views import OAuth2CallbackView
from django.contrib import admin, messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from accounts.signin import outside, step_up
from accounts.signin.oidc import GitHubAdapter, StrictAdapter


@never_cache
@require_POST
def begin(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Show the way to a provider: to sign in, or to link one's identity there to the operator who is signed in.

    It is a page and no redirect: the browser lets a form of ours lead to our own pages only (`form-action 'self'`).
    """
    linking = "link" in request.POST and admin.site.has_permission(request)
    if linking and (asked := step_up.asked_again(request)):
        return asked
    try:
        provider = get_adapter(request).get_provider(request, provider_id)
    except SocialApp.DoesNotExist:
        raise Http404 from None
    extra = {"prompt": "login"} if request.user.is_authenticated and not linking else {}
    nonce = token_urlsafe(24)
    if provider_id != outside.GITHUB:
        extra["nonce"] = nonce
    try:
        away = provider.redirect(
            request,
            process="connect" if linking else "login",
            next_url="/console/account/" if linking else get_next_redirect_url(request),
            nonce=nonce,
            auth_params={**provider.get_auth_params(), **extra},
        )
    except (OAuth2Error, OSError, KeyError, ValueError):  # it does not answer, or answers nonsense
        return outside.fault(request, provider_id)
    context = {**admin.site.each_context(request), "title": "One moment", "away": away["Location"]}
    return TemplateResponse(request, "signin/leaving.html", {**context, "way": provider.app.name})


@never_cache
@require_safe
def back(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    """Take the answer of a provider."""
    try:
        adapter = GitHubAdapter(request) if provider_id == outside.GITHUB else StrictAdapter(request, provider_id)
        return OAuth2CallbackView.adapter_view(adapter)(request)  # type: ignore[no-any-return]
    except SocialApp.DoesNotExist:
        raise Http404 from None
    except (OSError, KeyError, TypeError, ValueError):
        return outside.fault(request, provider_id)


@require_POST
def unlink(request: HttpRequest) -> HttpResponse:
    """Forget one of one's own identities elsewhere, unless it is the only way in."""
    mine = SocialAccount.objects.filter(user=request.user)
    number = request.POST.get("identity", "")
    chosen = get_object_or_404(mine, pk=number if number.isdecimal() and len(number) < 19 else 0)
    if mine.count() == 1 and not request.user.has_usable_password():  # type: ignore[union-attr]
        messages.error(request, "It is your only way in.")
    else:
        chosen.delete()
        messages.success(request, "It no longer opens this console.")
    return redirect("signin_account")


def identities_of(operator: Any) -> dict[str, Any]:
    """Return what the page of one's own sign-in shows of identities elsewhere."""
    names = {way["id"]: way["name"] for way in outside.ways()}
    linked = list(SocialAccount.objects.filter(user=operator).order_by("date_joined"))
    shown = [{"id": one.pk, "name": names.get(one.provider, one.provider), "who": _who(one)} for one in linked]
    return {"identities": shown, "linkable": [way for way in outside.ways() if way["id"] not in _of(linked)]}


def _of(linked: list[Any]) -> set[str]:
    return {one.provider for one in linked}


def _who(account: Any) -> str:
    facts = {
        **account.extra_data,
        **(account.extra_data.get("id_token") or {}),
        **(account.extra_data.get("userinfo") or {}),
    }
    return str(facts.get("email") or facts.get("login") or facts.get("preferred_username") or account.uid)[:100]
