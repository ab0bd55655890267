"""plan(): names lead to the right providers, in the right order, with reasons for those struck out."""

from dataclasses import replace
from typing import Any

import pytest

from proxx.kit import clock as clocks
from routing import health, planner, policies, providers
from routing.plan import Plan
from routing.snapshot import Snapshot
from tests.routing.pictures import TENANT, catalog, credential, picture


def plan(model: str, snapshot: Snapshot, *, dialect: str = "openai_chat", now: float | None = None) -> Plan:
    return planner.plan(
        model=model, dialect=dialect, tenant=TENANT, snapshot=snapshot, now=clocks.monotonic() if now is None else now
    )


def ways(found: Plan) -> list[tuple[str, str]]:
    return [(one.provider.id, one.model) for one in found.candidates]


def codes(found: Plan) -> set[tuple[str, str]]:
    return {(one.provider_id, one.code) for one in found.excluded}


@pytest.mark.parametrize("name", ["openai/gpt-x", "openai:gpt-x", "OpenAI/gpt-x", "OPENAI:gpt-x", "openai/ gpt-x "])
def test_a_prefix_names_the_provider_and_is_stripped(name: str) -> None:
    snapshot = picture(credential("openai"), credential("openrouter"), credential("groq"))
    assert ways(plan(name, snapshot)) == [("openai", "gpt-x")]


@pytest.mark.parametrize("name", ["openai/", "openai:", "openai/  "])
def test_an_empty_remainder_keeps_the_whole_name(name: str) -> None:
    assert ways(plan(name, picture(credential("openai")))) == [("openai", name.strip())]


def test_a_vendor_path_is_no_prefix_of_an_unknown_provider() -> None:
    snapshot = picture(credential("openrouter"), catalogs={"openrouter": catalog("meta-llama/llama-3")})
    assert ways(plan("meta-llama/llama-3", snapshot)) == [("openrouter", "meta-llama/llama-3")]


def test_without_its_credential_a_providers_name_is_a_vendor_path_of_a_router() -> None:
    snapshot = picture(credential("openrouter"), catalogs={"openrouter": catalog("openai/gpt-x", "openrouter/auto")})
    assert ways(plan("openai/gpt-x", snapshot)) == [("openrouter", "openai/gpt-x")]
    assert ways(plan("openrouter/openai/gpt-x", snapshot)) == [("openrouter", "openai/gpt-x")]
    assert ways(plan("openrouter/auto", snapshot)) == [("openrouter", "openrouter/auto")]


def test_a_vendor_path_is_found_although_the_vendor_is_configured_and_lacks_the_model() -> None:
    lists = {"openai": catalog("gpt-x"), "groq": catalog("openai/gpt-oss")}
    snapshot = picture(credential("openai"), credential("groq"), catalogs=lists)
    assert ways(plan("openai/gpt-oss", snapshot)) == [("groq", "openai/gpt-oss")]
    assert ways(plan("openai/gpt-x", snapshot)) == [("openai", "gpt-x")]
    assert plan("openai/neither", snapshot).refusal == "unknown_model"


def test_a_prefix_without_credentials_is_refused_if_nobody_else_can_mean_it() -> None:
    snapshot = picture(credential("groq"), catalogs={"groq": catalog("llama")})
    found = plan("openai/gpt-x", snapshot)
    assert (found.refusal, codes(found)) == ("no_account", {("openai", "no_credentials")})
    assert plan("openai/gpt-x", picture()).refusal == "no_credentials"


def test_a_prefix_of_a_disabled_provider_gives_no_routes() -> None:
    factory = replace(providers.load()["factory"], enabled=False)
    snapshot = picture(credential("groq"), providers={"factory": factory}, catalogs={"groq": catalog("llama")})
    found = plan("factory/kimi", snapshot)
    assert (found.refusal, codes(found)) == ("provider_unknown", {("factory", "provider_disabled")})


