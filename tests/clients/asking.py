"""Clients by dialect, and one call: a `Talk` sent to a running proxx, whole or streamed, and what was heard."""

from dataclasses import replace
from types import ModuleType

from tests.clients import anthropic, gemini, ollama, openai_chat, openai_responses
from tests.clients.talk import Heard, Talk
from tests.live import LiveProxx

CLIENTS: dict[str, ModuleType] = {
    module.NAME: module for module in (openai_chat, openai_responses, anthropic, gemini, ollama)
}

# Private providers that each speak one dialect only: how a test chooses the upstream's. `five_upstreams` makes them.
PROVIDERS = {name: f"up-{name.removeprefix('openai_')}" for name in CLIENTS}
AUTH = {"anthropic": "x-api-key", "gemini": "x-goog-api-key"}


def upstream(dialect: str, model: str) -> str:
    """Return the model name that leads to the provider of this dialect."""
    return f"{PROVIDERS[dialect]}/{model}"


def limited(dialect: str) -> str:
    """Return the provider of this dialect whose credentials may hit limits."""
    return PROVIDERS[dialect].replace("up-", "limited-")


def ask(proxx: LiveProxx, client: str, talk: Talk, **headers: str) -> Heard:
    """Send a talk and return what the client heard; an HTTP error is an AssertionError."""
    status, _, answer = send(proxx, client, talk, **headers)
    assert status == 200, answer.decode()
    heard: Heard = CLIENTS[client].stream(answer) if talk.stream else CLIENTS[client].whole(answer)
    return heard


def send(proxx: LiveProxx, client: str, talk: Talk, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Send a talk and return status, headers and body as they came."""
    module = CLIENTS[client]
    sent = {**getattr(module, "HEADERS", {}), **{name.replace("_", "-"): value for name, value in headers.items()}}
    return proxx.request("POST", module.path(talk), module.body(talk), sent)


def with_model(talk: Talk, dialect: str, model: str) -> Talk:
    """Return the talk addressed to a model of the provider that speaks this dialect."""
    return replace(talk, model=upstream(dialect, model))


def five_upstreams(proxx: LiveProxx, *, origin: str = "") -> None:
    """Give a running proxx one private provider per dialect, all of them its simulated one or that at `origin`, and
    wait until it knows."""
    origin = origin or proxx.provider.origin
    rows = [(PROVIDERS[name], name, AUTH.get(name, "bearer"), 1) for name in CLIENTS]
    # A credential that hits a limit rests: these providers have one for every call that a test makes to them.
    rows += [(limited(name), name, AUTH.get(name, "bearer"), 12) for name in CLIENTS]
    proxx.run(
        f"""
from accounts.models import Credential
from routing.models import ProviderSetting
for provider_id, protocol, auth, count in {rows!r}:
    ProviderSetting.objects.create(
        provider_id=provider_id, base_url={origin!r}, protocols=[protocol], auth=auth, models_paths=[]
    )
    for number in range(count):
        label = f"{{protocol}}-{{number}}"
        Credential.objects.create(provider_id=provider_id, secret=f"sk-sim-{{number}}", label=label)
"""
    )
    proxx.wait_until_served(upstream("openai_chat", "sim-say"))
