"""The ChatGPT backend is asked as its own client asks, an account whose workspace is gone goes on without it, and a
conversation goes on with another account when the first is at its limit."""

import pytest

from tests.live import LiveProxx
from tests.until import until
from tests.upstreams.plan import FIVE_HOURS, WEEK, Plan, PlanWindow
from tests.upstreams.responses_plan import plans_of
from tests.upstreams.script import say

USER = {"type": "message", "role": "user", "content": [{"type": "input_text", "text": "hi"}]}
CODEX = {
    "originator": "codex_exec",
    "user-agent": "codex_exec/0.200.0 (Linux)",
    "version": "0.200.0",
    "session_id": "s-1",
    "x-codex-turn-state": "turn-1",
    "x-codex-turn-metadata": "{}",
    "x-openai-internal-codex-responses-lite": "true",
    "cookie": "a=b",
}


@pytest.fixture(scope="module")
def proxx(module_proxx: LiveProxx) -> LiveProxx:
    base = f"{module_proxx.provider.origin}/backend-api"
    module_proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
for name, secret in (("plain", "sk-sim-1"), ("gone", "sk-sim-gone")):
    ProviderSetting.objects.create(
        provider_id=name, base_url={base!r}, protocols=["openai_responses"], models_paths=[],
        paths={{"openai_responses": "/codex/responses"}}, quirks=["codex_backend"],
    )
    Credential.objects.create(provider_id=name, secret=secret, label=name, chatgpt_account_id="ws-" + name)
Credential.objects.all().filter(provider_id="openai").delete()
for number in (1, 2):
    Credential.objects.create(
        provider_id="openai", kind="oauth_bearer", secret=f"sk-sim-plan-{{number}}", label=f"account {{number}}",
        base_url={base!r}, chatgpt_account_id=f"ws-{{number}}", priority=number,
    )
"""
    )
    module_proxx.wait_until_served("plain/sim-say")
    return module_proxx


def ask(proxx: LiveProxx, model: str, headers: dict[str, str] | None = None, **more: object):
    body = {"model": model, "input": [USER], "store": False, "stream": True, **more}
    status, told, answer = proxx.request("POST", "/v1/responses", body, headers or {})
    return status, told, answer


def test_the_backend_is_asked_as_by_its_own_client(proxx: LiveProxx) -> None:
    proxx.provider.reset()
    assert ask(proxx, "plain/sim-say", {"x-session-id": "mine"})[0] == 200
    sent = proxx.provider.journal.last
    said = {name: sent.header(name) for name in ("originator", "user-agent", "version", "openai-beta", "accept")}
    assert said == {
        "originator": "codex_cli_rs",
        "user-agent": "codex_cli_rs/0.144.1",
        "version": "0.144.1",
        "openai-beta": "responses=experimental",
        "accept": "text/event-stream",
    }
    assert sent.header("session_id") == "mine"
    assert ask(proxx, "plain/sim-say", {"x-session-id": "mine"}, prompt_cache_key="k")[0] == 200
    assert proxx.provider.journal.last.header("session_id") == "k"


def test_a_codex_speaks_for_itself_and_hears_what_the_backend_tells_it(proxx: LiveProxx) -> None:
    proxx.provider.reset()
    status, told, _ = ask(proxx, "plain/sim-say", CODEX)
    sent = proxx.provider.journal.last
    assert status == 200
    for name in ("originator", "user-agent", "version", "session_id", "x-codex-turn-state", "x-codex-turn-metadata"):
        assert sent.header(name) == CODEX[name]
    # The slim form is undone on the way, so its mark must not travel; nor does anything that is nobody's business.
    assert sent.header("x-openai-internal-codex-responses-lite") is None
    assert sent.header("cookie") is None
    assert told["x-codex-turn-state"].startswith("turn-")
    assert told["x-models-etag"]


def test_others_hear_nothing_of_the_accounts_plan(proxx: LiveProxx) -> None:
    _, told, _ = ask(proxx, "plain/sim-say")
    assert not [name for name in told if name.lower().startswith("x-codex")]


def test_an_account_whose_workspace_is_gone_goes_on_without_it(proxx: LiveProxx) -> None:
    plan = Plan([PlanWindow(FIVE_HOURS, 50)], gone_workspace="ws-gone")
    plans_of(proxx.provider.world)["sk-sim-gone"] = plan
    proxx.provider.reset()
    assert ask(proxx, "gone/sim-say")[0] == 200
    told = [one.header("chatgpt-account-id") for one in proxx.provider.journal]
    assert told == ["ws-gone", None]
    stored = "SELECT chatgpt_account_id FROM accounts_credential WHERE provider_id = 'gone'"
    until(lambda: proxx.rows(stored) == [("",)], seconds=10)
    assert ask(proxx, "gone/sim-say")[0] == 200
    assert proxx.provider.journal.last.header("chatgpt-account-id") is None
    assert len(proxx.provider.journal) == 3


def test_a_conversation_goes_on_with_the_second_account_when_the_first_is_at_its_limit(proxx: LiveProxx) -> None:
    first, second = (Plan([PlanWindow(FIVE_HOURS, size), PlanWindow(WEEK, 500)]) for size in (3, 50))
    plans_of(proxx.provider.world).update({"sk-sim-plan-1": first, "sk-sim-plan-2": second})
    proxx.wait_until_served("gpt-x")
    first.windows[0].used = second.windows[0].used = 0
    first.served = second.served = 0
    proxx.provider.reset()
    proxx.provider.always(say("Go on."))
    for _ in range(6):
        status, _, answer = ask(proxx, "gpt-x", CODEX)
        assert (status, b"response.completed" in answer) == (200, True)
    assert first.served + second.served == 6
    assert second.served >= 3
    assert first.refused <= 1  # once it is known, nobody asks there any more
    sent = [one for one in proxx.provider.journal if one.path.endswith("/responses")]
    assert {one.header("chatgpt-account-id") for one in sent} == {"ws-1", "ws-2"}
