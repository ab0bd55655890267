"""What the servers under test serve: one ASGI application, a path for every behaviour that a test needs."""

import asyncio
import json
import os
from pathlib import Path
from urllib.parse import parse_qsl

seen = {"left": 0, "cancelled": 0, "finished": 0}


async def application(scope, receive, send):
    if scope["type"] == "websocket":
        await SOCKETS.get(scope["path"], deny)(scope, receive, send)
        return
    name = scope["path"].strip("/").split("/")[-1]
    options = dict(parse_qsl(scope["query_string"].decode()))
    await PATHS.get(name, echo)(scope, receive, send, options)


async def whole(send, body, status=200, headers=()):
    head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


async def body_of(receive):
    parts, more = [], True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ConnectionError
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return b"".join(parts)


async def echo(scope, receive, send, options):
    body = await body_of(receive)
    facts = {key: scope[key] for key in ("method", "path", "scheme", "http_version")}
    facts |= {"query": scope["query_string"].decode(), "raw_path": scope["raw_path"].decode(), "size": len(body)}
    facts |= {
        "client": list(scope["client"]),
        "headers": [[k.decode(), v.decode("latin-1")] for k, v in scope["headers"]],
    }
    await whole(send, json.dumps(facts).encode())


async def mirror(scope, receive, send, options):
    await whole(send, await body_of(receive))


async def memory(scope, receive, send, options):
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()  # noqa: ASYNC240
    pss = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    await whole(send, json.dumps({"kib": pss, "seen": seen, "pid": os.getpid()}).encode())


async def stream(scope, receive, send, options):
    await body_of(receive)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/event-stream")]})
    for number in range(int(options.get("count", 3))):
        await send({"type": "http.response.body", "body": b"data: %d\n\n" % number, "more_body": True})
        await asyncio.sleep(float(options.get("pause", 0)))
    await send({"type": "http.response.body", "body": b""})
    seen["finished"] += 1


async def flood(scope, receive, send, options):
    """Write as fast as we are let."""
    await body_of(receive)
    await send({"type": "http.response.start", "status": 200, "headers": []})
    left = int(options.get("size", 1 << 40))
    departure = asyncio.ensure_future(receive())
    while left > 0 and not departure.done():
        await send({"type": "http.response.body", "body": b"x" * min(left, 65536), "more_body": True})
        left -= 65536
    departure.cancel()
    await send({"type": "http.response.body", "body": b""})


async def wait(scope, receive, send, options):
    """Never answer; notice the client's departure."""
    await body_of(receive)
    if "begin" in options:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    message = await receive()
    assert message["type"] == "http.disconnect", message
    seen["left"] += 1


async def stubborn(scope, receive, send, options):
    """Never answer, never listen."""
    await body_of(receive)
    if "begin" in options:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    try:
        await asyncio.Event().wait()
    except asyncio.CancelledError:
        seen["cancelled"] += 1
        if "begin" in options:
            await send({"type": "http.response.body", "body": b" last words", "more_body": True})
        raise


async def crash(scope, receive, send, options):
    await body_of(receive)
    if "begin" in options:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"begun", "more_body": True})
    raise RuntimeError("on purpose")


async def silent(scope, receive, send, options):
    await body_of(receive)


async def short(scope, receive, send, options):
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"10")]})
    if "begin" in options:
        await send({"type": "http.response.body", "body": b"four", "more_body": True})
    await send({"type": "http.response.body", "body": b""})


async def unstated(scope, receive, send, options):
    """A whole answer without its length."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"hello"})


async def empty(scope, receive, send, options):
    await send({"type": "http.response.start", "status": int(options["status"]), "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def split_header(scope, receive, send, options):
    await whole(send, b"{}", headers=[(b"x-odd", b"a\r\nset-cookie: b=c")])


async def deny(scope, receive, send):
    await receive()
    await send({"type": "websocket.http.response.start", "status": 426, "headers": [(b"x-why", b"no sockets")]})
    await send({"type": "websocket.http.response.body", "body": b"plain HTTP only"})


async def chat(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while (message := await receive())["type"] == "websocket.receive":
        await send({"type": "websocket.send", "text": f"{scope['query_string'].decode()}:{message.get('text')}"})


async def gush(scope, receive, send):
    await receive()
    await send({"type": "websocket.accept"})
    while True:
        await send({"type": "websocket.send", "bytes": b"x" * 65536})


PATHS = {
    name.__name__.replace("_", "-"): name
    for name in (
        mirror,
        memory,
        stream,
        flood,
        wait,
        stubborn,
        crash,
        silent,
        short,
        unstated,
        empty,
        split_header,
    )
}
SOCKETS = {"/chat": chat, "/gush": gush}
