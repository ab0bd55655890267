"""Rows that the addresses of the control API lead to, and the bodies that its operations take.

Both tables are by what stands in an address: a new kind of row, or a new operation with fields it must have, needs its
line here, or the tests of every operation fail.
"""

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

from accounts.models import Limit, Profile
from accounts.rights import Role
from analytics.rows import insert
from oauth.models import PendingLogin
from proxx.kit import clock
from routing.models import (
    CatalogModel,
    FactSetting,
    Listener,
    ModelExclusion,
    ModelPreference,
    PolicyRule,
    ProviderSetting,
)
from tests import factories
from tests.analytics.records import record
from tests.api.control.conftest import TOKEN

HELD = re.compile(r"([^/]+)/\{(?:(\w+):)?(\w+)\}")


def key(tenant: Any, maker: Any) -> Any:
    """Store a key that an operator issued; with rights to keys of their own, people find no other."""
    return factories.make_key(tenant, created_by=maker).row.pk


def request(tenant: Any, maker: Any) -> Any:
    """Store the record of a call."""
    insert([call := record(tenant_id=tenant.pk)])
    return call.id


def member(tenant: Any, maker: Any) -> Any:
    """Store a role in a tenant, of somebody else."""
    operator = factories.make_operator(role=Role.TENANT_MEMBER, tenant=tenant, password=None)
    return operator.memberships.get().pk


def provider(tenant: Any, maker: Any) -> Any:
    """Store a private provider."""
    return ProviderSetting.objects.create(provider_id="house-llm", base_url="https://llm.example").provider_id


def of_a_key(tenant: Any, maker: Any) -> Any:
    """Store a limit of a tenant's key."""
    return Limit.objects.create(key=factories.make_key(tenant).row, kind="requests_minute", amount=5).pk


def sign_in(tenant: Any, maker: Any) -> Any:
    """Store a sign-in under way, of whoever asks: an operator, or the token."""
    begun_by = f"operator:{maker.pk}" if maker is not None else "admin token:"
    now = clock.now()
    return PendingLogin.objects.create(
        sign_in="openai", method="browser", begun_by=begun_by, begun_at=now, ends_at=now + timedelta(minutes=5)
    ).pk


# What belongs to a tenant: another one's is not there.
OF_TENANTS: dict[str, Callable[[Any, Any], Any]] = {
    "api-keys": key,
    "keys": key,
    "limits": of_a_key,
    "members": member,
    "events": request,
    "requests": request,
    "traces": request,
    "tenants": lambda tenant, maker: tenant.pk,
}
# What is the whole house's.
OF_THE_HOUSE: dict[str, Callable[[Any, Any], Any]] = {
    "accounts": lambda tenant, maker: factories.make_credential().pk,
    "catalog": lambda tenant, maker: CatalogModel.objects.create(provider_id="groq", model_id="m", position=1).pk,
    "credentials": lambda tenant, maker: factories.make_credential().pk,
    "exclusions": lambda tenant, maker: ModelExclusion.objects.create(provider_id="groq", pattern="m").pk,
    "facts": lambda tenant, maker: FactSetting.objects.create(model="m", provider_id="groq").pk,
    "listeners": lambda tenant, maker: Listener.objects.create(name="other", host="other.example").pk,
    "model-aliases": lambda tenant, maker: ModelPreference.objects.create(name="al", alias_of="gpt-x").name,
    "operators": lambda tenant, maker: factories.make_operator(role=None, password=None).pk,
    "preferences": lambda tenant, maker: ModelPreference.objects.create(name="m", rank=1).pk,
    "profiles": lambda tenant, maker: Profile.objects.create(name="usual").pk,
    "provider": provider,
    "providers": provider,
    "sign-ins": sign_in,
    "status": sign_in,
    "rules": lambda tenant, maker: PolicyRule.objects.create(name="first", pattern="m", position=1).pk,
}


def places(path: str) -> list[str]:
    """Return what the ids in an address are of: the words before them."""
    return [found[1] for found in HELD.finditer(path)]


def filled(path: str, tenant: Any, maker: Any = None) -> str:
    """Return an address of rows that are made for it."""
    makers = {**OF_TENANTS, **OF_THE_HOUSE}
    return HELD.sub(lambda found: f"{found[1]}/{makers[found[1]](tenant, maker)}", path)


