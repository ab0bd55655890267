"""Where a provider sends the browser back to. The page is public, as it must be; what it finishes is not.

A state leads to the sign-in that it belongs to. One that an operator began is finished in the browser of that operator
only, at the console's own address: a callback that arrives elsewhere (a loopback port, another name of this machine) is
sent on to it. One that a token began (the control API, a terminal) is finished by whoever comes with its state.
"""

from urllib.parse import urlencode

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_GET

from accounts.acting import Actor, ActorKind, acting_as
from oauth import pending, providers
from oauth.flows import browser, paste
from oauth.pages import flow
from oauth.pages.connect import PERMISSION
from oauth.pending import PendingLogin

KNOWN = ("code", "state", "error", "error_description")
UNKNOWN = "This sign-in is not known, or it is over. Begin again in the console."
NOT_YOURS = "Somebody else began this sign-in: only they can finish it."
NO_RIGHT = "Your roles no longer let you connect accounts."
UNFINISHED = "It is still being finished. Look again in a moment."


@never_cache
@require_GET
def arrive(request: HttpRequest) -> HttpResponse:
    """Send a browser that comes back on to the console's page, at the address where the sign-in was begun."""
    said = _said(request)
    row = pending.by_state(said.get("state", "")) if said.get("state") else None
    origin = row.origin if row is not None else ""
    return HttpResponseRedirect(f"{origin}{reverse('connect_back')}?{urlencode(said)}")


@never_cache
@require_GET
@sensitive_variables("said", "back")
def back(request: HttpRequest) -> HttpResponse:
    """Finish a sign-in with what the browser brings, or say why not."""
    said = _said(request)
    row = pending.by_state(said.get("state", "")) if said.get("state") else None
    if row is None:
        return _told(request, None, UNKNOWN, status=400)
    if pending.is_an_operators(row):
        if not request.user.is_authenticated:
            return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
        if row.begun_by != pending.me():
            return _told(request, None, NOT_YOURS, status=403)
        if not request.user.has_perm(PERMISSION):
            return _told(request, None, NO_RIGHT, status=403)
        return _complete(request, row, said)
    with acting_as(Actor(ActorKind.ADMIN, name="sign-in", address=request.META.get("REMOTE_ADDR", ""))):
        return _complete(request, row, said)


def _complete(request: HttpRequest, row: PendingLogin, said: dict[str, str]) -> HttpResponse:
    try:
        row = browser.complete(row, paste.of_parameters(said))
    except (paste.Unreadable, browser.WrongState, providers.UnknownSignIn) as fault:
        return _told(request, row, str(fault), status=400)
    if row.status == PendingLogin.Status.DONE:
        return _told(request, row, "")
    return _told(request, row, row.fault or UNFINISHED, status=400 if row.fault else 202)


def _told(request: HttpRequest, row: PendingLogin | None, fault: str, *, status: int = 200) -> HttpResponse:
    is_done = row is not None and row.status == PendingLogin.Status.DONE
    onward, says = _onward(request, row)
    own = {
        "title": "Connected" if is_done else "Not connected",
        "row": row,
        "entry": flow.entry_of(row) if row is not None else None,
        "who": flow.who(row) if row is not None else "",
        "said": flow.said(row) if row is not None else "",
        "fault": fault,
        "onward": onward,
        "onward_says": says,
    }
    return TemplateResponse(request, "oauth/back.html", {**admin.site.each_context(request), **own}, status=status)


def _onward(request: HttpRequest, row: PendingLogin | None) -> tuple[str, str]:
    if not admin.site.has_permission(request):
        return "", ""
    if row is not None and row.begun_by == pending.me():
        return reverse("connect_flow", args=(row.pk,)), "Back to the console"
    return reverse("connect"), "Back to the console"


def _said(request: HttpRequest) -> dict[str, str]:
    return {name: request.GET[name][: paste.LONGEST_CODE + 1] for name in KNOWN if request.GET.get(name)}
