"""Keys: issued, changed, rotated, revoked. A token is in one answer only, the one to the request that made it."""

from datetime import timedelta
from typing import Any, Literal
from uuid import UUID

from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Router, Status
from pydantic import AwareDatetime, Field, StrictInt, StrictStr, create_model

from accounts import granting, keys, scopes
from accounts.key_state import in_state
from accounts.models import ApiKey
from accounts.restricted import RESTRICTIONS
from accounts.rights import Right
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.paging import Order
from proxx.api.control.shapes import Strict
from proxx.api.control.shelves import Shelf, answers, mount
from proxx.kit import clock

router = Router()

State = Literal["active", "expired", "revoked"]
LONGEST_OVERLAP = 30 * 86_400
KEPT = ("bodies", "bodies_percent")
WIDENING = frozenset({"scopes", *RESTRICTIONS})  # fields by which a key may come to do more


def _states(rows: list[ApiKey]) -> list[dict[str, Any]]:
    now = clock.now()
    return [{"state": key.state(now)} for key in rows]


def _allowed_scopes(caller: Caller, tenant_id: UUID, wanted: list[str]) -> None:
    """Refuse scopes that nobody knows, and such as give a key more than its maker has (security A6)."""
    try:
        scopes.check(wanted)
    except ValidationError as fault:
        raise ValidationError({"scopes": fault.messages}) from None
    if lacking := _lacking(caller, tenant_id, wanted):
        said = f"You cannot give the scope {lacking}, which you do not have."
        raise Refused(403, "missing_right", said, param="scopes")


def _lacking(caller: Caller, tenant_id: UUID, wanted: list[str]) -> str:
    own = caller.holder.scopes if caller.holder is not None else None
    return granting.lacking(caller.who, wanted, tenant_id, own=own)


def own_row(caller: Caller) -> ApiKey | None:
    """Return the key that asks, None if it is somebody else who does."""
    holder = caller.holder
    return ApiKey.objects.get(pk=holder.key_id) if holder is not None and holder.key_id is not None else None


def _unbound(caller: Caller) -> ApiKey | None:
    """Return the key that asks, if it is one, and refuse it if something binds it that would not bind another."""
    maker = own_row(caller)
    if maker is not None and (why := granting.bound(maker)):
        raise Refused(403, "missing_right", why)
    return maker


def _bind(caller: Caller, key: ApiKey) -> None:
    """Let a key make only such keys as are bound no less than itself."""
    maker = _unbound(caller)
    if maker is None:
        return
    if maker.expires_at is not None and (key.expires_at is None or key.expires_at > maker.expires_at):
        key.expires_at = maker.expires_at


def _not_itself(caller: Caller, key: ApiKey) -> None:
    if caller.holder is not None and caller.holder.key_id == key.pk:
        raise Refused(403, "missing_right", "No key changes itself.")


def _prepare(caller: Caller, key: ApiKey, said: dict[str, Any]) -> None:
    # A profile is the house's: who may not look at them neither chooses one nor takes it away.
    names_profile = "profile_id" in said and (said["profile_id"] is not None or not key._state.adding)
    if names_profile and not caller.who.may(Right.PROFILES_READ):
        raise Refused(403, "missing_right", f"This needs the right {Right.PROFILES_READ}.", param="profile_id")
    if "scopes" in said or key._state.adding:
        _allowed_scopes(caller, key.tenant_id, key.scopes)
    if key._state.adding:
        if key.expires_at is not None and key.expires_at <= clock.now():
            raise ValidationError({"expires_at": "This has passed already."})
        _bind(caller, key)
        key.created_by = caller.operator
        key.issued_token = keys.mint(key)  # type: ignore[attr-defined]
    elif said.keys() & WIDENING:
        _unbound(caller)


