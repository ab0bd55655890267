"""Signing in to providers by program: begin, look, finish. What is answered never holds a token.

A sign-in belongs to whoever began it: another's is not there.
"""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema, Status
from pydantic import Field, StrictStr

from accounts.models import Credential
from accounts.rights import Right
from oauth import pending, providers
from oauth.flows import bringing, brought, browser, device, finishing, paste
from oauth.pages.origin import origin_of
from oauth.pending import PendingLogin
from oauth.providers import SignIn
from oauth.tokens import Refused as ProviderRefused
from oauth.tokens import Unreachable
from proxx.api.control.callers import Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers

router = Router()

TAGS = ["Signing in to providers"]
READS = Needs(Right.CREDENTIALS_READ, everywhere=True)
WRITES = Needs(Right.CREDENTIALS_WRITE, everywhere=True, steps_up=True)
# Going on with what was begun with a recent proof of who it is asks for none again.
GOES_ON = Needs(Right.CREDENTIALS_WRITE, everywhere=True)

Name = Annotated[StrictStr, Field(max_length=64)]
Pasted = Annotated[StrictStr, Field(max_length=paste.LONGEST)]


class Kind(Schema):
    """A provider where one can sign in, and how."""

    name: str
    label: str
    provider_id: str
    methods: list[Literal["browser", "device", "import"]]


class Kinds(Schema):
    """All of them."""

    data: list[Kind]


class SignInWish(Strict):
    """A sign-in that is to begin."""

    sign_in: Name
    method: Literal["browser", "device"]
    credential_id: UUID | None = Field(None, description="The account to sign in to again.")


class Completion(Strict):
    """What came back from the provider."""

    input: Pasted = Field(description="The whole address, `code#state`, its query, or the bare code.")


class Bringing(Strict):
    """Accounts that were signed in elsewhere."""

    sign_in: Name
    text: Annotated[StrictStr, Field(max_length=brought.LARGEST)] = Field(
        description="JSON: one object with tokens, or a list of them."
    )
    credential_id: UUID | None = Field(None, description="The account that they are for, if it is one.")


class UnderWay(Schema):
    """A sign-in: what to show while it waits, and what came of it."""

    id: UUID
    sign_in: str
    method: Literal["browser", "device"]
    status: Literal["waiting", "working", "done", "failed"]
    url: str = Field(description="Where somebody signs in; empty once it is over.")
    user_code: str
    redirect_uri: str
    interval: int = Field(description="Seconds between two questions about a code.")
    ends_at: datetime
    fault: str
    said: str
    credential_id: UUID | None


class Outcome(Schema):
    """What became of one account."""

    place: str
    credential_id: UUID | None
    said: str


class Outcomes(Schema):
    """What became of each."""

    data: list[Outcome]


def entry_of(name: str) -> SignIn:
    """Return where one signs in; 404 if that is not offered."""
    try:
        return providers.get(name)
    except providers.UnknownSignIn:
        raise not_found("sign-in") from None


def begin(
    request: HttpRequest, entry: SignIn, method: str, again: Credential | None = None, email: str = ""
) -> PendingLogin:
    """Begin a sign-in of whoever asks; raise `Refused` if the provider gives no code."""
    if method == "browser":
        id = browser.begin(entry, origin=origin_of(request), replaces=again, email=email)
        return mine(id)
    if not entry.device:
        raise Refused(422, "invalid_fields", f"{entry.label} gives no codes to type.", param="method")
    try:
        return mine(device.begin(entry, replaces=again, email=email))
    except ProviderRefused as fault:
        raise Refused(409, "provider_refused", fault.message) from None
    except Unreachable as fault:
        raise Refused(503, "provider_unreachable", fault.message) from None


def mine(id: UUID) -> PendingLogin:
    """Return a sign-in of whoever asks; 404 for another's."""
    row = pending.mine(id)
    if row is None:
        raise not_found("sign-in")
    return row


