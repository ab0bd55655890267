"""The paths below /auth, in the shapes of old: the list of who may sign in with GitHub, oneself, the way in and out.

There are no bearer sessions to refresh: people sign in to the console, and its session is what these paths know.
"""

from typing import Annotated, Any

from django.contrib.auth import logout as sign_out
from django.db import transaction
from django.db.models import Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from ninja import Router
from pydantic import Field, StrictStr

from accounts.models import AdmissionEntry
from accounts.rights import Right
from accounts.signin import outside
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.seeds import admin, ui
from proxx.api.control.seeds.ui import SEED, Json
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers

router = Router()

_sees_accounts = Needs(Right.CREDENTIALS_READ, everywhere=True)
_owners = Needs(Right.OPERATORS_WRITE, everywhere=True, steps_up=True)


class Login(Strict):
    """A name at GitHub."""

    login: Annotated[StrictStr, Field(min_length=1, max_length=100, pattern=r"^[A-Za-z0-9-]+$")]


@router.get("/me", auth=Needs(), response=answers(Json), tags=SEED)
def me(request: HttpRequest) -> Any:
    """Say who asks."""
    return ui.me(request)


@router.get("/login", auth=Needs(public=True), response=answers(None, 302), tags=SEED)
def login(request: HttpRequest) -> HttpResponse:
    """Lead to GitHub's sign-in if it is set up, else to the console's."""
    by_github = any(way["id"] == outside.GITHUB for way in outside.ways())
    return redirect(reverse("signin_with", args=(outside.GITHUB,)) if by_github else reverse("account_login"))


@router.post("/logout", auth=Needs(), response=answers(Json), tags=SEED)
def logout(request: HttpRequest) -> Any:
    """End the console's session of whoever asks."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    if caller.operator is None:
        raise Refused(400, "session_required", "Only who is signed in to the console can sign out.")
    sign_out(request)
    return {"ok": True}


@router.get("/admin/allowlist", auth=_owners, response=answers(Json), tags=SEED)
def allowlist(request: HttpRequest) -> Any:
    """List who may sign in with GitHub by the console's own list."""
    return {"allowlist": [_told(row) for row in AdmissionEntry.objects.filter(provider=outside.GITHUB)]}


@router.get("/admin/accounts", auth=_sees_accounts, response=answers(Json), tags=SEED)
def list_accounts(request: HttpRequest) -> Any:
    """List accounts; their tokens are masked."""
    return admin.list_accounts(request)


@router.post("/admin/allowlist", auth=_owners, response=answers(Json), tags=SEED)
def allow(request: HttpRequest, payload: Login) -> Any:
    """Let somebody sign in with GitHub; they may do nothing until they have a role."""
    row = AdmissionEntry(provider=outside.GITHUB, entry=f"user:{payload.login}")
    if (known := _entries_of(payload.login).first()) is None:
        row.full_clean()
        row.save()
    return {"ok": True, "entry": _told(known or row)}


@router.delete("/admin/allowlist", auth=_owners, response=answers(Json), tags=SEED)
def forbid(request: HttpRequest, login: Annotated[str, Field(max_length=100)]) -> Any:
    """Take somebody off the list, whatever role their entry gives; `login` is in the query."""
    found = list(_entries_of(login))
    if not found:
        raise not_found("entry")
    with transaction.atomic():
        for row in found:
            row.delete()
    return {"ok": True}


def _entries_of(login: str) -> "QuerySet[AdmissionEntry]":
    """Return the entries for somebody by their name: those that let in, and those that give a role as well."""
    entry = f"user:{login}".replace("\x00", "")
    by_name = Q(entry__iexact=entry) | Q(entry__istartswith=f"{entry}=")
    return AdmissionEntry.objects.filter(by_name, provider=outside.GITHUB)


def _told(row: AdmissionEntry) -> Json:
    who, _, role = row.entry.partition("=")
    kind, _, name = who.partition(":")
    return {"id": str(row.pk), "login": name if kind == "user" else None, "entry": who, "role": role or None}
