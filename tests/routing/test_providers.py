"""The registry that ships with the house, and what makes an entry unusable."""

from pathlib import Path
from typing import Any

import pytest

from proxx.upstream import auth
from routing import addresses, providers
from routing.providers import ProviderFault, from_entry, generic, join_url, load, overlaid


def entry(**fields: Any) -> providers.Provider:
    return from_entry({"id": "lab", "label": "Lab", "base_url": "https://lab.example", **fields})


def test_every_provider_of_the_specification_is_there() -> None:
    wanted = {
        *("vivgrid", "ollama-cloud", "ollama", "ollama-stealth", "ollama-big-ussy", "openai", "openrouter", "requesty"),
        *("gemini", "zai", "factory", "ob1", "anthropic", "mistral", "zen", "rotussy", "llamacpp", "openai-compatible"),
        *("huggingface-cloud", "tei", "ovm-npu", "groq", "deepseek", "moonshot", "xai", "together", "fireworks"),
        "cerebras",
    }
    assert wanted == set(load())


def test_every_auth_style_is_one_that_the_upstream_room_knows() -> None:
    assert all(auth.known(style) for style in providers.AUTH_STYLES)


@pytest.mark.parametrize("provider", load().values(), ids=lambda provider: provider.id)
def test_every_entry_of_the_registry_is_sound(provider: providers.Provider) -> None:
    assert providers.checked(provider) is provider
    assert provider.label
    assert provider.protocol_for("some-model") in provider.paths
    assert (
        provider.needs_key
        or provider.base_url.startswith(("http://127.0.0.1", "http://localhost"))
        or not provider.base_url
    )


@pytest.mark.parametrize(
    ("base", "path", "joined"),
    [
        ("https://a.example", "/v1/models", "https://a.example/v1/models"),
        ("https://a.example/", "/v1/models", "https://a.example/v1/models"),
        ("https://a.example/v1", "/v1/models", "https://a.example/v1/models"),
        ("https://a.example/v1/", "/v1/models", "https://a.example/v1/models"),
        ("https://openrouter.ai/api/v1", "/v1/chat/completions", "https://openrouter.ai/api/v1/chat/completions"),
        ("https://api.z.ai/api/paas/v4", "/chat/completions", "https://api.z.ai/api/paas/v4/chat/completions"),
        ("https://g.example/v1beta", "/v1beta/models", "https://g.example/v1beta/models"),
        ("https://g.example/v1beta", "/v1/models", "https://g.example/v1beta/v1/models"),
        ("https://a.example/v1", "/v1", "https://a.example/v1"),
        ("https://a.example/api", "/api/chat", "https://a.example/api/api/chat"),
        ("https://a.example/v1", "https://b.example/v1/messages", "https://b.example/v1/messages"),
    ],
)
def test_a_version_at_the_seam_appears_once(base: str, path: str, joined: str) -> None:
    assert join_url(base, path) == joined


@pytest.mark.parametrize("provider_id", ["openrouter", "requesty", "mistral", "zen", "rotussy"])
def test_bases_that_end_in_a_version_take_the_usual_path(provider_id: str) -> None:
    provider = load()[provider_id]
    url = join_url(provider.base_url, provider.paths["openai_chat"])
    assert url.endswith("/v1/chat/completions")
    assert url.count("/v1") == 1


@pytest.mark.parametrize(
    "url",
    [
        "ftp://host",
        "https://",
        "host:80",
        "https://user:pass@host",
        "https://user@host",
        "https://host/\\evil",
        "https://host/a b",
        "https://host/\n",
        "https://host?x=1",
        "https://host#f",
        "https://host:99999",
        "https://host:0",
        "https://[::1",
        "https://hőst",
        "//host",
    ],
)
def test_a_base_url_that_two_readers_could_read_differently_is_refused(url: str) -> None:
    assert addresses.base_url_fault(url)


