"""The traffic log of a running proxx: what was said on both sides, in a file, without secrets. F-251."""

import json
import stat
from pathlib import Path

import pytest

from tests.house import echo
from tests.live import UPSTREAM_KEY, LiveProxx, NotReady, running
from tests.until import until
from tests.upstreams.script import cut, fail, say

PROMPT = "canaryPrompt6Vb"
PROVIDER_KEY = "canaryProviderKey7Q2w"  # no vendor's shape: what hides it must know it
HIDDEN = {
    "the key in the query": "canaryQueryKey1Pq",
    "a cookie": "canaryCookie2Ws",
    "a header nobody knows": "canaryHeader8Hj",
    "a vendors key in a prompt": "sk-canaryInPrompt-0123456789",
    "a password in a prompt": "canaryPassword4Rt",
    "the key in another gateway's header": "canaryXApiKey5Yu",
}


@pytest.fixture(scope="module")
def proxx(tmp_path_factory, templates, module_provider):
    """A server that logs; nobody keeps bodies."""
    folder = tmp_path_factory.mktemp("proxx")
    with running(folder, templates, module_provider, env={"PROXY_TRAFFIC_LOG": str(folder / "traffic.jsonl")}) as one:
        yield one


def log_of(proxx: LiveProxx) -> Path:
    return Path(proxx.environment["PROXY_TRAFFIC_LOG"])


def entries(proxx: LiveProxx, call: str, *, until_direction: str = "downstream-response") -> list[dict]:
    """Return what the log says of a call, when its answer stands there."""

    def found() -> list[dict]:
        lines = [json.loads(line) for line in log_of(proxx).read_text().splitlines()]
        return [line for line in lines if line.get("call") == call]

    until(lambda: any(one["direction"].startswith(until_direction) for one in found()), seconds=10)
    return found()


def chat(**more):
    return {"model": "openai/gpt-x", "messages": [{"role": "user", "content": PROMPT}], **more}


def ask(proxx: LiveProxx, body, path="/v1/chat/completions", headers=None):
    status, answered, answer = proxx.request("POST", path, body, headers)
    return status, answered["x-request-id"], answer


def test_a_whole_answer_is_an_entry_on_each_side_in_the_order_of_the_call(proxx):
    proxx.provider.script(say("fine"))
    _, id, answer = ask(proxx, chat())
    asked, sent, heard, told = entries(proxx, id)
    assert [one["direction"] for one in (asked, sent, heard, told)] == [
        "downstream-request", "upstream-request", "upstream-response", "downstream-response",
    ]  # fmt: skip
    assert json.loads(asked["text"]) == chat()
    assert sent["text"] == proxx.provider.journal.last.body.decode()
    assert heard["text"] == bytes(proxx.provider.journal.last.answer).decode()
    assert told["text"] == answer.decode()
    assert (sent["provider"], sent["model"], sent["attempt"]) == ("openai", "gpt-x", 1)
    assert sent["line"] == f"POST {proxx.provider.base_url}/chat/completions"
    assert (heard["status"], told["status"]) == (200, 200)
    assert "content-type: application/json" in heard["headers"]
    assert told["bytes"] == len(answer)


def test_of_a_stream_each_piece_is_an_entry_and_together_they_are_all_of_it(proxx):
    proxx.provider.script(say("one two three four five"))
    _, id, answer = ask(proxx, chat(stream=True))
    found = entries(proxx, id, until_direction="downstream-response-chunk")
    until(lambda: "[DONE]" in entries(proxx, id)[-1]["text"], seconds=10)
    found = entries(proxx, id)
    for side, whole in (("downstream", answer), ("upstream", bytes(proxx.provider.journal.last.answer))):
        heads = [one for one in found if one["direction"] == f"{side}-response"]
        chunks = [one for one in found if one["direction"] == f"{side}-response-chunk"]
        assert ([one["status"] for one in heads], "text" in heads[0]) == ([200], False)
        assert "".join(one["text"] for one in chunks) == whole.decode()
        assert sum(one["bytes"] for one in chunks) == len(whole)


def test_what_passes_through_a_prefix_is_there_too(proxx):
    proxx.provider.script(say("fine"))
    _, id, answer = ask(proxx, chat(model="gpt-x"), f"/openai/v1/chat/completions?beta=true&n={HIDDEN['a cookie']}")
    found = entries(proxx, id)
    assert [one["direction"] for one in found] == [
        "downstream-request", "upstream-request", "upstream-response", "downstream-response",
    ]  # fmt: skip
    assert found[-1]["text"] == answer.decode()
    assert found[1]["line"].endswith("/chat/completions?beta=true&n=***")


