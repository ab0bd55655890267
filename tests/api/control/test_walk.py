"""The whole way, against a real server: a tenant, a key, a call, its usage, a limit, the end of the key."""

import time

import httpx
import pytest

pytestmark = pytest.mark.slow


def test_from_a_tenant_to_the_end_of_its_key(live_proxx):
    headers = {"authorization": f"Bearer {live_proxx.token}"}
    with httpx.Client(base_url=f"{live_proxx.origin}/api/v1", headers=headers, timeout=30) as admin:
        walk(live_proxx, admin)


def walk(live_proxx, admin):
    tenant = admin.post("/tenants", json={"slug": "lab", "name": "Lab"}).raise_for_status().json()
    key = admin.post("/keys", json={"tenant_id": tenant["id"], "label": "ci"}).raise_for_status().json()
    live_proxx.wait_until_known(key["token"])

    def call() -> int:
        asked = {"model": "openai/sim-echo", "messages": [{"role": "user", "content": "hi"}]}
        headers = {"authorization": f"Bearer {key['token']}"}
        return live_proxx.request("POST", "/v1/chat/completions", asked, headers)[0]

    def until(status: int) -> None:
        deadline = time.monotonic() + 15
        while (found := call()) != status:
            assert time.monotonic() < deadline, f"{found} is not {status}\n{live_proxx.log}"
            time.sleep(0.1)

    until(200)
    live_proxx.wait_for_rows(
        "SELECT id FROM analytics_requestlog WHERE model_routed = 'sim-echo' AND outcome = 'ok'", 1
    )
    records = admin.get("/requests", params={"tenant_id": tenant["id"], "outcome": "ok"}).raise_for_status().json()
    assert "sim-echo" in {one["model_routed"] for one in records["data"]}
    usage = admin.get("/usage", params={"by": "tenant", "tenant_id": tenant["id"]}).raise_for_status().json()
    assert usage["data"][0]["ok"] >= 1
    limit = {"tenant_id": tenant["id"], "kind": "requests_minute", "amount": 0}
    admin.post("/limits", json=limit).raise_for_status()
    until(429)
    admin.post(f"/keys/{key['id']}/revoke").raise_for_status()
    until(401)
    mine = httpx.get(f"{live_proxx.origin}/api/v1/tenants", headers={"authorization": f"Bearer {key['token']}"})
    assert (mine.status_code, mine.json()["error"]["code"]) == (401, "invalid_api_key")
