"""The fixtures that everybody leans on hold: a whole proxx starts, answers, records, is looked into, and ends."""

import json
import os

import pytest

from tests import forked
from tests.live import NotReady, base_environment
from tests.upstreams.script import say

pytestmark = pytest.mark.slow
USER = [{"role": "user", "content": "hello"}]


@pytest.mark.parametrize("by_command", [True, False])
@pytest.mark.parametrize("server", ["daphne", "uvicorn"])
def test_a_whole_proxx_answers_and_records(start_proxx, server, by_command):
    proxx = start_proxx(server=server, by_command=by_command)
    with proxx.openai() as client:
        proxx.provider.script(say("from the provider"))
        answer = client.chat.completions.create(model="openai/gpt-x", messages=USER)
        assert answer.choices[0].message.content == "from the provider"
        parts = client.chat.completions.create(model="openai/sim-echo", messages=USER, stream=True)
        assert "".join(part.choices[0].delta.content or "" for part in parts if part.choices) == "hello"
    seen = [(entry.header("authorization"), entry.json["model"]) for entry in proxx.provider.journal if entry.body]
    assert seen == [("Bearer sk-sim-1", "gpt-x"), ("Bearer sk-sim-1", "sim-echo")]
    assert len(proxx.wait_for_rows("SELECT status FROM analytics_requestlog", 2)) == 2
    assert proxx.stop() == 0


def test_a_live_server_can_be_looked_into(live_proxx):
    assert live_proxx.chat()[0] == 200
    assert live_proxx.request("GET", "/health")[0] == 200
    code = "from accounts.models import Tenant\nresult = [tenant.slug for tenant in Tenant.objects.all()]"
    assert live_proxx.run(code) == ["default"]
    key = live_proxx.manage("issue_key", "--label", "test").strip()
    status, _, body = live_proxx.request("GET", "/v1/models", headers={"authorization": f"Bearer {key}"})
    assert status == 200, body
    assert json.loads(body)["object"] == "list"
    assert live_proxx.rows("SELECT label FROM accounts_apikey WHERE label = %s", ["test"]) == [("test",)]


@pytest.mark.parametrize("by_command", [True, False])
def test_a_server_that_cannot_start_says_why(start_proxx, by_command):
    with pytest.raises(NotReady, match="ended with 2:\nproxx cannot start: PROXX_SERVER"):
        start_proxx(env={"PROXX_SERVER": "nothing"}, by_command=by_command)


def test_forked_programs_have_nothing_in_common_that_tells_processes_apart(tmp_path):
    program = (
        "import django; django.setup(); from accounts import models; from proxx.kit import ids, shared_state\n"
        "import random, secrets; from twisted.internet import reactor\n"
        "print(shared_state.SENDER.hex(), ids.new(0).hex, random.random(), secrets.token_hex(8), sep='\\n')"
    )
    said = [forked.run("-c", program, env=base_environment(tmp_path)) for _ in range(2)]
    assert [one.returncode for one in said] == [0, 0], said[0].stderr
    marks = [one.stdout.split() for one in said]
    assert [len(one) for one in marks] == [4, 4]
    assert not set(marks[0]) & set(marks[1])


def test_a_live_server_knows_nothing_of_the_developers_environment(start_proxx, monkeypatch):
    monkeypatch.setenv("PROXY_AUTH_TOKEN", "somebody-elses-token-0123456789-0123456789")
    proxx = start_proxx()
    assert "somebody-elses" not in json.dumps(proxx.environment)
    assert proxx.environment["PROXX_ENV_FILE"] == os.devnull


@pytest.mark.real
def test_postgres_and_redis_stand_behind_a_server(start_proxx):
    proxx = start_proxx(real=True)
    assert proxx.chat()[0] == 200
    assert len(proxx.wait_for_rows("SELECT status FROM analytics_requestlog", 1)) == 1
    assert proxx.environment["DATABASE_URL"].startswith("postgres")
