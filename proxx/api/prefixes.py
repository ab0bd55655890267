"""/openai/* and /anthropic/*: whatever is asked below goes to that provider as it is, with an account of ours.

The client's key opens the door and goes no further; neither do its cookies. The path is taken as it was sent, byte for
byte, and refused if it could be read as leading anywhere else. Calls of models and lists of models are for every key;
whatever else there is (files, batches, stored answers) lies in our accounts, beside what others put there, and needs
a scope of its own. What happens to the call is gateway/relay.py.
"""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import quote, unquote_to_bytes

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from ninja import Router

from accounts import scopes
from proxx.api import auth, bodies, exchange
from proxx.gateway import relay
from proxx.gateway.errors import GatewayError, NotFound
from proxx.gateway.relay import Asked
from proxx.protocols import registry
from proxx.protocols.hub.errors import Unreadable
from proxx.protocols.hub.request import Envelope
from proxx.protocols.spec import Protocol

# What is asked for below decides which of them is needed.
router = Router(auth=auth.Policy(*scopes.FAMILIES, scopes.FILES), tags=["Pass-through"])

METHODS = ["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"]
PREFIXES = ("openai", "anthropic")

# Of the client's headers, what describes its body and its wishes; never who it is, nor where it comes from.
CARRIED = (
    *("accept", "content-type", "content-encoding", "range", "if-none-match", "if-modified-since", "idempotency-key"),
    *("openai-beta", "anthropic-beta", "anthropic-version"),
)
SECRETS = re.compile(r"(?:^|&)(?:key|api[_-]?key|access_token|token)=[^&]*", re.IGNORECASE)

# What asks a model, below /v1, and the scope it asks for: it reads nothing that somebody else left in the account.
_CALLS = {
    "openai": {
        **dict.fromkeys(("chat/completions", "completions"), scopes.CHAT),
        **dict.fromkeys(("responses", "responses/compact", "responses/input_tokens"), scopes.RESPONSES),
        "embeddings": scopes.EMBEDDINGS,
        **dict.fromkeys(("images/generations", "images/edits", "images/variations"), scopes.IMAGES),
        **dict.fromkeys(("audio/speech", "audio/transcriptions", "audio/translations"), scopes.AUDIO),
        "moderations": scopes.MODERATIONS,
    },
    "anthropic": dict.fromkeys(("messages", "messages/count_tokens", "complete"), scopes.MESSAGES),
}
_MODELS = re.compile(r"models(?:/[^/]+)?")

_PLAIN_PATH = re.compile(r"[A-Za-z0-9._~!$&'()*+,;=:@%/-]+")
_BAD_ESCAPE = re.compile(r"%(?![0-9A-Fa-f]{2})")
_SPLITS = re.compile(rb"[\x00-\x20\x7f\\?#]")
_DEEPEST = 4  # times a path is unescaped to see what somebody behind us might make of it

# The dialects whose paths are known, by provider: read along for usage, answered with their errors.
_KNOWN = {
    "openai": {
        "chat/completions": "openai_chat",
        "responses": "openai_responses",
        "completions": "openai_completions",
        "embeddings": "openai_embeddings",
        "images/generations": "openai_images",
        "moderations": "openai_moderations",
    },
    "anthropic": {"messages": "anthropic"},
}
_OTHERS = {
    "openai": replace(registry.get("openai_chat"), name="openai_other", estimates=False),
    "anthropic": replace(registry.get("anthropic"), name="anthropic_other", estimates=False),
}


async def openai(request: HttpRequest, path: str) -> HttpResponseBase:
    """Pass a request to OpenAI."""
    return await _passed(request, "openai")


async def anthropic(request: HttpRequest, path: str) -> HttpResponseBase:
    """Pass a request to Anthropic."""
    return await _passed(request, "anthropic")


