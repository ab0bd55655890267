"""What the buttons of the quota wall do. Each is one word and the account it concerns, perhaps a model: `ask 0190…`.

What changes who is called, or spends something of an account, asks who is there, as the page of credentials does.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.core.exceptions import BadRequest
from django.http import Http404, HttpRequest, HttpResponse

from accounts import audit, rights, tenant_settings
from accounts.models import Credential, Tenant
from accounts.sanitized import is_sanitized
from accounts.signin import step_up
from proxx.console.wall import reading
from proxx.gateway import probe
from routing import health, quota_admin, quota_credits, quota_refresh

ALL = "all"
CLEARED = "Cleared. The next call may go there."


@dataclass(frozen=True, slots=True)
class Button:
    """What a button does to an account (and, for some, a model), and whether it asks who is there first."""

    does: Callable[[HttpRequest, Credential, str], None]
    steps_up: bool = False


def press(request: HttpRequest) -> HttpResponse | None:
    """Do what the pressed button says; return a page only if something else must come first."""
    word, _, rest = request.POST.get("do", "").partition(" ")
    said, _, model = rest.partition(" ")
    if word == "first":
        return step_up.asked_again(request) or _first(request)
    if word == "ask" and said == ALL:
        _ask_all(request)
        return None
    button = BUTTONS.get(word)
    if button is None:
        raise BadRequest("There is no such button.")
    if button.steps_up and (asked := step_up.asked_again(request)) is not None:
        return asked
    button.does(request, account(said), model)
    return None


def account(said: str) -> Credential:
    """Return an account by its id; raise Http404."""
    try:
        found = Credential.objects.filter(pk=UUID(said)).first()
    except ValueError:
        found = None
    if found is None:
        raise Http404
    return found


def _ask(request: HttpRequest, row: Credential, model: str) -> None:
    audit.note("asked for quota", row)
    _tell(request, quota_refresh.refresh([row.pk], forced=True))


def _ask_all(request: HttpRequest) -> None:
    answers = quota_refresh.refresh(forced=True)
    audit.note("asked for quota", f"{len(answers)} accounts")
    _tell(request, answers)


def _tell(request: HttpRequest, answers: list[quota_refresh.Answer]) -> None:
    quota_admin.tell(request, answers, hides=is_sanitized(request))


def _probe(request: HttpRequest, row: Credential, model: str) -> None:
    found = probe.probe(row.pk, model)
    came = found.fault or f"“{found.said}”"
    audit.note("probed", row, {"model": found.model, "answered": not found.fault, "status": found.status})
    name = reading.name_of(row, hides=is_sanitized(request))
    took = f" ({found.model}, {found.seconds:.1f} s)" if found.model else ""
    if found.fault:
        messages.error(request, f"{name} did not answer: {came}{took}")
    elif found.is_word:
        messages.success(request, f"{name} answers: {came}{took}.")
    else:
        messages.warning(request, f"{name} answers, but not with the word it was asked for: {came}{took}.")


def _switch(request: HttpRequest, row: Credential, *, on: bool) -> None:
    if row.enabled != on:
        row.enabled = on
        row.save(update_fields=["enabled"])
    name = reading.name_of(row, hides=is_sanitized(request))
    messages.success(request, f"{name} is switched {'on' if on else 'off'}.")


def _clear(request: HttpRequest, row: Credential, model: str) -> None:
    health.clear(row.pk)
    audit.note("cleared rests", row)
    messages.success(request, CLEARED)


def _clear_one(request: HttpRequest, row: Credential, model: str) -> None:
    """Without a model: what rests for all of them."""
    health.clear(row.pk, model)
    audit.note("cleared rests", row, {"model": model or "all together"})
    messages.success(request, CLEARED)


def use_credit(request: HttpRequest, row: Credential, redemption: UUID) -> None:
    """Use a reset credit, and tell what is left then; raise `CreditsUnknown` if it was not used."""
    audit.note("used a reset credit", row, {"redemption": str(redemption)})  # before: what was sent stays sent
    answers = quota_credits.use(row.pk, redemption)
    messages.success(request, f"One credit of {reading.name_of(row, hides=is_sanitized(request))} is used.")
    _tell(request, answers)


def _first(request: HttpRequest) -> HttpResponse | None:
    """Have a tenant ask one account first where calls are passed on as they are; none named: whichever is next."""
    try:
        tenant_id = UUID(request.POST.get("tenant", ""))
        chosen = request.POST.get("chosen", "")
        row = account(chosen) if chosen else None
        tenant = tenant_settings.change(tenant_id, {"passthrough_account": row}, by=rights.of(request.user))
    except (ValueError, Tenant.DoesNotExist):
        raise Http404 from None
    messages.success(request, f"{'Asked first' if row else 'No account is first'} for {tenant}.")
    return None


BUTTONS: Final = {
    "ask": Button(_ask),
    "probe": Button(_probe),
    "clear": Button(_clear),
    "clear-one": Button(_clear_one),
    "on": Button(lambda request, row, model: _switch(request, row, on=True), steps_up=True),
    "off": Button(lambda request, row, model: _switch(request, row, on=False), steps_up=True),
}