def test_a_bare_name_is_served_by_whichever_provider_lists_it() -> None:
    lists = {"openai": catalog("gpt-x"), "gemini": catalog("gemini-3.1-pro-preview"), "groq": catalog("Llama-3")}
    snapshot = picture(credential("openai"), credential("gemini"), credential("groq"), catalogs=lists)
    assert ways(plan("gemini-3.1-pro-preview", snapshot)) == [("gemini", "gemini-3.1-pro-preview")]
    assert ways(plan("LLAMA-3", snapshot)) == [("groq", "Llama-3")]


def test_a_model_that_no_fresh_list_has_is_unknown() -> None:
    snapshot = picture(credential("openai"), catalogs={"openai": catalog("gpt-x")})
    found = plan("gpt-y", snapshot)
    assert (found.refusal, codes(found)) == ("unknown_model", {("openai", "not_listed")})


@pytest.mark.parametrize("lists", [{}, {"groq": catalog("llama", is_fresh=False)}])
def test_a_provider_without_a_fresh_list_may_have_the_model(lists: Any) -> None:
    snapshot = picture(credential("openai"), credential("groq"), catalogs={"openai": catalog("gpt-x"), **lists})
    assert ways(plan("gpt-y", snapshot)) == [("groq", "gpt-y")]


def test_who_lists_a_model_comes_before_its_natural_home_and_both_before_mere_guesses() -> None:
    held = [credential(one) for one in ("openai", "anthropic", "mistral", "groq")]
    snapshot = picture(*held, catalogs={"groq": catalog("claude-z")})
    assert [one for one, _ in ways(plan("claude-z", snapshot))] == ["groq", "anthropic", "openai", "mistral"]


def test_providers_that_the_operator_named_come_first_if_they_may_have_the_model() -> None:
    held = [credential(one) for one in ("openai", "groq", "vivgrid")]
    lists = {"openai": catalog("gpt-x"), "groq": catalog("llama")}
    snapshot = picture(*held, catalogs=lists, order=("vivgrid", "groq", "openai"), named=2)
    assert [one for one, _ in ways(plan("gpt-x", snapshot))] == ["vivgrid", "openai"]


def test_a_declared_model_exists_although_no_list_has_it() -> None:
    snapshot = picture(credential("openai"), catalogs={"openai": catalog("gpt-x")}, declared=frozenset({"ft:mine"}))
    assert ways(plan("ft:mine", snapshot)) == [("openai", "ft:mine")]


def test_nothing_is_known_without_credentials() -> None:
    assert plan("gpt-x", picture()).refusal == "no_credentials"
    assert plan("gpt-x", picture(order=("ollama",))).refusal == "no_credentials"


def test_an_alias_leads_to_its_target_and_is_told() -> None:
    lists = {"openai": catalog("gpt-x"), "groq": catalog("llama")}
    aliases = {"fast": "groq/llama", "lost": "missing", "llama": "missing"}
    snapshot = picture(credential("openai"), credential("groq"), catalogs=lists, aliases=aliases)
    found = plan("Fast", snapshot)
    assert (ways(found), found.alias, found.requested) == ([("groq", "llama")], "Fast", "Fast")
    assert plan("lost", snapshot).refusal == "unknown_model"
    # An alias without target does not hide a real model of its name.
    assert (ways(plan("llama", snapshot)), plan("llama", snapshot).alias) == ([("groq", "llama")], None)


@pytest.mark.parametrize(
    ("name", "is_local"),
    [("qwen3:8b", True), ("gemma:e4b", True), ("x:4b-q8", True), ("mistral-small", False), ("gpt-x:8b", False)],
)
def test_small_tags_go_to_the_local_ollama_and_hosted_families_never(name: str, is_local: bool) -> None:
    snapshot = picture(
        credential("openai"), order=("openai", "ollama"), local_patterns=(":2b", ":3b", ":4b", ":7b", ":8b")
    )
    assert ("ollama" in dict(ways(plan(name, snapshot)))) is is_local
    if is_local:
        assert ways(plan(name, snapshot))[0] == ("ollama", name)


def test_a_shipped_loopback_address_is_not_tried_with_every_unknown_name() -> None:
    snapshot = picture(credential("openai"), order=("openai", "ollama"))
    assert ways(plan("some-model", snapshot)) == [("openai", "some-model")]
    assert ways(plan("ollama/some-model", snapshot)) == [("ollama", "some-model")]


