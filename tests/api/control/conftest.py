"""Callers of the control API: `admin` holds the token, `as_operator` is signed in, `with_key` holds a tenant's key."""

import json
from typing import Any

import pytest
from django.test import Client

from accounts import keys
from tests import factories

TOKEN = "control-test-token-0123456789-0123456789"


class Caller:
    """Django's test client, in JSON, with one way of proving who it is."""

    def __init__(self, client: Client | None = None, **headers: str) -> None:
        self.client, self.headers = client or Client(), headers

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        data = body if isinstance(body, str | bytes) else json.dumps(body) if body is not None else ""
        told = {**self.headers, **headers}
        return self.client.generic(method, path, data, content_type="application/json", headers=told)

    def get(self, path: str, **headers: str) -> Any:
        return self.ask("GET", path, **headers)

    def post(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("POST", path, body, **headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("PATCH", path, body, **headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Any:
        return self.ask("DELETE", path, body, **headers)


@pytest.fixture(autouse=True)
def token(settings) -> str:
    settings.PROXY_AUTH_TOKEN = TOKEN
    keys.forget()
    return TOKEN


@pytest.fixture
def admin(db, token) -> Caller:
    return Caller(authorization=f"Bearer {token}")


@pytest.fixture
def as_operator(db):
    """Sign an operator in; without CSRF checks unless `csrf`."""

    def signed_in(operator: Any = None, *, csrf: bool = False) -> Caller:
        client = Client(enforce_csrf_checks=csrf)
        client.force_login(operator or factories.make_operator())
        return Caller(client)

    return signed_in


@pytest.fixture
def with_key(transactional_db):
    """Hold a key of a tenant; the look-up of keys reads from a thread of its own."""

    def holding(tenant: Any = None, scopes: tuple[str, ...] = ("control:read", "control:write"), **options: Any) -> Any:
        issued = factories.make_key(tenant, scopes=list(scopes), **options)
        caller = Caller(authorization=f"Bearer {issued.token}")
        caller.key = issued.row
        return caller

    return holding
