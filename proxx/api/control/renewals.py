"""Renewing the tokens of signed-in accounts by hand: here, and at the path of open-hax/proxx in its shape.

What is renewed without anybody's help is oauth/scan.py's; who has to sign in again is left alone.
"""

from typing import Annotated, Any
from uuid import UUID

from django.http import HttpRequest
from ninja import Router, Schema
from pydantic import Field

from accounts.models import Credential
from accounts.rights import Right
from oauth import scan
from proxx.api.control.callers import Needs
from proxx.api.control.errors import not_found
from proxx.api.control.seeds.ui import SEED, Json, Word
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import answers

router = Router()
both = Router()  # below /api/ui and /api/v1

_writes = Needs(Right.CREDENTIALS_WRITE, everywhere=True, steps_up=True)


class RenewalWish(Strict):
    """Which accounts; none named: all."""

    credential_ids: Annotated[list[UUID], Field(max_length=1000)] = []


class Renewed(Schema):
    """What a round did."""

    total: int
    renewed: int
    failed: int


class OldWish(Strict):
    """Which account; none named: all."""

    accountId: Word | None = None


@router.post("/credentials/renew", auth=_writes, response=answers(Renewed), tags=["Credentials"])
def renew(request: HttpRequest, payload: RenewalWish) -> Any:
    """Renew the tokens of signed-in accounts now. Former failures are forgotten; who has to sign in again does not
    count."""
    done = scan.renew_now(payload.credential_ids or None)
    return {"total": done.total, "renewed": done.renewed, "failed": done.failed}


@both.post("/credentials/openai/oauth/refresh", auth=_writes, response=answers(Json), tags=SEED)
def renew_openai(request: HttpRequest, payload: OldWish) -> Any:
    """Renew the tokens of ChatGPT accounts now, or those of one."""
    rows = Credential.objects.filter(provider_id="openai", sign_in__isnull=False)
    if payload.accountId is not None:
        rows = rows.filter(account_id=payload.accountId)
        if not rows.exists():
            raise not_found()
    done = scan.renew_now(set(rows.values_list("pk", flat=True)))
    return {"totalAccounts": done.total, "refreshedCount": done.renewed, "failedCount": done.failed}
