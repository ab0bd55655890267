"""Private providers for what is served beside chat, each speaking one thing, all of them the simulated one."""

from tests.live import LiveProxx

# Provider: what it speaks, how it is shown a key, where the pseudo-dialect has a path of its own.
PROVIDERS = {
    "embed-openai": (["openai_chat", "openai_embeddings"], "bearer"),
    "embed-ollama": (["ollama", "ollama_embed"], "bearer"),
    "embed-gemini": (["gemini", "gemini_embed"], "x-goog-api-key"),
    "media": (
        [
            "openai_chat",
            "openai_completions",
            "openai_images",
            "openai_speech",
            "openai_transcriptions",
            "openai_moderations",
        ],
        "bearer",
    ),
    "draws": (["openai_responses"], "bearer"),
}


def media_upstreams(proxx: LiveProxx) -> None:
    """Give a running proxx these providers and wait until it knows them."""
    proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
for provider_id, (protocols, auth) in {PROVIDERS!r}.items():
    ProviderSetting.objects.create(
        provider_id=provider_id, base_url={proxx.provider.origin!r}, protocols=protocols, auth=auth, models_paths=[],
        **({{"quirks": ["responses_tools"]}} if provider_id == "draws" else {{}}),
    )
    for number in range(4):
        label = f"{{provider_id}}-{{number}}"
        Credential.objects.create(provider_id=provider_id, secret=f"sk-sim-{{number}}", label=label)
"""
    )
    proxx.wait_until_served("draws/sim-say")
