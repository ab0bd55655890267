"""As whom the ChatGPT backend is asked: the name, version and wishes that its own client sends. All are settings: they
belong to somebody else, who may change them. A setting that is empty is not sent.
"""

from functools import lru_cache

from proxx.kit.configured import settings
from proxx.upstream.message import HeaderList

QUIRK = "codex_backend"  # of an address that is asked so
TURN_STATE = b"x-codex-turn-state"  # the account's that gave it, and no other's
# What the backend's answers tell such a client.
ANSWERS = (b"x-codex-", b"x-models-etag", b"x-reasoning-included", b"openai-model")
_OLD_NAMES = {b"session-id": b"session_id", b"conversation-id": b"conversation_id"}
_WHO = (b"originator", b"version")  # with the user agent: who asks, all of it or nothing


def usual() -> HeaderList:
    """Return the headers that name the client that we ask as."""
    return list(_usual(settings.CODEX_ORIGINATOR, settings.CODEX_USER_AGENT, settings.MODELS_CLIENT_VERSION))


def is_client(said: HeaderList) -> bool:
    """Tell whether headers are those of a Codex, by the name that it gives itself."""
    return any(name == b"originator" and value.lower().startswith(b"codex") for name, value in said)


def asking(given: HeaderList, said: HeaderList, *, user_agent: str, session: str, is_first: bool) -> HeaderList:
    """Return the headers of a request to the backend: the `given` ones, who asks, and what a Codex client `said`.

    `session` names the conversation where nothing else does. `is_first`: no other account was asked before.
    """
    found = {**dict(given), b"accept": b"text/event-stream", **dict(usual())}
    if settings.CODEX_OPENAI_BETA:
        found[b"openai-beta"] = settings.CODEX_OPENAI_BETA.encode()
    if is_client(said):
        own = {_OLD_NAMES.get(name, name): value for name, value in said if is_first or name != TURN_STATE}
        found = {name: value for name, value in found.items() if name not in _WHO} | own
        found[b"user-agent"] = user_agent.encode("latin-1", "replace")
    elif session and b"session_id" not in found and session.isascii() and session.isprintable():
        found[b"session_id"] = session.encode()
    return list(found.items())


@lru_cache(maxsize=8)
def _usual(originator: str, user_agent: str, version: str) -> tuple[tuple[bytes, bytes], ...]:
    named = user_agent.replace("{version}", version)
    told = ((b"originator", originator), (b"user-agent", named), (b"version", version))
    return tuple((name, value.encode()) for name, value in told if value)
