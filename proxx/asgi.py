"""Where an ASGI connection goes: client paths to the slim handler, WebSockets to their consumers, the rest to Django.

The first segment of the path decides, never the host. Authorisation is not here: it belongs to the route that each
side resolves. The server in front (proxx/server) finds this page by settings.ASGI_APPLICATION.
"""

import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.core.asgi import get_asgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "proxx.settings.prod")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

django_application: Any = get_asgi_application()  # sets Django up: everything that touches models is imported below it

from analytics import consumers  # noqa: E402
from proxx.api import openai_socket  # noqa: E402
from proxx.api.handler import application as client_application  # noqa: E402

# First segments of the paths that API clients use, with and without a version in front (spec: features, registry 1).
CLIENT_SEGMENTS = frozenset(
    {
        "v1",
        "v1beta",
        "v1alpha",
        "api",
        "openai",
        "anthropic",
        "chat",
        "completions",
        "responses",
        "messages",
        "models",
        "embeddings",
        "images",
        "audio",
        "moderations",
        "health",
        "metrics",
        "props",
        "version",
    }
)

# Below /api: what is the control API's, and what clients ask for there all the same.
CONTROL = ("/api/v1/", "/api/ui/")
CONTROL_PATHS = frozenset({"/api/metrics"})
CLIENT_PATHS = frozenset({"/api/v1/models"})

# Each socket judges itself whom it lets in (consumers.py, openai_socket.py); every other path is refused.
SOCKETS: dict[str, Any] = {
    consumers.PATH: consumers.traffic_socket,
    **dict.fromkeys(openai_socket.PATHS, openai_socket.application),
}

REFUSED = b'{"error":{"message":"%s","type":"invalid_request_error","code":"%s","param":null}}'


async def application(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer one connection of any kind."""
    kind = scope["type"]
    if kind == "http":
        if _is_client(scope["path"]):
            await client_application(scope, receive, send)
        else:
            await django_application(scope, receive, send)
    elif kind == "websocket":
        await SOCKETS.get(scope["path"], _refuse_socket)(scope, receive, send)
    else:
        raise ValueError(f"There is no {kind} here.")


def _is_client(path: str) -> bool:
    """Tell client paths from those of the console and of the control API, which are Django's."""
    segment = _segment(path)
    if segment == "api" and (path in CONTROL_PATHS or path.startswith(CONTROL)) and path not in CLIENT_PATHS:
        return False
    return segment in CLIENT_SEGMENTS


def _segment(path: str) -> str:
    return path[1:].partition("/")[0]


async def _refuse_socket(scope: Scope, receive: Receive, send: Send) -> None:
    """Say 426 on client paths (Codex CLI then falls back to HTTP at once; a 404 would cost it seconds), else 404."""
    await receive()  # websocket.connect
    if "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1008})
        return
    if _segment(scope["path"]) in CLIENT_SEGMENTS:
        status, body = 426, REFUSED % (b"This path speaks plain HTTP only.", b"upgrade_required")
    else:
        status, body = 404, REFUSED % (b"There is no socket here.", b"not_found")
    headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": body})