def test_each_attempt_and_a_stream_that_breaks_off_are_there(proxx):
    proxx.provider.script(fail(503), say("begun"), cut())
    _, id, _ = ask(proxx, chat(stream=True))
    found = entries(proxx, id, until_direction="downstream-response-chunk")
    assert [one["attempt"] for one in found if one["direction"] == "upstream-request"] == [1, 2]
    failed = next(one for one in found if one["direction"] == "upstream-response")
    assert (failed["status"], failed["attempt"]) == (503, 1)
    assert failed["text"]


def test_a_body_that_cannot_be_read_is_there_with_its_refusal(proxx):
    status, id, answer = ask(proxx, b'{"model": 7, "odd words"')
    asked, told = entries(proxx, id)
    assert (status, told["status"], told["text"]) == (400, 400, answer.decode())
    assert asked["text"] == '{"model": 7, "odd words"'


def test_what_is_longer_than_an_entry_is_cut_and_says_so(proxx):
    proxx.provider.script(say("fine"))
    _, id, _ = ask(proxx, chat(user="word " * 5000))
    asked = entries(proxx, id)[0]
    assert asked["cut"]
    assert 19_990 <= len(asked["text"]) <= 20_000
    assert asked["bytes"] > 25_000


def test_only_its_owner_may_read_it_and_the_start_says_where_it_is(proxx):
    path = log_of(proxx)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert f"written in clear to {path}" in proxx.log
    assert json.loads(path.read_text().splitlines()[1])["direction"] == "system/info"


def test_keys_never_stand_in_it(tmp_path, templates, module_provider):
    """Calls with secrets wherever they may be, to a provider that repeats all it is sent."""
    path = tmp_path / "traffic.jsonl"
    with echo.gossip() as base_url:
        env = {"OPENAI_API_KEY": PROVIDER_KEY, "OPENAI_BASE_URL": base_url, "PROXY_TRAFFIC_LOG": str(path)}
        with running(tmp_path, templates, module_provider, env=env) as proxx:
            said = {
                "password": HIDDEN["a password in a prompt"],
                "content": f"{PROMPT} {HIDDEN['a vendors key in a prompt']}",
            }
            headers = {
                "cookie": f"session={HIDDEN['a cookie']}",
                "x-canary": HIDDEN["a header nobody knows"],
                "x-portkey-authorization": HIDDEN["the key in another gateway's header"],
            }
            repeated = {"role": "user", "content": f"{PROMPT} {PROVIDER_KEY}"}
            first = {"model": "openai/say-400", "messages": [repeated]}
            assert proxx.request("POST", "/v1/chat/completions", first)[0] == 400
            calls = 1
            for model in echo.MODELS:
                for stream in (False, True):
                    body = {"model": f"openai/{model}", "messages": [{"role": "user", **said}], "stream": stream}
                    where = f"/v1/chat/completions?key={HIDDEN['the key in the query']}"
                    assert proxx.request("POST", where, body, headers)[0] != 401
                    body["model"] = model
                    where = f"/openai/v1/chat/completions?token={HIDDEN['the key in the query']}"
                    proxx.request("POST", where, body, headers)
                    calls += 2
            proxx.stop()
            planted = {**HIDDEN, "the provider's key": PROVIDER_KEY, "the client's key": proxx.token}
        text = path.read_text()
    lines = [json.loads(line) for line in text.splitlines()]
    assert [what for what, word in planted.items() if word in text] == []
    assert len([one for one in lines if one.get("direction") == "downstream-request"]) == calls
    assert text.count(PROMPT) > calls  # also in what was sent
    assert "Your key [secret] is odd" in text


def test_a_start_begins_anew_but_never_over_a_file_that_is_none_of_its_own(tmp_path, templates, module_provider):
    path = tmp_path / "traffic.jsonl"
    env = {"PROXY_TRAFFIC_LOG": str(path)}
    with running(tmp_path, templates, module_provider, env=env) as proxx:
        proxx.provider.script(say("fine"))
        _, id, _ = ask(proxx, chat())
        entries(proxx, id)
        proxx.stop()
        assert PROMPT in path.read_text()
        proxx.start()
        assert PROMPT not in path.read_text()
        proxx.stop()
        path.write_text("PRECIOUS=1\n")
        with pytest.raises(NotReady, match="is no traffic log; it stays as it is"):
            proxx.start()
        assert path.read_text() == "PRECIOUS=1\n"
    assert UPSTREAM_KEY not in path.read_text()


def test_without_a_path_nothing_is_written(module_proxx):
    module_proxx.provider.script(say("fine"))
    assert ask(module_proxx, chat())[0] == 200
    module_proxx.wait_for_rows("SELECT 1 FROM analytics_requestlog", 1)
    found = [one for one in module_proxx.folder.rglob("*") if one.is_file() and PROMPT.encode() in one.read_bytes()]
    assert found == []
    assert "written in clear" not in module_proxx.log
