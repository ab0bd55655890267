"""A key that ends while it is in use (security A9): what has begun finishes, nothing begins any more, in any process,
and the calls that were under way bring no key back."""

import http.client
import json

import pytest

from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.script import say, stall

BODY = {"model": "openai/sim-echo", "messages": [{"role": "user", "content": "hi"}], "stream": True}

ENDINGS = {
    "revoked": "keys.revoke(key)",
    "rotated": "keys.rotate(key, overlap=timedelta(0))",
    "tenant off": "key.tenant.is_active = False; key.tenant.save()",
    "expired": "key.expires_at = clock.now(); key.save()",
    "scope taken": "key.scopes = ['proxy:images']; key.save()",
    "address taken": "key.networks = '203.0.113.1'; key.save()",
}


@pytest.fixture
def both(start_proxx, tmp_path, provider):
    """Two processes before one database."""
    first = start_proxx(real=True)
    second = LiveProxx(tmp_path / "second", first.database, provider, "daphne", {})
    second.folder.mkdir()
    second.start()
    yield first, second
    assert second.stop() == 0


def begun(proxx: LiveProxx, token: str) -> http.client.HTTPResponse:
    """Begin a stream and return its answer with the first words read."""
    connection = http.client.HTTPConnection("127.0.0.1", proxx.port, timeout=30)
    headers = {"authorization": f"Bearer {token}", "content-type": "application/json", "connection": "close"}
    connection.request("POST", "/v1/chat/completions", json.dumps(BODY), headers)
    answer = connection.getresponse()
    assert answer.status == 200
    assert answer.read1(20)
    return answer


@pytest.mark.real
def test_a_key_that_ends_during_its_calls_ends_in_every_process(both):
    first = both[0]
    made = first.run(
        "from accounts import keys; from accounts.models import Tenant\n"
        "result = {}\n"
        f"for number, name in enumerate({list(ENDINGS)!r}):\n"
        "    tenant = Tenant.objects.create(slug=f't{number}')\n"
        "    key, token = keys.issue(tenant, label=name)\n"
        "    result[name] = [str(key.pk), token]\n"
    )
    for _, token in made.values():
        for proxx in both:
            proxx.wait_until_known(token)
    first.provider.script(say("one two"), stall(12), say(" three"))
    answers = {(name, proxx): begun(proxx, token) for name, (_, token) in made.items() for proxx in both}
    first.run(
        "from datetime import timedelta\n"
        "from accounts import keys; from accounts.models import ApiKey\n"
        "from proxx.kit import clock\n"
        + "\n".join(
            f"key = ApiKey.objects.select_related('tenant').get(pk='{key_id}'); {ENDINGS[name]}"
            for name, (key_id, _) in made.items()
        )
    )

    def served() -> set[str]:
        return {
            name
            for name, (_, token) in made.items()
            for proxx in both
            if proxx.request("GET", "/v1/models", None, {"authorization": f"Bearer {token}"})[0] not in (401, 403)
        }

    assert until(lambda: not served(), seconds=5) < 5
    for (name, _), answer in answers.items():
        with answer:
            assert b"[DONE]" in answer.read(), f"{name}: what had begun was to finish"
    assert not served(), "no call that was under way brings its key back"
