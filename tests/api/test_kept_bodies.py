"""What is kept of a call on a running proxx: all four parts, as the tenant and key say, sealed."""

import json
from pathlib import Path

import pytest

from tests.live import LiveProxx, running
from tests.upstreams.script import cut, fail, say

ROWS = """
from accounts import keys
from accounts.models import Tenant
from routing.models import ProviderSetting
ProviderSetting.objects.update_or_create(provider_id="anthropic", defaults={"base_url": %r})
from accounts.models import Credential
Credential.objects.create(provider_id="anthropic", secret="sk-sim-1", label="a")
rows = {"off": {}, "full": {"bodies": "full"}, "errors": {"bodies": "errors"}}
result = {}
for name, fields in rows.items():
    tenant = Tenant.objects.create(slug=f"tenant-{name}", name=name, **fields)
    result[name] = keys.issue(tenant, label=name)[1]
    result[name + ", but this key not"] = keys.issue(tenant, label=name, restrictions={"bodies": "off"})[1]
"""
READ = """
from analytics.bodies import store
from analytics.bodies.table import RequestBody
row = RequestBody.objects.get(pk=%r)
result = [[part.kind, part.attempt, part.text, part.cut, part.same_as] for part in store.read(row)]
"""
CANARY = "canary-7391-quince"


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    """A server with keys of tenants that keep all, errors, or nothing: `tokens` by name."""
    folder = tmp_path_factory.mktemp("proxx")
    env = {"PROXY_BODIES_PART_LIMIT": "4096"}
    with running(folder, templates, module_provider, env=env) as started:
        started.tokens = started.run(ROWS % module_provider.origin)
        for token in started.tokens.values():
            started.wait_until_known(token)
        yield started


def ask(proxx: LiveProxx, who: str, body, path="/v1/chat/completions"):
    status, headers, answer = proxx.request("POST", path, body, {"authorization": f"Bearer {proxx.tokens[who]}"})
    return status, headers["x-request-id"], answer


def kept(proxx: LiveProxx, id: str):
    proxx.wait_for_rows(f"SELECT id FROM analytics_requestbody WHERE id = '{id.replace('-', '')}'", 1)
    return proxx.run(READ % id)


def chat(model="openai/gpt-x", **more):
    return {"model": model, "messages": [{"role": "user", "content": CANARY}], **more}


def test_a_stream_is_kept_as_it_came_and_as_it_went(proxx: LiveProxx):
    proxx.provider.script(say("fine"))
    _, id, answer = ask(proxx, "full", chat(stream=True))
    asked, sent, heard, told = kept(proxx, id)
    assert (asked[:2], sent[:2], heard[:2], told[:2]) == (["asked", 0], ["sent", 1], ["heard", 1], ["told", 0])
    assert json.loads(asked[2]) == chat(stream=True)
    assert sent[2] == proxx.provider.journal.last.body.decode()
    assert heard[2] == bytes(proxx.provider.journal.last.answer).decode()
    assert told[2] == answer.decode()


def test_a_translated_call_keeps_both_dialects(proxx: LiveProxx):
    proxx.provider.script(say("fine"))
    _, id, answer = ask(proxx, "full", chat("anthropic/claude-x"))
    asked, sent, heard, told = kept(proxx, id)
    assert "max_tokens" in json.loads(sent[2])
    assert json.loads(heard[2])["type"] == "message"
    assert json.loads(told[2]) == json.loads(answer)
    assert json.loads(asked[2]) == chat("anthropic/claude-x")


def test_what_passed_unchanged_names_its_twin(proxx: LiveProxx):
    proxx.provider.script(say("fine"))
    _, id, _ = ask(proxx, "full", chat("gpt-x"), "/openai/v1/chat/completions")
    assert [part[4] for part in kept(proxx, id)] == [None, 0, None, 2]


def test_each_attempt_has_parts_of_its_own(proxx: LiveProxx):
    proxx.provider.script(fail(503), say("fine"))
    _, id, _ = ask(proxx, "full", chat())
    assert [part[:2] for part in kept(proxx, id)] == [
        ["asked", 0], ["sent", 1], ["heard", 1], ["sent", 2], ["heard", 2], ["told", 0],
    ]  # fmt: skip


def test_a_long_part_is_cut_and_says_so(proxx: LiveProxx):
    proxx.provider.script(say("fine"))
    _, id, _ = ask(proxx, "full", chat(user="word " * 2000))
    asked = kept(proxx, id)[0]
    assert asked[3] == "part"
    assert 4096 - len("word ") <= len(asked[2]) <= 4096  # the last word goes: a secret may begin there


def test_of_errors_only_the_failed_call_is_kept(proxx: LiveProxx):
    proxx.provider.script(say("fine"))
    _, good, _ = ask(proxx, "errors", chat())
    proxx.provider.script(fail(400))
    status, bad, answer = ask(proxx, "errors", chat())
    assert status == 400
    *_, heard, told = kept(proxx, bad)
    assert (heard[2], told[4]) == (answer.decode(), 2)
    _, unread, answer = ask(proxx, "errors", b'{"model": 7, "secret words"')
    assert [part[2] for part in kept(proxx, unread)] == ['{"model": 7, "secret words"', answer.decode()]
    assert proxx.rows(f"SELECT id FROM analytics_requestbody WHERE id = '{good.replace('-', '')}'") == []


def test_a_stream_that_breaks_off_is_kept_as_far_as_it_came(proxx: LiveProxx):
    proxx.provider.script(say("begun"), cut())
    _, id, answer = ask(proxx, "errors", chat(stream=True))
    parts = kept(proxx, id)
    assert parts[-1][2] == answer.decode()
    assert "begun" in parts[-2][2]


@pytest.mark.parametrize("who", ["off", "full, but this key not", "errors, but this key not"])
def test_who_keeps_nothing_leaves_nothing(proxx: LiveProxx, who):
    proxx.provider.script(say("fine"))
    _, id, _ = ask(proxx, who, chat())
    proxx.provider.script(say("fine"))
    _, later, _ = ask(proxx, "full", chat())
    kept(proxx, later)
    assert proxx.rows(f"SELECT id FROM analytics_requestbody WHERE id = '{id.replace('-', '')}'") == []


def test_no_word_of_a_prompt_lies_in_clear_in_database_journal_or_log(proxx: LiveProxx):
    proxx.provider.script(say("fine"))
    _, id, _ = ask(proxx, "full", chat())
    assert CANARY in kept(proxx, id)[0][2]
    found = [path for path in Path(proxx.folder).rglob("*") if path.is_file() and CANARY.encode() in path.read_bytes()]
    assert found == []