@pytest.mark.parametrize("url", ["https://host", "http://127.0.0.1:11434", "http://[::1]:8080/v1", "https://a.b/c/v1"])
def test_ordinary_base_urls_are_fine_private_ones_included(url: str) -> None:
    assert addresses.base_url_fault(url) is None


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("https://Api.Example/v1", "https://api.example:443"),
        ("http://10.0.0.2:8000/x", "http://10.0.0.2:8000"),
        ("http://[::1]/x", "http://[::1]:80"),
        ("", ""),
    ],
)
def test_a_base_url_approves_exactly_its_origin(url: str, origin: str) -> None:
    assert addresses.origin(url) == origin


@pytest.mark.parametrize(
    "fields",
    [
        {"id": "Has Space"},
        {"id": ""},
        {"base_url": "ftp://x"},
        {"protocols": ["smoke_signals"]},
        {"auth": "handshake"},
        {"paths": {"openai_chat": "no-slash"}},
        {"paths": {"openai_chat": "/has space"}},
        {"models_paths": ["models"]},
        {"headers": {"authorization": "Bearer x"}},
        {"headers": {"Host": "x"}},
        {"headers": {"x-ok": "line\nbreak"}},
        {"headers": {"bad name": "x"}},
        {"unheard_of": 1},
    ],
)
def test_an_entry_that_cannot_be_used_is_told_in_one_sentence(fields: dict[str, Any]) -> None:
    with pytest.raises(ProviderFault, match=r"^Provider .*\.$"):
        entry(**fields)


def test_a_registry_that_is_no_registry_is_told(tmp_path: Path) -> None:
    broken = tmp_path / "providers.toml"
    broken.write_text("[[provider]]\nid = ")
    with pytest.raises(ProviderFault, match="cannot be read"):
        providers._load(broken)
    broken.write_text('[[provider]]\nid="a"\nlabel="A"\nbase_url=""\n' * 2)
    with pytest.raises(ProviderFault, match="names 'a' twice"):
        providers._load(broken)


def test_a_family_may_use_fewer_protocols_than_its_provider() -> None:
    factory = load()["factory"]
    assert factory.protocols_for("Claude-Opus") == ("anthropic",)
    assert factory.protocol_for("gpt-6") == "openai_responses"
    assert factory.protocol_for("kimi-k3") == "openai_chat"


def test_whole_urls_of_paths_hold_only_at_the_shipped_base_url() -> None:
    zai = load()["zai"]
    assert "anthropic" in zai.paths_at(zai.base_url)
    moved = overlaid(zai, {"base_url": "https://proxy.example"})
    assert set(moved.paths_at(moved.base_url)) == {"openai_chat", "openai_images"}
    assert set(zai.paths_at("https://other.example")) == {"openai_chat", "openai_images"}


def test_openai_keys_and_accounts_live_at_different_addresses() -> None:
    openai = load()["openai"]
    assert openai.base_for(oauth=False) == "https://api.openai.com"
    backend = openai.base_for(oauth=True)
    assert backend == "https://chatgpt.com/backend-api"
    assert openai.paths_at(backend) == {"openai_responses": "/codex/responses"}
    assert openai.models_paths_at(backend) == ("/codex/models?client_version={client_version}",)
    assert (openai.lists_all_at(backend), openai.lists_all_at("https://api.openai.com")) == (False, True)
    assert openai.paths_at("https://mirror.example/backend-api") == {"openai_responses": "/codex/responses"}
    assert openai.paths_at("https://mirror.example")["openai_chat"] == "/v1/chat/completions"


def test_any_ollama_something_is_shaped_like_ollama() -> None:
    node = generic("ollama-attic", "http://10.0.0.9:11434")
    assert (node.needs_key, node.prefixes) == (False, ("ollama-attic/", "ollama-attic:"))
    assert "ollama_tags" in node.quirks
    plain = generic("lab", "https://lab.example")
    assert (plain.needs_key, plain.protocol) == (True, "openai_chat")


def test_a_models_name_is_quoted_into_a_path() -> None:
    assert addresses.fill("/models/{model}:generateContent", "tuned/x y") == "/models/tuned%2Fx%20y:generateContent"
    assert addresses.fill("/v1/chat", "x") == "/v1/chat"
