"""Who may do what, and where: the memberships of operators, and what follows from them.

`of` and `of_key` say who acts; every page and every operation of the control API asks the answer: `may`, `tenants`,
`scoped`. Nothing is remembered between requests, so that a role that was taken away is gone at the next one. The
tables of rights and roles are roles.py.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar
from uuid import UUID, uuid4

from django.conf import settings
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import models
from django.db.models import Q, QuerySet

from accounts.audited import Audited
from accounts.roles import INSTEAD, NAMED_ONLY, OF_A_TENANT, PAGES, ROLES, SCOPES, right_for
from accounts.roles import Right as Right
from accounts.roles import Role as Role
from proxx.kit import clock

if TYPE_CHECKING:
    from accounts.key_memory import KeyHolder

Row = TypeVar("Row", bound=models.Model)

ADMIN_TOKEN = "admin"  # noqa: S105 - how a holder of PROXY_AUTH_TOKEN is marked
_KEPT = "_who"


class NotAllowed(PermissionDenied):
    """Who acts may not give or take this role; the text says why, for people."""


class Membership(Audited):
    """One role of one operator, in one tenant or in the whole house."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    operator = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    tenant = models.ForeignKey(
        "accounts.Tenant",
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="memberships",
        help_text="For tenant admins and members. The other roles hold for the whole house.",
    )
    reads_bodies = models.BooleanField(
        "reads prompts and answers",
        default=False,
        help_text="As far as they are kept at all. No role includes it.",
    )
    created_at = models.DateTimeField("since", default=clock.now, editable=False)

    class Meta:
        """A role is had once in each place, and in the place where it belongs."""

        verbose_name = "member"
        ordering: ClassVar = ["created_at", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["operator", "role", "tenant"], name="membership_once_per_tenant"),
            models.UniqueConstraint(
                fields=["operator", "role"], condition=Q(tenant__isnull=True), name="membership_once_per_house"
            ),
            models.CheckConstraint(
                condition=Q(role__in=sorted(OF_A_TENANT), tenant__isnull=False)
                | (~Q(role__in=sorted(OF_A_TENANT)) & Q(tenant__isnull=True)),
                name="membership_has_its_place",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.operator}: {self.get_role_display()}"

    def clean(self) -> None:
        """Say in words where a role belongs."""
        if not self.role:
            return
        if Role(self.role) in OF_A_TENANT and self.tenant_id is None:
            raise ValidationError({"tenant": "Choose the tenant that this role is for."})
        if Role(self.role) not in OF_A_TENANT and self.tenant_id is not None:
            raise ValidationError({"tenant": "This role holds for the whole house: leave the tenant empty."})

    @property
    def rights(self) -> frozenset[Right]:
        """What it gives in its place."""
        return ROLES[Role(self.role)] | (NAMED_ONLY if self.reads_bodies else frozenset())


@dataclass(frozen=True, slots=True)
class Who:
    """Who acts, and with which rights: `house` everywhere, `own` in single tenants; `only` narrows to one tenant."""

    kind: str
    id: UUID | None
    name: str
    house: frozenset[Right] = frozenset()
    own: Mapping[UUID, frozenset[Right]] = field(default_factory=dict)
    only: UUID | None = None

    @property
    def is_owner(self) -> bool:
        """Whether it may say who may what in the whole house."""
        return Right.OPERATORS_WRITE in self.house

    def may(self, right: Right, tenant_id: UUID | None = None) -> bool:
        """Tell whether it may in that tenant; without one, in the whole house."""
        if tenant_id is None:
            return right in self.house
        if self.only not in (None, tenant_id):
            return False
        return right in self.house or right in self.own.get(tenant_id, ())

    def may_somewhere(self, right: Right) -> bool:
        """Tell whether there is a tenant in which it may, or the whole house."""
        return self.tenants(right) is None or bool(self.tenants(right))

    def tenants(self, right: Right) -> frozenset[UUID] | None:
        """Return the tenants in which it may; None is all of them."""
        if right in self.house:
            return None if self.only is None else frozenset({self.only})
        mine = frozenset(tenant_id for tenant_id, rights in self.own.items() if right in rights)
        return mine if self.only is None else mine & {self.only}

    def places(self, right: Right) -> frozenset[UUID] | None:
        """Return the tenants in which it may with some rows at least; None is all of them."""
        tenants = self.tenants(right)
        if tenants is None or right not in INSTEAD:
            return tenants
        return tenants | (self.tenants(INSTEAD[right]) or frozenset())

    def may_open(self, right: Right) -> bool:
        """Tell whether a page or an operation that needs the right has anything for it: all rows, or some."""
        places = self.places(right)
        return places is None or bool(places)

    def narrowed(self, tenant_id: UUID | None) -> "Who":
        """Return the same, looking at one tenant only."""
        return replace(self, only=tenant_id)


NOBODY = Who("nobody", None, "")


def of(operator: Any) -> Who:
    """Return what an operator may, by one query for each request; nothing if switched off or not signed in."""
    if not (getattr(operator, "is_authenticated", False) and operator.is_active and operator.is_staff):
        return NOBODY
    # By setattr, which reaches through the lazy object that a request's user is.
    kept: Who | None = getattr(operator, _KEPT, None)
    if kept is None:
        kept = _read(operator)
        setattr(operator, _KEPT, kept)
    return kept


