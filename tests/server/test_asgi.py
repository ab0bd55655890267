"""Which application a path belongs to."""

import pytest

from proxx import asgi


async def taken_by(monkeypatch, path, kind="http"):
    """Return who gets this connection."""
    took = []

    def taker(name):
        async def application(scope, receive, send):
            took.append(name)

        return application

    monkeypatch.setattr(asgi, "client_application", taker("client"))
    monkeypatch.setattr(asgi, "django_application", taker("django"))
    await asgi.application({"type": kind, "path": path, "headers": [(b"host", b"console.evil")]}, None, None)
    return took


@pytest.mark.parametrize(
    "path",
    [
        "/v1/chat/completions",
        "/v1",
        "/v1/models/a/b",
        "/v1beta/models/gemini:generateContent",
        "/chat/completions",
        "/responses",
        "/models",
        "/messages",
        "/api/chat",
        "/openai/v1/anything",
        "/anthropic/v1/messages",
        "/health",
        "/metrics",
    ],
)
async def test_client_paths_go_to_the_slim_handler(monkeypatch, path):
    assert await taken_by(monkeypatch, path) == ["client"]


@pytest.mark.parametrize(
    "path", ["/", "", "*", "/console/", "/console/v1", "/static/a.css", "//v1/models", "/V1/models"]
)
async def test_everything_else_goes_to_django(monkeypatch, path):
    assert await taken_by(monkeypatch, path) == ["django"]


async def test_the_consoles_live_traffic_goes_to_its_consumer(monkeypatch):
    took = []

    async def consumer(scope, receive, send):
        took.append(scope["path"])

    monkeypatch.setitem(asgi.SOCKETS, "/console/live/traffic", consumer)
    await taken_by(monkeypatch, "/console/live/traffic", "websocket")
    assert took == ["/console/live/traffic"]


async def refused(path, extensions):
    said = []

    async def receive():
        return {"type": "websocket.connect"}

    async def send(message):
        said.append(message)

    await asgi.application({"type": "websocket", "path": path, "extensions": extensions}, receive, send)
    return said


async def test_a_websocket_on_a_client_path_is_told_to_use_http():
    start, body = await refused("/v1/messages", {"websocket.http.response": {}})
    assert start["status"] == 426
    assert b"upgrade_required" in body["body"]


async def test_an_unknown_websocket_is_not_found():
    start, _ = await refused("/somewhere", {"websocket.http.response": {}})
    assert start["status"] == 404


async def test_a_server_without_the_extension_closes():
    assert [message["type"] for message in await refused("/v1/messages", {})] == ["websocket.close"]


async def test_an_unknown_kind_of_connection_is_a_fault():
    with pytest.raises(ValueError, match="lifespan"):
        await asgi.application({"type": "lifespan"}, None, None)
