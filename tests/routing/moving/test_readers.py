"""Files of other gateways, read: what they say, and a note on everything that is not taken over."""

import json
from typing import Any

import pytest

from routing.keys_file import FileFault
from routing.moving.found import Found
from routing.moving.recognise import read

MULTICODEX: dict[str, Any] = {
    "accounts": [
        {
            "id": "a1",
            "email": "me@example.com",
            "accessToken": "token-of-chatgpt-0001",
            "refreshToken": "renews-0001",
            "expiresAt": 1893456000000,
            "chatgptAccountId": "acc-1",
            "enabled": True,
            "priority": 2,
            "usage": {"fetchedAt": 1},
        },
        {"id": "m1", "provider": "mistral", "accessToken": "key-of-mistral-01", "enabled": False, "odd": 1},
        {
            "id": "c1",
            "provider": "openai-compatible",
            "upstreamMode": "responses",
            "baseUrl": "https://llm.example.com/v1/",
            "accessToken": "key-of-compatible-01",
        },
        {"id": "z1", "provider": "zai", "baseUrl": "https://api.z.ai", "accessToken": "key-of-zai-0123456"},
    ],
    "modelAliases": [
        {"id": "fast", "targets": ["gpt-5-mini"], "enabled": True},
        {"id": "smart", "targets": ["high:gpt-5", "gpt-5-mini"], "enabled": False, "description": "for hard work"},
    ],
    "settings": {"defaultPassthroughAccountId": "a1"},
}
CLI_PROXY = """
port: 8317
api-keys: [client-key-1, client-key-2]
something-new: 1
routing: {strategy: fill-first}
gemini-api-key:
  - api-key: key-of-gemini-0001
    weight: 5
    prefix: test
    models: [{name: gemini-2.5-flash, alias: gf}]
    excluded-models: ["*-preview"]
codex-api-key:
  - {api-key: key-of-codex-00001, base-url: "https://relay.example.com/codex"}
claude-api-key:
  - {api-key: key-of-claude-0001, base-url: "https://api.anthropic.com"}
openai-compatibility:
  - name: openrouter
    base-url: https://openrouter.ai/api/v1
    api-key-entries: [{api-key: key-of-router-0001, weight: 0}]
    models: [{name: moonshotai/kimi-k2, alias: kimi}, {name: glm-5, alias: Kimi}]
  - name: My Lab
    base-url: https://lab.example.com/api/v4
    headers: {X-Team: red, X-Copied: $ABC}
    api-key-entries: [{api-key: key-of-the-lab-001, proxy-url: "socks5://u:p@host:1"}]
"""


def of(data: Any, name: str = "file.json") -> Found:
    return read(data if isinstance(data, str) else json.dumps(data), name)


@pytest.mark.parametrize(
    ("data", "name", "kind"),
    [
        (["k-1"], "keys.json", "keys.json"),
        ({"keys": ["k-1"]}, "any.json", "keys.json"),
        ({"providers": {"groq": {"auth": "api_key", "accounts": ["k"]}}}, "any.json", "keys.json"),
        ({"preferred": ["m"]}, "any.json", "models.json"),
        ({"object": "list", "data": [{"id": "m"}]}, "any.json", "models.json"),
        (["m-1"], "models.json", "models.json"),
        ([{"id": "m-1"}], "any.json", "models.json"),
        (MULTICODEX, "any.json", "accounts.json of MultiCodex"),
        ({"accounts": [], "modelAliases": [], "settings": {}}, "any.json", "accounts.json of MultiCodex"),
        ({"version": "1.0", "modelRouting": {"rules": []}}, "any.json", "policy file"),
        ("port: 8080\nupstream_url: https://api.z.ai/api/anthropic\n", "c.yaml", "config.yaml of the Go proxx"),
        (CLI_PROXY, "config.yaml", "config.yaml of CLIProxyAPI"),
    ],
)
def test_each_file_is_known_by_its_shape(data: Any, name: str, kind: str) -> None:
    assert of(data, name).kind == kind


@pytest.mark.parametrize("data", ["{broken", '"text"', '{"other": 1}', "[1, 2", '["k"]'])
def test_any_other_file_is_refused_in_one_sentence_without_its_content(data: str) -> None:
    with pytest.raises(FileFault, match=r"^file\.json (is|holds)"):
        of(data)
    with pytest.raises(FileFault) as fault:
        of("secret-0123456789: [", "file.yaml")
    assert "secret" not in str(fault.value)


