"""What is done to one account by program, as on the quota wall: a probe, and reset credits read and used."""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field, StrictStr

from accounts import audit
from accounts.models import Credential
from oauth.reset_credits import CreditsUnknown
from proxx.api.control.callers import Needs
from proxx.api.control.credentials import SHELF, Quota, quota_of
from proxx.api.control.errors import Refused
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers
from proxx.gateway import probe
from proxx.gateway.probe import Probed
from routing import quota_credits

router = Router()
TAGS: list[str] = ["Credentials"]

_read, _write = Needs(SHELF.read, everywhere=True), Needs(SHELF.write, everywhere=True)
_spends = Needs(SHELF.write, everywhere=True, steps_up=True)


class ProbeWish(Strict):
    """Which model to ask for."""

    model: Annotated[StrictStr, Field(max_length=200)] | None = Field(
        None, description="Left out: the cheapest that its provider lists."
    )


class Probing(Schema):
    """What came of a probe."""

    ok: bool = Field(description="The account answered.")
    model: str
    said: str = Field(description="The beginning of the answer.")
    is_word: bool = Field(description="The answer holds the word that was asked for.")
    seconds: float
    status: int | None
    fault: str


class Credits(Schema):
    """How many reset credits an account has."""

    available: int


class Redemption(Strict):
    """The use of one credit."""

    redemption: UUID = Field(description="A name of your choice for this use: sent twice it counts once.")


@router.post("/credentials/{uuid:pk}/probe", auth=_write, response=answers(Probing), tags=TAGS)
def probe_credential(request: HttpRequest, pk: UUID, payload: ProbeWish) -> Any:
    """Ask one account for a word, past the planner, within 30 seconds. It spends a few tokens."""
    return probed(SHELF.one(request.auth, SHELF.write, pk), payload.model or "")  # type: ignore[attr-defined]


@router.get("/credentials/{uuid:pk}/reset-credits", auth=_read, response=answers(Credits), tags=TAGS)
def get_reset_credits(request: HttpRequest, pk: UUID) -> Any:
    """Ask how many credits there are that begin used-up windows anew. 409 if the provider does not say."""
    return {"available": available(SHELF.one(request.auth, SHELF.read, pk))}  # type: ignore[attr-defined]


@router.post("/credentials/{uuid:pk}/reset-credits/use", auth=_spends, response=answers(Quota), tags=TAGS)
def use_reset_credit(request: HttpRequest, pk: UUID, payload: Redemption) -> Any:
    """Use one credit, then ask what is left now. 409 if it was not used, as far as is known."""
    return used(SHELF.one(request.auth, SHELF.write, pk), payload.redemption)  # type: ignore[attr-defined]


def probed(row: Credential, model: str = "") -> dict[str, Any]:
    """Probe an account and write it down."""
    found: Probed = probe.probe(row.pk, model)
    audit.note("probed", row, {"model": found.model, "answered": not found.fault, "status": found.status})
    named = ("model", "said", "is_word", "seconds", "status", "fault")
    return {"ok": not found.fault, **{name: getattr(found, name) for name in named}}


def available(row: Credential) -> int:
    """Return how many reset credits an account has; refuse if nobody says."""
    try:
        return quota_credits.available(row.pk)
    except CreditsUnknown as fault:
        raise Refused(409, "cannot_ask", str(fault)) from None


def used(row: Credential, redemption: UUID) -> dict[str, Any]:
    """Use a reset credit, and return what is left then."""
    audit.note("used a reset credit", row, {"redemption": str(redemption)})
    try:
        quota_credits.use(row.pk, redemption)
    except CreditsUnknown as fault:
        raise Refused(409, "not_used", str(fault)) from None
    return quota_of(row)
