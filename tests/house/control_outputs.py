"""What the control API says: every look at it, and its refusals of bodies that hold a secret."""

import json
from collections.abc import Iterator
from typing import Any, Protocol

import httpx

NAMES = {"tenant_id": "default", "provider_id": "openai", "name": "no-such-alias"}
NOWHERE = "00000000-0000-4000-8000-00000000dead"
# Bodies that are refused for something else than the secret in them.
REFUSED = {
    "/api/v1/credentials": {"provider_id": "no-such-provider", "secret": "{}"},
    "/api/v1/credentials/api-key": {"providerId": "no-such-provider", "apiKey": "{}"},
    "/api/v1/credentials/provider": {"providerId": "Not A Name", "baseUrl": "nowhere", "credentialValue": "{}"},
    "/api/v1/operators": {"username": "warden", "password": "{}"},
    "/admin/accounts": {"provider": "no-such-provider", "accessToken": "{}"},
    "/admin/session": {"token": "{}"},
}


class Keeps(Protocol):
    """What outputs are kept in."""

    def add(self, place: str, text: str | bytes) -> None:
        """Keep one."""


def walk(origin: str, token: str, secret: str, found: Keeps) -> None:
    """Look at everything, and send a secret to all that takes a body, so that it is refused."""
    with httpx.Client(base_url=origin, headers={"authorization": f"Bearer {token}"}, timeout=60) as client:
        document = client.get("/api/v1/openapi.json").raise_for_status().json()
        for path, operations in document["paths"].items():
            place = address(client, path)
            for method, operation in operations.items():
                if method == "get":
                    keep(found, f"GET {path}", client.get(place))
                elif "requestBody" in operation:
                    for what, body in bodies(path, fields(operation, document), secret):
                        answer = client.request(method, place, content=body)
                        assert 400 <= answer.status_code < 500, (method, path, what, answer.text)
                        keep(found, f"{method.upper()} {path} with {what}", answer)


def keep(found: Keeps, place: str, answer: httpx.Response) -> None:
    """Keep an answer with its headers."""
    assert answer.status_code < 500, place
    found.add(place, f"{answer.status_code} {answer.headers} {answer.text}")


def address(client: httpx.Client, path: str) -> str:
    """Return an address with the first row of each list in place of ids."""
    before, brace, rest = path.partition("{")
    if not brace:
        return path
    name, _, after = rest.partition("}")
    return address(client, f"{before}{NAMES.get(name) or first(client, before.rstrip('/'))}{after}")


def first(client: httpx.Client, path: str) -> str:
    """Return the first row's id."""
    said = client.get(path).json()
    rows = said if isinstance(said, list) else said.get("data", said.get("accounts", []))
    return str(rows[0].get("id", rows[0].get("provider_id"))) if rows else NOWHERE


def fields(operation: dict[str, Any], document: dict[str, Any]) -> list[str]:
    """Return the names of what a body may hold."""
    schema = operation["requestBody"]["content"]["application/json"]["schema"]
    if reference := schema.get("$ref"):
        schema = document["components"]["schemas"][reference.rsplit("/", 1)[-1]]
    return list(schema.get("properties", ()))


def bodies(path: str, names: list[str], secret: str) -> Iterator[tuple[str, str]]:
    """Yield bodies that hold the secret and are refused, each with what it is."""
    yield "no end", f'{{"secret": "{secret}'
    yield "an unknown field", json.dumps({**dict.fromkeys(names, secret), "unknown": secret})
    yield "wrong values", json.dumps({name: [[[secret]]] for name in names})
    if said := REFUSED.get(path):
        yield "a secret in its place", json.dumps(said).replace("{}", secret)
