"""The page of one sign-in under way: what to do next, and what came of it. Only whoever began it sees it.

The page asks by itself how far it is (static/console/connect.js); without scripts a button does.
"""

from uuid import UUID

from django.contrib import admin
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from oauth import pending, providers
from oauth.flows import browser, device, paste
from oauth.pages.connect import may
from oauth.pending import PendingLogin
from oauth.providers import SignIn

BROWSER_WAIT = 2  # seconds between two looks of the page; a device code has its own
AT_LEAST = 3
LATER = 3  # seconds on top of the provider's interval, so that no question is in vain


@sensitive_post_parameters("pasted")
@require_http_methods(["GET", "HEAD", "POST"])
def flow(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Show a sign-in; finish it with what was pasted."""
    may(request)
    row = _mine(pk)
    fault = ""
    if request.method == "POST" and row.method == PendingLogin.Method.BROWSER and not row.is_over:
        try:
            row = browser.complete(row, paste.read(request.POST.get("pasted", "")))
        except (paste.Unreadable, browser.WrongState, providers.UnknownSignIn) as wrong:
            fault = str(wrong)
        else:
            return redirect("connect_flow", row.pk)
    return TemplateResponse(
        request, "oauth/flow.html", {**admin.site.each_context(request), **_shown(row, fault)}, status=_status(fault)
    )


@require_POST
def state(request: HttpRequest, pk: UUID) -> HttpResponse:
    """Look how far a sign-in is, asking the provider if it is time to; without scripts, go back to its page."""
    may(request)
    row = _mine(pk)
    if row.method == PendingLogin.Method.DEVICE:
        try:
            row = device.poll(row)
        except providers.UnknownSignIn as gone:
            pending.fail(row, str(gone))
            row = pending.fresh(row)
    if "look" in request.POST:
        return redirect("connect_flow", row.pk)
    return JsonResponse({"over": row.is_over, "wait": _wait(row)})


def who(row: PendingLogin) -> str:
    """Return the name of the account that a sign-in led to: its e-mail address, or whatever it has."""
    credential = row.credential
    if credential is None:
        return "The account"
    account = getattr(credential, "sign_in", None)
    return (account.email if account is not None else "") or credential.chatgpt_account_id or credential.account_id


def said(row: PendingLogin) -> str:
    """Return what there is to say of the account besides that it is connected."""
    return "" if row.said == f"{who(row)} is connected." else row.said


def entry_of(row: PendingLogin) -> SignIn | None:
    """Return where a sign-in is made, if that is still offered."""
    return providers.sign_ins().get(row.sign_in)


def _mine(pk: UUID) -> PendingLogin:
    row = pending.mine(pk)
    if row is None:
        raise Http404
    return row


def _shown(row: PendingLogin, fault: str) -> dict[str, object]:
    entry = entry_of(row)
    label = entry.label if entry is not None else row.sign_in
    return {
        "title": f"Sign in at {label}",
        "row": row,
        "entry": entry,
        "who": who(row),
        "said": said(row),
        "held": pending.opened(row),
        "wait": _wait(row),
        "fault": fault,
    }


def _wait(row: PendingLogin) -> int:
    return max(AT_LEAST, row.interval + LATER) if row.method == PendingLogin.Method.DEVICE else BROWSER_WAIT


def _status(fault: str) -> int:
    return 400 if fault else 200
