"""Where databases differ: the control API of a server that has Postgres."""

import json
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.conftest import StartProxx

pytestmark = pytest.mark.real
TOKEN = "control-test-token-0123456789-0123456789"


@pytest.fixture
def ask(start_proxx: StartProxx):
    proxx = start_proxx(real=True, env={"PROXY_AUTH_TOKEN": TOKEN})

    def asked(method, path, body=None):
        status, _, said = proxx.request(method, path, body, {"authorization": f"Bearer {TOKEN}"})
        return status, json.loads(said) if said else None

    return asked


def test_limits_are_changed_and_deleted_and_times_may_have_any_offset(ask):
    _, tenant = ask("POST", "/api/v1/tenants", {"slug": "mine", "name": "Mine"})
    _, key = ask("POST", "/api/v1/keys", {"tenant_id": tenant["id"], "label": "ci"})
    for owner in ({"tenant_id": tenant["id"]}, {"key_id": key["id"]}):
        status, limit = ask("POST", "/api/v1/limits", {**owner, "kind": "money_day", "amount": 5})
        assert status == 201, limit
        place = f"/api/v1/limits/{limit['id']}"
        status, changed = ask("PATCH", place, {"amount": 6})
        assert (status, changed["amount"]) == (200, 6)
        assert ask("DELETE", place)[0] == 204
    with ThreadPoolExecutor(8) as many:
        wanted = {"key_id": key["id"], "kind": "tokens_day", "amount": 5}
        answers = list(
            many.map(lambda model: ask("POST", "/api/v1/limits", {**wanted, "model": model}), ["o3", "O3"] * 4)
        )
    assert sorted(status for status, _ in answers) == [201, *[422] * 7], answers
    for most in (30, 5):
        status, said = ask("POST", "/api/ui/settings", {"requestsPerMinute": most})
        assert (status, said["requestsPerMinute"]) == (200, most)
    offset = "since=2026-01-01T00:00:00%2B23:59&until=2026-02-01T00:00:00-23:59"
    for by in ("", "&by=hour", "&by=day"):
        status, said = ask("GET", f"/api/v1/usage?{offset}{by}")
        assert status == 200, said
        assert not any(one["cost_nano"] for one in said["data"]), said
    assert ask("GET", f"/api/v1/requests?{offset}")[0] == 200