router.api_operation(METHODS, "/openai/{path:path}", summary="Whatever OpenAI serves")(openai)
router.api_operation(METHODS, "/anthropic/{path:path}", summary="Whatever Anthropic serves")(anthropic)


async def _passed(request: HttpRequest, provider_id: str) -> HttpResponseBase:
    path = sub_path(_raw_path(request), provider_id)
    auth.demand(request, scope_of(str(request.method), provider_id, path))
    dialect, envelope = _read(request, provider_id, path)
    call = exchange.call_of(request, dialect, f"/{provider_id}{path}"[:200], envelope)
    asked = Asked(
        method=str(request.method),
        path=path,
        query=SECRETS.sub("", request.META.get("QUERY_STRING", "")).lstrip("&"),
        headers=_carried(request.META),
        body=request.body,
        judges=dialect.name in registry.PROTOCOLS or dialect.name in registry.BESIDE,
    )
    return exchange.respond(await relay.handle(call, provider_id, asked))


def scope_of(method: str, provider_id: str, path: str) -> str:
    """Return the scope that a request asks for; what neither asks a model nor lists them reaches into the account."""
    name = path.removeprefix("/v1").strip("/")
    if method == "POST":
        return _CALLS[provider_id].get(name, scopes.FILES)
    lists = method in ("GET", "HEAD") and _MODELS.fullmatch(name) is not None
    return scopes.MODELS if lists else scopes.FILES


def sub_path(raw: str, provider_id: str) -> str:
    """Return what follows the prefix, with its slash; raise `NotFound` for a path that could mean another place."""
    path = raw[len(provider_id) + 1 :]
    seen = path.encode("latin-1")
    for _ in range(_DEEPEST):
        if not _leads_down(seen):
            raise NotFound("This path cannot be passed on.", code="invalid_provider_prefix")
        further = unquote_to_bytes(seen)
        if further == seen:
            break
        seen = further
    else:
        raise NotFound("This path is escaped too often to be passed on.", code="invalid_provider_prefix")
    if not _PLAIN_PATH.fullmatch(path) or _BAD_ESCAPE.search(path):
        raise NotFound("This path holds characters that no path holds.", code="invalid_provider_prefix")
    return path


def _leads_down(path: bytes) -> bool:
    """Tell whether every step of a path is a name: no step up, no empty step, nothing that ends or splits a path."""
    if not path.startswith(b"/") or _SPLITS.search(path):
        return False
    steps = path[1:].split(b"/")
    named = steps[:-1] if steps[-1] == b"" and len(steps) > 1 else steps
    return all(step.partition(b";")[0] not in (b"", b".", b"..") for step in named)


def _raw_path(request: HttpRequest) -> str:
    scope: Mapping[str, object] = request.scope  # type: ignore[attr-defined]
    raw = scope.get("raw_path")
    if not isinstance(raw, bytes):
        return quote(request.path_info)
    return raw.partition(b"?")[0].decode("latin-1")


def _read(request: HttpRequest, provider_id: str, path: str) -> tuple[Protocol, Envelope]:
    """Return the dialect of a path, and what it makes of the body; of what is unknown, nothing is read."""
    name = _KNOWN[provider_id].get(path.removeprefix("/v1").strip("/")) if request.method == "POST" else None
    other = _OTHERS[provider_id]
    unread = Envelope(other.name, "", stream=False, wants_usage=False, body=request.body)
    if name is None:
        return other, unread
    dialect = registry.get(name)
    coding = request.META.get("HTTP_CONTENT_ENCODING", "")
    try:
        return dialect, dialect.read_envelope(bodies.decoded(request.body, coding))
    except (Unreadable, GatewayError):
        return other, unread  # the provider says what is wrong with it


def _carried(headers: Mapping[str, str]) -> tuple[tuple[bytes, bytes], ...]:
    found = ((name, headers.get(exchange.key_of(name), "")) for name in CARRIED)
    return tuple((name.encode(), value.encode("latin-1")) for name, value in found if value)
