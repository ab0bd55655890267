"""The console's pages that connect an account: which provider, which way, and what it takes to begin.

They ask for the right that adding a credential asks for, and who is there again. What happens next is flow.py's.
"""

from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST, require_safe

from accounts.models import Credential
from accounts.signin.step_up import requires_step_up
from oauth import providers
from oauth.flows import bringing, brought, browser, device, finishing
from oauth.pages.origin import origin_of
from oauth.providers import SignIn
from oauth.tokens import Refused, Unreachable

PERMISSION = "accounts.add_credential"
SHOWN_FAULTS = 20
CHOOSE = "Choose one of the ways below."
WORDS = {"browser": "a browser", "device": "a code", "files": "its CLI's files"}


def may(request: HttpRequest) -> None:
    """Raise `PermissionDenied` for whoever may not add credentials."""
    if not request.user.has_perm(PERMISSION):
        raise PermissionDenied


@require_safe
@requires_step_up
def providers_page(request: HttpRequest) -> HttpResponse:
    """Show where one can sign in."""
    may(request)
    entries = [{"name": one.name, "label": one.label, "says": _says(one)} for one in providers.sign_ins().values()]
    own = {"title": "Connect an account", "entries": entries}
    return TemplateResponse(request, "oauth/connect.html", {**admin.site.each_context(request), **own})


@require_safe
@requires_step_up
def way_page(request: HttpRequest, sign_in: str) -> HttpResponse:
    """Show the ways to one provider."""
    may(request)
    entry = entry_of(sign_in)
    return _way(request, entry, again=_again(entry, request.GET.get("account", "")))


@require_POST
@requires_step_up
def begin(request: HttpRequest, sign_in: str) -> HttpResponse:
    """Begin to sign in with a browser or a code."""
    may(request)
    entry = entry_of(sign_in)
    again = _again(entry, request.POST.get("account", ""))
    method = request.POST.get("method", "")
    email = again.label if again is not None and "@" in again.label else ""
    if method == "browser" and "browser" in entry.flows:
        id = browser.begin(entry, origin=origin_of(request), replaces=again, email=email)
        return redirect("connect_flow", id)
    if method != "device" or not entry.device:
        return _way(request, entry, again=again, fault=CHOOSE)
    try:
        id = device.begin(entry, replaces=again, email=email)
    except (Refused, Unreachable) as fault:
        return _way(request, entry, again=again, fault=fault.message)
    return redirect("connect_flow", id)


@sensitive_post_parameters("access", "refresh", "text")
@require_POST
@requires_step_up
def bring(request: HttpRequest, sign_in: str) -> HttpResponse:
    """Take over what was signed in elsewhere."""
    may(request)
    entry = entry_of(sign_in)
    again = _again(entry, request.POST.get("account", ""))
    what = request.POST.get("what", "")
    try:
        if what not in READERS or (what == "files" and "files" not in entry.flows):
            raise ValueError(CHOOSE)
        outcomes = bringing.keep(entry, READERS[what](request), again=again)
    except ValueError as fault:
        return _way(request, entry, again=again, fault=str(fault), opened=what)
    good = [one for one in outcomes if one.credential is not None]
    faults = [f"{one.place}: {one.sentence}" for one in outcomes if one.credential is None]
    if not good:
        return _way(request, entry, again=again, fault=" ".join(faults[:SHOWN_FAULTS]), opened=what)
    for sentence in faults[:SHOWN_FAULTS]:
        messages.warning(request, sentence)
    if len(outcomes) == 1:
        messages.success(request, good[0].sentence)
        return redirect("admin:accounts_credential_change", good[0].credential.pk)  # type: ignore[union-attr]
    messages.success(request, f"{len(good)} of {len(outcomes)} accounts are connected.")
    return redirect("admin:accounts_credential_changelist")


def entry_of(name: str) -> SignIn:
    """Return an entry by its name; 404 if there is none."""
    try:
        return providers.get(name)
    except providers.UnknownSignIn:
        raise Http404 from None


def _again(entry: SignIn, said: str) -> Credential | None:
    """Return the account to sign in to again; 404 if it is none of this provider's."""
    if not said:
        return None
    try:
        found = finishing.known(entry, UUID(said))
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _way(
    request: HttpRequest, entry: SignIn, *, again: Credential | None, fault: str = "", opened: str = ""
) -> HttpResponse:
    title = f"Sign in to {entry.label} again" if again is not None else f"Connect an account of {entry.label}"
    ways = {way for way in ("browser", "files") if way in entry.flows} | ({"device"} if entry.device else set())
    own = {"title": title, "entry": entry, "again": again, "fault": fault, "opened": opened, "ways": ways}
    context = {**admin.site.each_context(request), **own}
    return TemplateResponse(request, "oauth/way.html", context, status=400 if fault else 200)


def _says(entry: SignIn) -> str:
    ways = [WORDS[flow] for flow in entry.flows if flow in WORDS]
    return f"With {', '.join(ways)}, or tokens that you have."


def _typed(request: HttpRequest) -> list[brought.Brought]:
    return [bringing.typed(request.POST.get("access", ""), request.POST.get("refresh", ""))]


def _many(request: HttpRequest) -> list[brought.Brought]:
    texts = [request.POST.get("text", ""), *(_text(one) for one in request.FILES.getlist("file"))]
    found = [one for text in texts if text.strip() for one in brought.read(text)]
    if not found:
        raise ValueError("Paste accounts, or choose a file.")
    return found


def _files(request: HttpRequest) -> list[brought.Brought]:
    data, key = request.FILES.get("data"), request.FILES.get("key")
    if data is None or key is None:
        raise ValueError("Choose both files.")
    return [bringing.of_files(_text(data), _text(key))]


def _text(file: Any) -> str:
    if (file.size or 0) > brought.LARGEST:
        raise ValueError("The file is too large.")
    try:
        return str(file.read().decode())
    except UnicodeDecodeError:
        raise ValueError("The file is no text.") from None


READERS: dict[str, Any] = {"token": _typed, "many": _many, "files": _files}