def test_yaml_that_repeats_itself_is_refused() -> None:
    with pytest.raises(FileFault, match="aliases"):
        of("auth-dir: &x [1]\napi-keys: *x\n", "config.yaml")


def test_accounts_of_multicodex_keep_tokens_names_order_and_switches() -> None:
    chatgpt, mistral, compatible, zai = of(MULTICODEX).accounts
    assert (chatgpt.provider_id, chatgpt.kind, chatgpt.label) == ("openai", "oauth_bearer", "me@example.com")
    assert (chatgpt.account_id, chatgpt.chatgpt_account_id, chatgpt.priority) == ("a1", "acc-1", 2)
    assert chatgpt.expires_at is not None
    assert chatgpt.expires_at.isoformat() == "2030-01-01T00:00:00+00:00"
    assert (mistral.provider_id, mistral.kind, mistral.enabled) == ("mistral", "api_key", False)
    assert compatible.provider_id == "llm.example.com"
    assert zai.base_url == "", "the bare host it names is where zai is anyway"


def test_a_compatible_account_of_multicodex_brings_its_provider() -> None:
    (place,) = of(MULTICODEX).places
    assert place.provider_id == "llm.example.com"
    assert place.words == {"base_url": "https://llm.example.com/v1", "protocols": ["openai_responses", "openai_chat"]}


def test_pools_of_multicodex_keep_targets_efforts_and_switches() -> None:
    fast, smart = of(MULTICODEX).wishes
    assert (fast.name, fast.alias_of, fast.alias_is_off) == ("fast", "gpt-5-mini", False)
    assert (smart.alias_of, smart.alias_is_off, smart.notes) == ("high:gpt-5\ngpt-5-mini", True, "for hard work")


def test_models_that_cli_proxy_leaves_out_are_excluded_at_their_provider() -> None:
    assert of(CLI_PROXY, "config.yaml").exclusions == (("gemini", "*-preview"),)


def test_what_multicodex_has_and_proxx_has_not_is_told() -> None:
    told = "\n".join(of(MULTICODEX).notes)
    for word in ("account 1: the refresh token", "account 2: the field odd", "had used", "defaultPassthroughAccountId"):
        assert word in told
    assert "renews-0001" not in told


def test_keys_of_cli_proxy_go_to_their_providers() -> None:
    found = of(CLI_PROXY, "config.yaml")
    assert [(one.provider_id, one.weight, one.enabled) for one in found.accounts] == [
        ("gemini", 5, True),
        ("relay.example.com", None, True),
        ("anthropic", None, True),
        ("openrouter", None, False),
        ("my-lab", None, True),
    ]
    assert all(one.base_url == "" for one in found.accounts)


def test_addresses_and_orders_of_cli_proxy_become_providers() -> None:
    words = {place.provider_id: place.words for place in of(CLI_PROXY, "config.yaml").places}
    assert words["gemini"] == {"strategy": "priority"}
    assert words["relay.example.com"]["paths"] == {"openai_responses": "/responses"}
    assert words["my-lab"]["headers"] == {"X-Team": "red"}
    assert words["my-lab"]["paths"] == {"openai_chat": "/chat/completions"}
    assert words["openrouter"] == {"strategy": "priority"}, "proxx knows this address"


def test_model_names_of_cli_proxy_become_aliases_and_declared_names() -> None:
    wishes = {wish.name: wish for wish in of(CLI_PROXY, "config.yaml").wishes}
    assert wishes["gf"].alias_of == "gemini/gemini-2.5-flash"
    assert wishes["kimi"].alias_of == "openrouter/moonshotai/kimi-k2\nopenrouter/glm-5", "the same again is a pool"
    assert wishes["moonshotai/kimi-k2"].declared


def test_an_alias_of_cli_proxy_stays_at_the_provider_that_it_is_written_at() -> None:
    lab = {"name": "simlab", "base-url": "http://127.0.0.1:8472/v1", "models": [{"name": "sim-say", "alias": "talk"}]}
    signed_in = {"claude": [{"name": "claude-x", "alias": "work"}], "vertex": [{"name": "gemini-x", "alias": "play"}]}
    found = of({"openai-compatibility": [lab], "oauth-model-alias": signed_in})
    assert {wish.name: wish.alias_of for wish in found.wishes if wish.alias_of} == {
        "talk": "simlab/sim-say",
        "work": "anthropic/claude-x",
        "play": "gemini-x",
    }
    assert any("oauth-model-alias vertex: its aliases hold at any provider" in note for note in found.notes)


