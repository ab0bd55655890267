"""What the operator's environment makes of the registry."""

from typing import Any

import pytest

from routing import provider_env
from routing.providers import Provider


def configured(settings: Any, **environment: str) -> dict[str, Provider]:
    settings.ENVIRONMENT = environment
    found, faults = provider_env.configured()
    assert faults == ()
    return found


@pytest.mark.parametrize(
    ("variable", "provider_id"),
    [
        ("OPENROUTER_BASE_URL", "openrouter"),
        ("REQUESTY_BASE_URL", "requesty"),
        ("GEMINI_BASE_URL", "gemini"),
        ("ZAI_BASE_URL", "zai"),
        ("ZHIPU_BASE_URL", "zai"),
        ("MISTRAL_BASE_URL", "mistral"),
        ("ZEN_BASE_URL", "zen"),
        ("ZENMUX_BASE_URL", "zen"),
        ("ROTUSSY_BASE_URL", "rotussy"),
        ("OB1_BASE_URL", "ob1"),
        ("FACTORY_BASE_URL", "factory"),
        ("OLLAMA_BASE_URL", "ollama"),
        ("OLLAMA_STEALTH_BASE_URL", "ollama-stealth"),
        ("OLLAMA_LAPTOP_BASE_URL", "ollama-stealth"),
        ("OLLAMA_BIG_USSY_BASE_URL", "ollama-big-ussy"),
        ("ANTHROPIC_UPSTREAM_URL", "anthropic"),
        ("HF_INFERENCE_ENDPOINT", "huggingface-cloud"),
        ("TEI_ENDPOINT", "tei"),
        ("OVM_NPU_ENDPOINT", "ovm-npu"),
    ],
)
def test_each_base_url_variable_moves_its_provider_and_approves_the_origin(
    settings: Any, variable: str, provider_id: str
) -> None:
    found = configured(settings, **{variable: "http://10.0.0.7:8000/v1"})[provider_id]
    assert (found.base_url, found.base_is_set) == ("http://10.0.0.7:8000/v1", True)
    assert found.approved_origin == "http://10.0.0.7:8000"


def test_the_first_of_several_names_wins(settings: Any) -> None:
    found = configured(settings, ZHIPU_BASE_URL="https://b.example", ZAI_BASE_URL="https://a.example")
    assert found["zai"].base_url == "https://a.example"


def test_openai_base_url_moves_keys_and_accounts_and_openai_api_base_url_only_keys(settings: Any) -> None:
    both = configured(settings, OPENAI_BASE_URL="https://mirror.example/v1")["openai"]
    assert both.base_for(oauth=True) == both.base_for(oauth=False) == "https://mirror.example/v1"
    keys = configured(settings, OPENAI_API_BASE_URL="https://mirror.example/v1")["openai"]
    assert keys.base_for(oauth=False) == "https://mirror.example/v1"
    assert keys.base_for(oauth=True) == "https://chatgpt.com/backend-api"


@pytest.mark.parametrize("base", ["https://chatgpt.com/backend-api", "https://mirror.example/backend-api/"])
def test_the_path_follows_from_the_base_url(settings: Any, base: str) -> None:
    openai = configured(settings, OPENAI_BASE_URL=base)["openai"]
    assert openai.paths_at(openai.base_url) == {"openai_responses": "/codex/responses"}


def test_a_path_variable_wins_over_what_the_base_url_says(settings: Any) -> None:
    environment = {"OPENAI_RESPONSES_PATH": "/r", "OPENAI_CHAT_COMPLETIONS_PATH": "/c"}
    openai = configured(settings, **environment)["openai"]
    assert openai.paths_at("https://chatgpt.com/backend-api")["openai_responses"] == "/r"
    assert openai.paths_at(openai.base_url)["openai_chat"] == "/c"


def test_general_path_variables_change_the_usual_path_only(settings: Any) -> None:
    found = configured(settings, UPSTREAM_CHAT_COMPLETIONS_PATH="/api/chat", UPSTREAM_MESSAGES_PATH="/m")
    assert (found["vivgrid"].paths["openai_chat"], found["vivgrid"].paths["anthropic"]) == ("/api/chat", "/m")
    assert found["zai"].paths["openai_chat"] == "/chat/completions"


@pytest.mark.parametrize(
    ("variable", "provider_id"),
    [
        ("OPENAI_MODEL_PREFIXES", "openai"),
        ("OLLAMA_MODEL_PREFIXES", "ollama"),
        ("FACTORY_MODEL_PREFIXES", "factory"),
        ("LLAMACPP_MODEL_PREFIXES", "llamacpp"),
    ],
)
def test_prefixes_may_be_named(settings: Any, variable: str, provider_id: str) -> None:
    assert configured(settings, **{variable: "mine/, mine:"})[provider_id].prefixes == ("mine/", "mine:")


@pytest.mark.parametrize(
    ("variable", "provider_id"),
    [
        ("OPENAI_PROVIDER_ID", "openai"),
        ("OLLAMA_CLOUD_PROVIDER_ID", "ollama-cloud"),
        ("OPENROUTER_PROVIDER_ID", "openrouter"),
        ("ZHIPU_PROVIDER_ID", "zai"),
        ("ZEN_PROVIDER_ID", "zen"),
    ],
)
def test_a_provider_may_be_renamed_and_still_answers_to_its_old_name(
    settings: Any, variable: str, provider_id: str
) -> None:
    found = configured(settings, **{variable: "Renamed"})
    assert provider_id not in found
    assert provider_env.canonical(provider_id, found) == "renamed"
    assert {"renamed/", f"{provider_id}/"} <= set(found["renamed"].prefixes)


def test_the_map_of_base_urls_reaches_known_and_new_providers(settings: Any) -> None:
    found = configured(
        settings,
        UPSTREAM_PROVIDER_BASE_URLS="groq=http://10.0.0.1, ollama-attic=http://10.0.0.2:11434,lab=http://10.0.0.3",
    )
    assert found["groq"].base_url == "http://10.0.0.1"
    assert (found["ollama-attic"].needs_key, found["lab"].needs_key) == (False, True)


def test_upstream_base_url_moves_the_primary_provider_only(settings: Any) -> None:
    settings.UPSTREAM_PROVIDER_ID = "groq"
    found = configured(settings, UPSTREAM_BASE_URL="http://10.0.0.1")
    assert found["groq"].base_url == "http://10.0.0.1"
    assert found["vivgrid"].base_url == "https://api.vivgrid.com"


def test_disabled_providers_are_switched_off_under_any_of_their_names(settings: Any) -> None:
    settings.DISABLED_PROVIDER_IDS = ("zhipu", "GROQ", "unheard-of")
    found = configured(settings)
    assert (found["zai"].enabled, found["groq"].enabled, found["openai"].enabled) == (False, False, True)


def test_a_value_that_cannot_be_used_takes_its_provider_out_and_is_not_repeated(settings: Any) -> None:
    settings.ENVIRONMENT = {
        "GROQ_BASE_URL": "https://user:secret@host",
        "UPSTREAM_PROVIDER_BASE_URLS": "mistral=ftp://secret",
        "OPENROUTER_PROVIDER_ID": "openai",
    }
    found, faults = provider_env.configured()
    assert not {"groq", "mistral", "openrouter"} & set(found)
    # A name that another one bears would send that one's keys astray.
    assert found["openai"].base_url == "https://api.openai.com"
    assert len(faults) == 3
    assert "secret" not in " ".join(faults)