SHELF: Shelf[ApiKey] = Shelf(
    noun="key",
    model=ApiKey,
    read=Right.KEYS_READ,
    write=Right.KEYS_WRITE,
    tenant="tenant",
    order=Order(("created_at", "id"), newest_first=True),
    shown=("id", "tenant_id", "label", "prefix", "last4", "scopes", "profile_id", *RESTRICTIONS, *KEPT, "expires_at",
           "revoked_at", "last_used_at", "last_used_from", "created_at", "created_by_id", "replaces_id"),
    settable=("tenant_id", "label", "scopes", "profile_id", *RESTRICTIONS, *KEPT, "expires_at"),
    required=("tenant_id", "label"),
    fixed=("tenant_id", "expires_at"),
    lines=RESTRICTIONS,
    kinds={"scopes": list[StrictStr], "expires_at": AwareDatetime | None},
    extra={"state": State},
    extras=_states,
    prepare=_prepare,
    check_change=_not_itself,
    asks={"state": (State, in_state)},
    filters=("tenant_id", "label"),
)  # fmt: skip
mount(router, "/keys", SHELF, adds=False, deletes=False)

KeyShown = SHELF.answer_schema()


class Rotation(Strict):
    """How long the old key goes on working."""

    overlap_seconds: StrictInt = Field(86_400, ge=0, le=LONGEST_OVERLAP, description="0: the old key ends at once.")


Issued: Any = create_model(
    "KeyIssued",
    __base__=KeyShown,
    token=(
        str | None,
        Field(description="The key itself. Nothing can show it a second time: null where an answer is repeated."),
    ),
)


def issued(key: ApiKey, token: str) -> dict[str, Any]:
    """Return a new key with its token, as the one answer that has it."""
    return {**SHELF.told(key), "token": token}


def issue(caller: Caller, said: dict[str, Any]) -> tuple[ApiKey, str]:
    """Issue a key by what was said of it."""
    key = SHELF.add(caller, said)
    return key, key.issued_token  # type: ignore[attr-defined]


def revoke(caller: Caller, key_id: UUID, tenant_id: UUID | None = None) -> ApiKey:
    """End a key, of that tenant if one is named; 404 for a key that is not the caller's to end."""
    key = SHELF.one(caller, Right.KEYS_WRITE, key_id)
    if tenant_id not in (None, key.tenant_id):
        raise not_found("key")
    keys.revoke(key)
    return key


_may_write = Needs(Right.KEYS_WRITE)


def _issue(request: HttpRequest, payload: Any) -> Any:
    key, token = issue(request.auth, payload.model_dump(exclude_unset=True))  # type: ignore[attr-defined]
    return Status(201, issued(key, token))


_issue.__annotations__["payload"] = SHELF.new_schema()
router.post(
    "/keys",
    auth=_may_write,
    response=answers(Issued, 201),
    summary="Issue a key",
    tags=["Keys"],
)(_issue)


@router.post("/keys/{uuid:pk}/rotate", auth=_may_write, response=answers(Issued, 201), tags=["Keys"])
def rotate_key(request: HttpRequest, pk: UUID, payload: Rotation) -> Any:
    """Issue a successor; the old key works until the overlap ends."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    key = SHELF.one(caller, Right.KEYS_WRITE, pk)
    _not_itself(caller, key)
    maker = _unbound(caller)
    if _lacking(caller, key.tenant_id, key.scopes):
        raise Refused(403, "missing_right", "This key may do more than you: its successor is not yours to see.")
    overlap, until = timedelta(seconds=payload.overlap_seconds), maker.expires_at if maker else None
    try:
        successor, token = keys.rotate(key, overlap=overlap, created_by=caller.operator, until=until)
    except keys.KeyNotActive as fault:
        raise Refused(409, "key_not_active", str(fault)) from None
    return Status(201, issued(successor, token))


@router.post("/keys/{uuid:pk}/revoke", auth=_may_write, response=answers(KeyShown), tags=["Keys"])
def revoke_key(request: HttpRequest, pk: UUID) -> Any:
    """End a key for good; every process refuses it within seconds."""
    return SHELF.told(revoke(request.auth, pk))  # type: ignore[attr-defined]