def test_an_ollama_name_without_tag_means_latest() -> None:
    snapshot = picture(order=("ollama",), catalogs={"ollama": catalog("llama3:latest", "qwen3")})
    assert ways(plan("llama3", snapshot)) == [("ollama", "llama3:latest")]
    assert ways(plan("qwen3:latest", snapshot)) == [("ollama", "qwen3")]


def test_llamacpp_gets_hyphens_for_colons() -> None:
    llamacpp = providers.overlaid(providers.load()["llamacpp"], {"base_url": "http://127.0.0.1:9000"})
    snapshot = picture(order=("llamacpp",), providers={"llamacpp": llamacpp})
    assert ways(plan("llamacpp-embed:nomic:v1.5", snapshot)) == [("llamacpp", "nomic-v1.5")]


def test_requesty_gets_a_vendor_before_every_bare_name() -> None:
    snapshot = picture(credential("requesty"), catalogs={"requesty": catalog("anthropic/claude-x")})
    assert ways(plan("claude-x", snapshot)) == [("requesty", "anthropic/claude-x")]
    assert ways(plan("requesty/claude-x", snapshot)) == [("requesty", "anthropic/claude-x")]


def test_a_provider_that_lists_any_glm_may_have_every_glm() -> None:
    lists = {"zai": catalog("glm-4.6"), "openai": catalog("gpt-x")}
    snapshot = picture(credential("zai"), credential("openai"), catalogs=lists)
    assert ways(plan("glm-9", snapshot)) == [("zai", "glm-9")]


@pytest.mark.parametrize(
    ("provider_id", "model", "url"),
    [
        ("openai", "gpt-x", "https://api.openai.com/v1/chat/completions"),
        ("openrouter", "a/b", "https://openrouter.ai/api/v1/chat/completions"),
        ("gemini", "gemini-3", "https://generativelanguage.googleapis.com/v1beta/models/gemini-3:generateContent"),
        ("anthropic", "claude-x", "https://api.anthropic.com/v1/messages"),
        ("zai", "glm-5", "https://api.z.ai/api/paas/v4/chat/completions"),
        ("ollama-cloud", "gpt-oss", "https://ollama.com/v1/chat/completions"),
        ("groq", "llama", "https://api.groq.com/openai/v1/chat/completions"),
        ("mistral", "mistral-x", "https://api.mistral.ai/v1/chat/completions"),
        ("factory", "kimi-k3", "https://api.factory.ai/api/llm/o/v1/chat/completions"),
    ],
)
def test_each_provider_is_called_at_its_own_address(provider_id: str, model: str, url: str) -> None:
    found = plan(f"{provider_id}/{model}", picture(credential(provider_id)))
    assert [one.url for one in found.candidates] == [url]
    assert found.candidates[0].auth == {"gemini": "x-goog-api-key", "anthropic": "x-api-key"}.get(provider_id, "bearer")


def test_a_caller_is_served_in_its_own_dialect_where_it_is_spoken_else_in_another() -> None:
    snapshot = picture(credential("anthropic"), credential("openai"))
    found = plan("anthropic/claude-x", snapshot, dialect="anthropic").candidates[0]
    assert (found.url, found.auth) == ("https://api.anthropic.com/v1/messages", "x-api-key")
    assert plan("openai/gpt-x", snapshot, dialect="anthropic").candidates[0].protocol == "openai_chat"


def test_a_model_family_may_have_fewer_doors_than_its_provider() -> None:
    snapshot = picture(credential("factory"))
    assert plan("factory/claude-x", snapshot).candidates[0].protocol == "anthropic"
    assert plan("factory/claude-x", snapshot, dialect="openai_images").refusal == "dialect_not_served"


