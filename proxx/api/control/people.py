"""People: who asks, which operators there are, and what roles they have."""

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from ninja import Query, Router, Schema, Status
from pydantic import Field, StrictBool, StrictStr

from accounts import rights
from accounts.models import Operator, Tenant
from accounts.rights import Membership, NotAllowed, Right, Role
from proxx.api.control.callers import Caller, Needs
from proxx.api.control.errors import Refused, not_found
from proxx.api.control.paging import Order, page
from proxx.api.control.shapes import Strict, page_of
from proxx.api.control.shelves import Paging, Shelf, answers, mount

router = Router()

RoleName = Literal["owner", "operator", "auditor", "billing", "tenant_admin", "tenant_member"]


class Place(Schema):
    """A tenant, as far as its name goes."""

    id: UUID
    slug: str
    name: str
    is_active: bool
    rights: list[str] = Field(description="In this tenant, those of the whole house included.")


class Me(Schema):
    """Who asks, and what they may: in the whole house, and in single tenants."""

    kind: Literal["operator", "key", "token"]
    id: UUID | None
    name: str
    rights: list[str] = Field(description="In the whole house.")
    tenants: list[Place]


@router.get("/me", auth=Needs(), response=answers(Me), tags=["People"])
def get_me(request: HttpRequest) -> Any:
    """Say who asks, and which tenants they may look at."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    who = caller.who
    return {
        "kind": who.kind,
        "id": who.id,
        "name": who.name,
        "rights": sorted(who.house),
        "tenants": [
            {
                "id": one.pk,
                "slug": one.slug,
                "name": one.name,
                "is_active": one.is_active,
                "rights": sorted(who.house | who.own.get(one.pk, frozenset())),
            }
            for one in tenants_of(caller)
        ],
    }


def tenants_of(caller: Caller) -> list[Tenant]:
    """Return the first tenants that a caller may look at; /tenants has pages of them."""
    return list(rights.scoped(Tenant.objects.order_by("slug"), caller.who, Right.TENANTS_READ, "pk")[:1000])


def _prepare(caller: Caller, row: Operator, said: dict[str, Any]) -> None:
    password = said.get("password", "")
    if not row._state.adding:
        if caller.operator is not None and caller.operator.pk == row.pk and "is_active" in said:
            raise Refused(403, "missing_right", "Nobody switches themselves off or on.")
        return
    row.is_staff = True
    try:
        validate_password(password, row)
    except ValidationError as fault:
        raise ValidationError({"password": fault.messages}) from None
    row.set_password(password)


OPERATORS: Shelf[Operator] = Shelf(
    noun="operator",
    model=Operator,
    read=Right.OPERATORS_READ,
    write=Right.OPERATORS_WRITE,
    steps_up=True,
    order=Order(("username",)),
    shown=("id", "username", "first_name", "last_name", "email", "is_active", "last_login", "date_joined"),
    settable=("username", "first_name", "last_name", "email", "is_active", "password"),
    required=("username", "password"),
    fixed=("username", "password"),
    kinds={"email": str},
    prepare=_prepare,
    filters=("username", "is_active"),
)
mount(router, "/operators", OPERATORS, deletes=False)


class Member(Schema):
    """One role of one operator, in a tenant or in the whole house."""

    id: UUID
    operator_id: UUID
    operator: str
    role: RoleName
    tenant_id: UUID | None
    reads_bodies: bool
    created_at: datetime


class MemberNew(Strict):
    """Who gets which role, and where."""

    operator: StrictStr = Field(max_length=150, description="Their username.")
    role: RoleName
    tenant_id: UUID | None = Field(None, description="For tenant admins and members only.")
    reads_bodies: StrictBool = Field(default=False, description="May read prompts and answers, as far as any are kept.")


MemberPage = page_of("MemberPage", Member)


@router.get("/members", auth=Needs(Right.MEMBERS_READ), response=answers(MemberPage), tags=["People"])
def list_members(request: HttpRequest, place: Query[Paging], tenant_id: UUID | None = None) -> Any:
    """List who has which role, in the tenants where the caller may know it."""
    rows = rights.scoped(Membership.objects.all(), request.auth.who, Right.MEMBERS_READ)  # type: ignore[attr-defined]
    rows = rows.filter(tenant_id=tenant_id) if tenant_id is not None else rows
    order = Order(("created_at", "id"))
    found, after = page(rows.select_related("operator"), order, limit=place.limit, after=place.after)
    return {"data": [_member(row) for row in found], "next": after}


@router.post(
    "/members",
    auth=Needs(Right.MEMBERS_WRITE, Right.OPERATORS_WRITE, steps_up=True),
    response=answers(Member, 201),
    tags=["People"],
)
def add_member(request: HttpRequest, payload: MemberNew) -> Any:
    """Give an operator a role. Nobody gives what they lack, and nobody changes their own."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    operator = Operator.objects.filter(username=payload.operator).first()
    tenant = Tenant.objects.filter(pk=payload.tenant_id).first() if payload.tenant_id is not None else None
    if payload.tenant_id is not None and (tenant is None or not caller.who.may(Right.MEMBERS_READ, tenant.pk)):
        raise not_found("tenant")
    if operator is None:
        raise ValidationError({"operator": "There is no such operator."})
    try:
        made = rights.grant(operator, Role(payload.role), tenant, by=caller.who, reads_bodies=payload.reads_bodies)
    except NotAllowed as fault:
        raise Refused(403, "missing_right", str(fault)) from None
    return Status(201, _member(made))


@router.delete(
    "/members/{uuid:pk}",
    auth=Needs(Right.MEMBERS_WRITE, Right.OPERATORS_WRITE, steps_up=True),
    response=answers(None, 204),
    tags=["People"],
)
def delete_member(request: HttpRequest, pk: UUID) -> Any:
    """Take a role away."""
    caller: Caller = request.auth  # type: ignore[attr-defined]
    rows = rights.scoped(Membership.objects.select_related("operator"), caller.who, Right.MEMBERS_READ)
    row = rows.filter(pk=pk).first()
    if row is None:
        raise not_found("member")
    try:
        rights.withdraw(row, by=caller.who)
    except NotAllowed as fault:
        raise Refused(403, "missing_right", str(fault)) from None
    return Status(204, None)


def _member(row: Membership) -> dict[str, Any]:
    names = ("id", "operator_id", "role", "tenant_id", "reads_bodies", "created_at")
    return {**{name: getattr(row, name) for name in names}, "operator": row.operator.get_username()}
