"""Nobody gets by way of another row what they lack themselves (security A6): keys, limits and roles, changed by
narrower callers."""

from datetime import timedelta
from typing import Any

import pytest

from accounts import rights
from accounts.models import ApiKey, Limit, Profile
from accounts.rights import Membership, Role
from proxx.kit import clock
from tests import factories

KEYS, LIMITS, MEMBERS = "/api/v1/keys", "/api/v1/limits", "/api/v1/members"
REFUSED = (403, "missing_right")
STRONGER = [["proxy:use"], ["proxy:files"], ["control:read", "usage:read"]]
BINDINGS = [{"models_allowed": "gpt-x"}, {"providers_denied": "groq"}, {"networks": "127.0.0.0/8"}]


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"] if answer.status_code >= 400 else ""


@pytest.fixture
def narrow(with_key):
    """Hold a key that may control its tenant, and nothing else."""
    return with_key(factories.make_tenant())


def bind(caller: Any, binding: dict[str, str]) -> None:
    ApiKey.objects.filter(pk=caller.key.pk).update(**binding)


@pytest.mark.parametrize("scopes", STRONGER)
def test_no_key_becomes_another_that_may_more_by_rotating_it(narrow, scopes):
    stronger = factories.make_key(narrow.key.tenant, scopes=scopes).row
    answer = narrow.post(f"{KEYS}/{stronger.pk}/rotate", {"overlap_seconds": 0})
    assert code(answer) == REFUSED
    stronger.refresh_from_db()
    assert (stronger.revoked_at, stronger.expires_at, stronger.successors.count()) == (None, None, 0)


def test_a_key_rotates_one_that_may_no_more_than_itself(narrow):
    weaker = factories.make_key(narrow.key.tenant, scopes=["control:read"]).row
    assert code(narrow.post(f"{KEYS}/{weaker.pk}/rotate", {})) == (201, "")


def test_no_key_rotates_itself(narrow):
    assert code(narrow.post(f"{KEYS}/{narrow.key.pk}/rotate", {})) == REFUSED


def test_what_a_key_rotates_or_issues_ends_when_it_ends_itself(with_key):
    end = clock.now() + timedelta(hours=1)
    caller = with_key(factories.make_tenant(), expires_at=end)
    endless = factories.make_key(caller.key.tenant, scopes=["control:read"]).row
    rotated = caller.post(f"{KEYS}/{endless.pk}/rotate", {}).json()["id"]
    wish = {"tenant_id": str(caller.key.tenant_id), "label": "x", "scopes": ["control:read"]}
    issued = caller.post(KEYS, wish).json()["id"]
    assert set(ApiKey.objects.filter(pk__in=[rotated, issued]).values_list("expires_at", flat=True)) == {end}


@pytest.mark.parametrize("scopes", STRONGER)
def test_no_key_issues_or_changes_another_into_one_that_may_more(narrow, scopes):
    other = factories.make_key(narrow.key.tenant, scopes=["control:read"]).row
    wish = {"tenant_id": str(narrow.key.tenant_id), "label": "x", "scopes": scopes}
    assert code(narrow.post(KEYS, wish)) == REFUSED
    assert code(
        narrow.post(f"/api/v1/tenants/{narrow.key.tenant.slug}/api-keys", {"label": "x", "scopes": scopes})
    ) == (REFUSED)
    assert code(narrow.patch(f"{KEYS}/{other.pk}", {"scopes": scopes})) == REFUSED
    other.refresh_from_db()
    assert (other.scopes, ApiKey.objects.count()) == (["control:read"], 2)


@pytest.mark.parametrize("binding", BINDINGS, ids=lambda binding: next(iter(binding)))
def test_a_key_that_lists_bind_makes_and_widens_no_other(narrow, binding):
    other = factories.make_key(narrow.key.tenant, scopes=["control:read"], restrictions={"models_allowed": "a"}).row
    limit = Limit.objects.create(key=other, kind="requests_minute", amount=5)
    bind(narrow, binding)
    wish = {"tenant_id": str(narrow.key.tenant_id), "label": "x", "scopes": ["control:read"]}
    asked = [
        narrow.post(KEYS, wish),
        narrow.post(f"{KEYS}/{other.pk}/rotate", {}),
        narrow.patch(f"{KEYS}/{other.pk}", {"models_allowed": []}),
        narrow.patch(f"{KEYS}/{other.pk}", {"scopes": ["control:read", "control:write"]}),
        narrow.patch(f"{LIMITS}/{limit.pk}", {"amount": 6}),
        narrow.delete(f"{LIMITS}/{limit.pk}"),
    ]
    assert [code(answer) for answer in asked] == [REFUSED] * len(asked)
    assert code(narrow.post(f"{KEYS}/{other.pk}/revoke")) == (200, "")