def test_a_sign_in_account_of_openai_is_a_codex_account_and_a_key_is_not() -> None:
    key, account = credential("openai"), credential("openai", kind="oauth_bearer")
    found = plan("gpt-x", picture(key, account))
    ways_in = {(one.protocol, "codex_backend" in one.quirks) for one in found.candidates}
    assert ways_in == {("openai_chat", False), ("openai_responses", True)}
    found = plan("gpt-x", picture(key, account), dialect="openai_responses")
    assert {one.url for one in found.candidates} == {
        "https://api.openai.com/v1/responses",
        "https://chatgpt.com/backend-api/codex/responses",
    }


def test_a_credentials_own_base_url_comes_before_the_providers() -> None:
    snapshot = picture(credential("openai", base_url="http://10.0.0.1:9/v1"), credential("openai-compatible"))
    assert plan("openai/x", snapshot).candidates[0].url == "http://10.0.0.1:9/v1/chat/completions"
    found = plan("openai-compatible/x", snapshot)
    assert (found.refusal, codes(found)) == ("no_credentials", {("openai-compatible", "no_base_url")})


def test_equal_credentials_take_turns_and_lower_numbers_come_first() -> None:
    first, other = credential(priority=1), credential(priority=1)
    last = credential(priority=2)
    snapshot = picture(first, other, last)
    orders = [[one.credential for one in plan("gpt-x", snapshot).candidates] for _ in range(3)]
    assert orders == [[first, other, last], [other, first, last], [first, other, last]]


def test_turns_outlive_a_reload() -> None:
    pair = credential(), credential()
    first = plan("gpt-x", picture(*pair)).candidates[0]
    assert plan("gpt-x", picture(*pair)).candidates[0].key != first.key


def test_all_accounts_of_one_provider_come_before_the_next_provider() -> None:
    held = [credential("groq"), credential("openai"), credential("groq"), credential("openai")]
    found = [one for one, _ in ways(plan("gpt-x", picture(*held)))]
    assert found == ["openai", "openai", "groq", "groq"]


def test_who_rests_at_the_upstreams_wish_is_struck_out(clock: clocks.Stopped) -> None:
    one, other = credential(), credential()
    snapshot = picture(one, other)
    health.rest(one.id, 30)
    found = plan("gpt-x", snapshot)
    assert [way.credential for way in found.candidates] == [other]
    assert [(row.credential_id, row.code) for row in found.excluded] == [(one.id, "resting")]
    clock.advance(31)
    assert len(plan("gpt-x", snapshot).candidates) == 2


def test_when_everybody_rests_the_soonest_return_is_told(clock: clocks.Stopped) -> None:
    one, other = credential(), credential()
    health.rest(one.id, 30)
    health.rest(other.id, 12)
    found = plan("gpt-x", picture(one, other))
    assert (found.refusal, found.candidates) == ("all_resting", ())
    assert found.retry_after == pytest.approx(12)


def test_who_rests_by_our_guess_only_goes_to_the_end(clock: clocks.Stopped) -> None:
    one, other = credential("openai"), credential("groq")
    health.rest(one.id, 5, is_soft=True)
    assert [way.credential for way in plan("x", picture(one, other)).candidates] == [other, one]
    assert [way.credential for way in plan("x", picture(one)).candidates] == [one]


def test_a_rest_for_one_model_leaves_the_others(clock: clocks.Stopped) -> None:
    one = credential()
    health.rest(one.id, 30, model="gpt-x")
    assert plan("gpt-x", picture(one)).refusal == "all_resting"
    assert plan("gpt-y", picture(one)).refusal is None


def test_a_thousand_strange_names_leave_the_memory_bounded() -> None:
    snapshot = picture(*[credential() for _ in range(300)])
    for number in range(1000):
        plan(f"strange-{number}", snapshot)
    assert len(snapshot.memo._answers) < 200


def test_an_equal_credential_of_weight_three_begins_three_times_as_often() -> None:
    policies.forget()
    heavy, light = credential(account_id="heavy", weight=3), credential(account_id="light")
    snapshot = picture(heavy, light, declared=frozenset({"gpt-x"}))
    first = [plan("gpt-x", snapshot).candidates[0].credential for _ in range(8)]
    assert [one.account_id for one in first if one] == ["heavy", "heavy", "heavy", "light"] * 2