def complete(row: PendingLogin, said: str) -> PendingLogin:
    """Finish a sign-in with what was pasted; raise `Refused`."""
    if row.method != PendingLogin.Method.BROWSER:
        raise Refused(409, "not_possible", "A sign-in with a code is finished at the provider.")
    try:
        return browser.complete(row, paste.read(said))
    except paste.Unreadable as fault:
        raise Refused(400, "no_code", str(fault), param="input") from None
    except browser.WrongState as fault:
        raise Refused(400, "state_mismatch", str(fault), param="input") from None
    except providers.UnknownSignIn:
        raise not_found("sign-in") from None


def poll(row: PendingLogin) -> PendingLogin:
    """Ask the provider about a code, if it is time to."""
    if row.method != PendingLogin.Method.DEVICE:
        return row
    try:
        return device.poll(row)
    except providers.UnknownSignIn:
        raise not_found("sign-in") from None


def told(row: PendingLogin) -> dict[str, Any]:
    """Return a sign-in as it is answered."""
    held = pending.opened(row)
    facts = {name: getattr(row, name) for name in ("id", "sign_in", "method", "status", "redirect_uri", "interval")}
    later = {name: getattr(row, name) for name in ("ends_at", "fault", "said", "credential_id")}
    return {**facts, "url": held.away, "user_code": held.user_code, **later}


def _again(entry: SignIn, id: UUID | None) -> Credential | None:
    if id is None:
        return None
    row = finishing.known(entry, id)
    if row is None:
        raise not_found("credential")
    return row


@router.get("/sign-ins/providers", auth=READS, response=answers(Kinds), tags=TAGS)
def sign_in_providers(request: HttpRequest) -> Any:
    """List where one can sign in."""
    return {
        "data": [
            {
                "name": one.name,
                "label": one.label,
                "provider_id": one.provider_id,
                "methods": [*(["browser"] if "browser" in one.flows else []), *(["device"] if one.device else []),
                            "import"],
            }
            for one in providers.sign_ins().values()
        ]
    }  # fmt: skip


@router.post("/sign-ins", auth=WRITES, response=answers(UnderWay, 201), tags=TAGS)
def begin_sign_in(request: HttpRequest, payload: SignInWish) -> Any:
    """Begin a sign-in: somebody opens `url`, and types `user_code` there if there is one."""
    entry = entry_of(payload.sign_in)
    row = begin(request, entry, payload.method, _again(entry, payload.credential_id))
    return Status(201, told(row))


@router.get("/sign-ins/{uuid:pk}", auth=GOES_ON, response=answers(UnderWay), tags=TAGS)
def get_sign_in(request: HttpRequest, pk: UUID) -> Any:
    """Say how far a sign-in of the caller's is."""
    return told(mine(pk))


@router.post("/sign-ins/{uuid:pk}/complete", auth=GOES_ON, response=answers(UnderWay), tags=TAGS)
def complete_sign_in(request: HttpRequest, pk: UUID, payload: Completion) -> Any:
    """Finish a sign-in with the address that the browser came to."""
    return told(complete(mine(pk), payload.input))


@router.post("/sign-ins/{uuid:pk}/poll", auth=GOES_ON, response=answers(UnderWay), tags=TAGS)
def poll_sign_in(request: HttpRequest, pk: UUID) -> Any:
    """Ask whether the code was typed; sooner than the interval allows, nobody is asked and it still waits."""
    return told(poll(mine(pk)))


@router.post("/sign-ins/import", auth=WRITES, response=answers(Outcomes), tags=TAGS)
def import_sign_ins(request: HttpRequest, payload: Bringing) -> Any:
    """Take over accounts that were signed in elsewhere, each by itself."""
    try:
        found = brought.read(payload.text)
    except brought.Unreadable as fault:
        raise Refused(422, "invalid_fields", str(fault), param="text") from None
    entry = entry_of(payload.sign_in)
    outcomes = bringing.keep(entry, found, again=_again(entry, payload.credential_id))
    return {
        "data": [
            {"place": one.place, "credential_id": one.credential.pk if one.credential else None, "said": one.sentence}
            for one in outcomes
        ]
    }