def nowhere(path: str) -> str:
    """Return an address whose rows never were."""
    never = {"int": "987654", "uuidstr": str(uuid4())}
    return HELD.sub(lambda found: f"{found[1]}/{never.get(found[2] or '', 'never-was')}", path)


def body(method: str, path: str, tenant: Any) -> Any:
    """Return what an operation takes at least."""
    if method in {"GET", "DELETE"} and not path.endswith(("/credentials/account", "/tag")):
        return None
    wish = BODIES.get((method, path.removeprefix("/api/v1").removeprefix("/api/ui")), {})
    return wish(tenant) if callable(wish) else wish


ACCOUNT = {"providerId": "openai", "accountId": "canary-account"}
NEVER = "00000000-0000-4000-8000-00000000dead"
BODIES: dict[tuple[str, str], Any] = {
    ("POST", "/sign-ins"): {"sign_in": "openai", "method": "browser"},
    ("POST", "/sign-ins/import"): {"sign_in": "openai", "text": '{"access_token": "canary"}'},
    ("POST", "/sign-ins/{uuidstr:pk}/complete"): {"input": ""},
    ("POST", "/credentials/openai/oauth/device/poll"): {"deviceAuthId": NEVER},
    ("POST", "/credentials/factory/oauth/device/poll"): {"deviceAuthId": NEVER},
    ("POST", "/admin/oauth/start"): {"email": "kim@example.com"},
    ("POST", "/admin/oauth/complete"): {"flowId": NEVER, "input": "code"},
    ("POST", "/admin/oauth/device/poll"): {"flowId": NEVER},
    ("POST", "/tenants"): {"slug": "fresh", "name": "Fresh"},
    ("POST", "/operators"): {"username": "fresh", "password": "correct horse battery staple"},
    ("POST", "/members"): lambda tenant: {
        "operator": factories.make_operator(role=None, password=None).username,
        "role": "tenant_member",
        "tenant_id": str(tenant.pk),
    },
    ("POST", "/keys"): lambda tenant: {"tenant_id": str(tenant.pk), "label": "fresh"},
    ("POST", "/tenants/{tenant_id}/api-keys"): {"label": "fresh"},
    ("POST", "/limits"): lambda tenant: {
        "key_id": str(factories.make_key(tenant).row.pk),
        "kind": "in_flight",
        "amount": 1,
    },
    ("POST", "/credentials"): {"provider_id": "openai", "secret": "sk-fresh-0123456789abcdef"},
    ("POST", "/credentials/api-key"): {"providerId": "openai", "apiKey": "sk-fresh-0123456789abcdef"},
    ("POST", "/credentials/provider"): {"providerId": "fresh-llm", "baseUrl": "https://fresh.example/v1"},
    ("DELETE", "/credentials/account"): lambda tenant: account(),
    ("POST", "/credentials/account/disable"): lambda tenant: account(),
    ("POST", "/credentials/account/enable"): lambda tenant: account(),
    ("POST", "/credentials/openai/probe"): lambda tenant: {"accountId": account()["accountId"]},
    ("POST", "/credentials/{uuidstr:pk}/reset-credits/use"): {"redemption": str(uuid4())},
    ("POST", "/providers"): {"provider_id": "fresh-llm", "base_url": "https://fresh.example/v1"},
    ("POST", "/preferences"): {"name": "fresh", "rank": 1},
    ("POST", "/exclusions"): {"provider_id": "groq", "pattern": "fresh"},
    ("POST", "/rules"): {"name": "fresh", "pattern": "fresh"},
    ("POST", "/listeners"): {"name": "fresh", "host": "fresh.example"},
    ("POST", "/profiles"): {"name": "fresh"},
    ("POST", "/facts"): {"model": "fresh"},
    ("POST", "/explain-route"): {"model": "gpt-x"},
    ("POST", "/settings"): {"fastMode": True},
    ("POST", "/auth/admin/allowlist"): {"login": "kim"},
    **{(method, "/events/{uuidstr:pk}/tag"): {"tag": "fresh"} for method in ("POST", "DELETE")},
    ("POST", "/admin/session"): {"token": TOKEN},
    ("POST", "/admin/accounts"): {"accessToken": "sk-fresh-0123456789abcdef"},
    ("POST", "/admin/model-aliases"): {"id": "fresh", "targets": ["gpt-x"]},
}


def account() -> dict[str, str]:
    """Store an account, and return its name as the paths of old say it."""
    factories.make_credential(account_id=ACCOUNT["accountId"])
    return ACCOUNT