def test_a_key_with_limits_loosens_neither_its_own_nor_another_keys(narrow):
    own = Limit.objects.create(key=narrow.key, kind="requests_minute", amount=5)
    other = factories.make_key(narrow.key.tenant, scopes=["control:read"]).row
    others = Limit.objects.create(key=other, kind="requests_minute", amount=5)
    for limit in (own, others):
        assert code(narrow.patch(f"{LIMITS}/{limit.pk}", {"amount": 6})) == REFUSED
        assert code(narrow.delete(f"{LIMITS}/{limit.pk}")) == REFUSED
    assert set(Limit.objects.values_list("amount", flat=True)) == {5}


def test_a_tenants_own_limits_are_not_its_keys_to_change(narrow):
    tenant_id = narrow.key.tenant_id
    limit = Limit.objects.create(tenant_id=tenant_id, kind="money_month", amount=5)
    for method in ("PATCH", "DELETE"):
        assert code(narrow.ask(method, f"{LIMITS}/{limit.pk}", {} if method == "PATCH" else None)) == (404, "not_found")
    wish = {"tenant_id": str(tenant_id), "kind": "money_day", "amount": 5}
    assert code(narrow.post(LIMITS, wish)) == (404, "not_found")
    assert Limit.objects.count() == 1


def test_an_admin_of_a_tenant_rotates_no_key_that_reaches_beyond_it(as_operator, tenant):
    caller = as_operator(factories.make_operator(role=Role.TENANT_ADMIN, tenant=tenant))
    files = factories.make_key(tenant, scopes=["proxy:use", "proxy:files"]).row
    assert code(caller.post(f"{KEYS}/{files.pk}/rotate", {})) == REFUSED


def test_a_member_gains_nothing_by_a_key_of_theirs_that_was_widened(as_operator, tenant):
    member = factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant)
    theirs = factories.make_key(tenant, created_by=member, scopes=["control:write"]).row
    caller = as_operator(member)
    assert code(caller.post(f"{KEYS}/{theirs.pk}/rotate", {})) == REFUSED
    assert code(caller.patch(f"{KEYS}/{theirs.pk}", {"scopes": ["control:read"]})) == REFUSED


@pytest.mark.parametrize("role", [role for role in Role if role != Role.OWNER])
def test_nobody_below_an_owner_gives_or_takes_roles_of_the_house(as_operator, tenant, role):
    place = tenant if role in {Role.TENANT_ADMIN, Role.TENANT_MEMBER} else None
    caller = as_operator(factories.make_operator(role=role, tenant=place))
    other = factories.make_operator(role=Role.AUDITOR)
    answer = caller.post(MEMBERS, {"operator": other.username, "role": "owner"})
    assert code(answer) == REFUSED
    taken = caller.delete(f"{MEMBERS}/{other.memberships.get().pk}")
    assert code(taken) == ((404, "not_found") if role == Role.TENANT_ADMIN else REFUSED)
    assert list(Membership.objects.filter(operator=other).values_list("role", flat=True)) == [Role.AUDITOR]


def test_an_admin_of_a_tenant_gives_nobody_what_they_lack_and_nothing_to_themselves(as_operator, tenant):
    admin = factories.make_operator(role=Role.TENANT_ADMIN, tenant=tenant)
    caller = as_operator(admin)
    other = factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant)
    place = {"tenant_id": str(tenant.pk)}
    bodies = {"operator": other.username, "role": "tenant_member", "reads_bodies": True, **place}
    assert code(caller.post(MEMBERS, bodies)) == REFUSED
    assert code(caller.post(MEMBERS, {"operator": admin.username, "role": "tenant_member", **place})) == REFUSED
    assert code(caller.delete(f"{MEMBERS}/{admin.memberships.get().pk}")) == REFUSED
    reader = rights.grant(other, Role.TENANT_MEMBER, tenant, by=None, reads_bodies=True)
    assert code(caller.delete(f"{MEMBERS}/{reader.pk}")) == REFUSED


def test_a_key_of_one_tenant_is_not_found_below_the_path_of_another(admin, tenant):
    key = factories.make_key(tenant).row
    assert code(admin.delete(f"/api/v1/tenants/default/api-keys/{key.pk}")) == (404, "not_found")
    key.refresh_from_db()
    assert key.revoked_at is None


def test_a_key_of_a_tenant_chooses_no_profile_of_the_house(with_key):
    caller = with_key(factories.make_tenant())
    profile = Profile.objects.create(name="editors")
    other = factories.make_key(caller.key.tenant, profile=profile).row
    for path, said in ((f"{KEYS}/{other.pk}", {"profile_id": None}), (KEYS, {"profile_id": str(profile.pk)})):
        new = {"tenant_id": str(other.tenant_id), "label": "x"} if path == KEYS else {}
        answer = caller.ask("POST" if new else "PATCH", path, {**new, **said})
        assert (answer.status_code, answer.json()["error"]["param"]) == (403, "profile_id")
    other.refresh_from_db()
    assert other.profile_id == profile.pk