def test_each_address_has_a_provider_of_its_own() -> None:
    def compatible(base: str, name: str = "") -> dict[str, Any]:
        return {"name": name, "base-url": base}

    places = ["http://lab.example.com:81", "http://lab.example.com:82", "http://lab.example.com:82/b"]
    named = [compatible("http://one.example.com/v1", "lab"), compatible("http://two.example.com/v1", "lab")]
    keys = [{"api-key": f"key-{number}", "base-url": base} for number, base in enumerate(places)]
    found = of({"claude-api-key": keys, "codex-api-key": keys[:1], "openai-compatibility": named})
    assert {place.provider_id: place.words["base_url"] for place in found.places} == {
        "lab.example.com-81": places[0],
        "lab.example.com-82": places[1],
        "lab.example.com-82-b": places[2],
        "lab.example.com-81-anthropic": places[0],
        "lab": "http://one.example.com/v1",
        "lab-two.example.com": "http://two.example.com/v1",
    }
    assert [one.provider_id for one in found.accounts] == [place.provider_id for place in found.places][:4]


def test_what_cli_proxy_has_and_proxx_has_not_is_told() -> None:
    told = "\n".join(of(CLI_PROXY, "config.yaml").notes)
    for word in ("2 keys of clients", "set PROXY_PORT", "something-new is not known", "prefix", "proxy-url", "copied"):
        assert word in told
    assert not any(secret in told for secret in ("client-key-1", "u:p@host", "key-of"))


def test_rules_of_a_policy_file_and_what_it_says_in_vain() -> None:
    rule = {"modelPattern": "^glm-", "preferredProviders": ["zai"], "preferredStrategies": ["chat", "images"]}
    found = of({"modelRouting": {"rules": [rule]}, "fallback": {"maxAttempts": 50}})
    assert [(one["pattern"], one["providers"], one["protocols"]) for one in found.rules] == [
        ("^glm-", "zai", "openai_chat")
    ]
    assert ["fallback" in note or "images" in note for note in found.notes] == [True, True]


def test_an_odd_field_name_is_not_repeated() -> None:
    (note,) = of({"preferred": [], "sk-proj-0123456789abcdefghij": 1}).notes
    assert "sk-proj" not in note


def test_the_go_proxx_points_at_the_provider_that_proxx_ships() -> None:
    text = "port: 8080\nupstream_url: https://api.z.ai/api/anthropic\nmax_retries: 3\ntemperature: 0.7\n"
    found = of(text, "config.yaml")
    assert found.places == ()
    told = "\n".join(found.notes)
    for word in ("keys of zai", "PROXY_PORT=8080", "UPSTREAM_TRANSIENT_RETRY_COUNT=3", "temperature"):
        assert word in told


def test_an_unknown_upstream_of_the_go_proxx_becomes_a_provider() -> None:
    (place,) = of("upstream_url: https://claude.example.com/api\n", "config.yaml").places
    assert place.words == {
        "base_url": "https://claude.example.com/api",
        "protocols": ["anthropic"],
        "auth": "x-api-key",
    }


@pytest.mark.parametrize(
    "data",
    [
        {"accounts": [{"accessToken": "two words"}]},
        {"accounts": [{"accessToken": "t", "provider": "other"}]},
        {"accounts": [{"accessToken": "t", "provider": "openai-compatible"}]},
        {"accounts": [{"accessToken": "t", "provider": "openai-compatible", "baseUrl": "ftp://x"}]},
        {"accounts": [{"accessToken": "t"}], "modelAliases": [7]},
        {"accounts": [{"accessToken": "t"}], "settings": [7]},
        {"gemini-api-key": [7]},
        {"gemini-api-key": [{"api-key": ""}]},
        {"openai-compatibility": [{"name": "x", "base-url": "x"}]},
        {"openai-compatibility": [{"name": "x", "base-url": "https://x.example.com", "models": [{"alias": "a"}]}]},
        {"upstream_url": "https://u:p@x.example.com"},
        {"upstream_url": "https://x.example.com", "port": "many"},
    ],
)
def test_a_wrong_shape_is_told_in_one_sentence(data: Any) -> None:
    with pytest.raises(FileFault, match=r"^file\.json.*\.$"):
        of(data)