def of_key(holder: "KeyHolder") -> Who:
    """Return what the holder of a client key may, in its own tenant; the admin token is an owner."""
    if holder.kind == ADMIN_TOKEN:
        return Who("token", None, holder.label, house=ROLES[Role.OWNER])
    rights = frozenset[Right]().union(*(SCOPES.get(scope, ()) for scope in holder.scopes))
    return Who("key", holder.key_id, holder.label, own={holder.tenant_id: rights} if rights else {})


def forget(operator: Any) -> None:
    """Drop what `of` keeps on this very object."""
    setattr(operator, _KEPT, None)


def scoped(queryset: "QuerySet[Row]", who: Who, right: Right, path: str = "tenant") -> "QuerySet[Row]":
    """Return the rows that are its own by that right; `path` leads from a row to its tenant (`pk` for tenants)."""
    tenants = who.tenants(right)
    if tenants is None:
        return queryset
    condition = Q(**{f"{path}__in": tenants})
    if right in INSTEAD and (some := who.tenants(INSTEAD[right])):
        condition |= Q(**{f"{path}__in": some, "created_by": who.id})
    return queryset.filter(condition)


def may_on(who: Who, right: Right, row: Any, path: str = "tenant") -> bool:
    """Tell whether it may with this very row."""
    tenant_id = tenant_of(row, path)
    if who.may(right, tenant_id):
        return True
    instead = INSTEAD.get(right)
    if instead is None or tenant_id is None or not who.may(instead, tenant_id):
        return False
    return row._state.adding or (who.id is not None and row.created_by_id == who.id)


def tenant_of(row: Any, path: str = "tenant") -> UUID | None:
    """Return the tenant that a row belongs to."""
    *way, last = path.split("__")
    for name in way:
        row = getattr(row, name, None)
    return getattr(row, last if last == "pk" else f"{last}_id", None)


def has_perm(operator: Any, permission: str) -> bool:
    """Answer Django's question for a permission, in all or some tenants."""
    return of(operator).may_open(right_for(permission))


def has_module(operator: Any, app: str) -> bool:
    """Tell whether any page of an app has something for this operator."""
    who = of(operator)
    return who.is_owner or any(who.may_open(read) for label, (read, _) in PAGES.items() if label.startswith(f"{app}."))


def refusal(by: Who, operator_id: UUID, rights: frozenset[Right], tenant_id: UUID | None) -> str:
    """Say why `by` may not give or take such rights; empty if it may. Nobody gives what they lack, or to themselves."""
    if by.id == operator_id:
        return "Nobody changes their own roles."
    right = Right.OPERATORS_WRITE if tenant_id is None else Right.MEMBERS_WRITE
    if not by.may(right, tenant_id):
        return "You may not say who has a role here."
    if any(not by.may(one, tenant_id) for one in rights):
        return "You cannot give or take rights that you do not have."
    return ""


def grant(operator: Any, role: Role, tenant: Any = None, *, by: Who | None, reads_bodies: bool = False) -> Membership:
    """Give an operator a role, in a tenant if it is one of a tenant's; had already, it is returned as it is.

    `by` is None for the command line and the identity provider, which have decided already. Raises `NotAllowed`, and
    `ValidationError` for a role in the wrong place.
    """
    wanted = Membership(operator=operator, role=role, tenant=tenant, reads_bodies=reads_bodies)
    wanted.clean()
    if by is not None and (why := refusal(by, operator.pk, wanted.rights, wanted.tenant_id)):
        raise NotAllowed(why)
    found = Membership.objects.filter(operator=operator, role=role, tenant=tenant).first()
    if found is not None and found.reads_bodies >= reads_bodies:
        return found
    if found is not None:
        found.reads_bodies = reads_bodies
        wanted = found
    wanted.save()
    forget(operator)
    return wanted


def withdraw(membership: Membership, *, by: Who | None) -> None:
    """Take a role away. Raises `NotAllowed`."""
    if by is not None and (why := refusal(by, membership.operator_id, membership.rights, membership.tenant_id)):
        raise NotAllowed(why)
    membership.delete()
    forget(membership.operator)


def covers(by: Who, other: Who) -> bool:
    """Tell whether one may everything that the other may, everywhere."""
    return other.house <= by.house and all(
        held <= by.house | by.own.get(tenant_id, frozenset()) for tenant_id, held in other.own.items()
    )


def end_sign_ins(operator_id: UUID) -> None:
    """End every sign-in of an operator, at its next request; a new one begins with the rights as they are then."""
    operators = Membership._meta.get_field("operator").related_model
    operators._default_manager.filter(pk=operator_id).update(sign_in_round=models.F("sign_in_round") + 1)


def _read(operator: Any) -> Who:
    house = ROLES[Role.OWNER] if operator.is_superuser else frozenset[Right]()
    own: dict[UUID, frozenset[Right]] = {}
    for one in Membership.objects.filter(operator=operator):
        if one.tenant_id is None:
            house |= one.rights
        else:
            own[one.tenant_id] = own.get(one.tenant_id, frozenset()) | one.rights
    return Who("operator", operator.pk, operator.get_username(), house, own)
