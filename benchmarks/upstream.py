"""The provider that benchmarks measure against: fixed answers of 1 kB, paced streams, as little work as can be.

A POST whose body holds `bench-CHUNKSxMS` is answered by a stream of that many events, that many milliseconds apart
(0: all in one write); each event carries the CLOCK_MONOTONIC nanosecond of its writing. Any other POST gets one JSON
completion, a GET the list of models; two keys are always refused. The scripted provider of the tests is another: it
checks what it is sent.
"""

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

FAILS = "sk-benchmark-fails"  # a key whose every call fails at once, in a way that lets nobody rest
RESTS = "sk-benchmark-rests"  # one that is limited for a day
ROOT = Path(__file__).resolve().parent.parent
ID = "chatcmpl-benchmark0000000000000000000"
HEAD = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\nx-request-id: req_bench\r\n"
    b"transfer-encoding: chunked\r\n\r\n"
)
STREAM = re.compile(rb"bench-(\d+)x(\d+)")
USAGE = re.compile(rb'"include_usage": ?true')
REFUSED = re.compile(f"{FAILS}|{RESTS}".encode())
LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upstream:
    """A running one: its port and its process."""

    port: int
    pid: int


@contextlib.contextmanager
def running(core: int) -> Iterator[Upstream]:
    """Run the provider pinned to a core for a `with` block."""
    command = [sys.executable, "-m", "benchmarks.upstream"]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    os.sched_setaffinity(process.pid, {core})
    try:
        assert process.stdout is not None
        yield Upstream(int(process.stdout.readline()), process.pid)
    finally:
        process.kill()
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


class _Connection(asyncio.Protocol):
    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        self._data = b""
        self._timer: asyncio.TimerHandle | None = None

    def connection_lost(self, exc: Exception | None) -> None:
        if self._timer is not None:
            self._timer.cancel()

    def data_received(self, data: bytes) -> None:
        self._data += data
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            return
        length = LENGTH.search(self._data, 0, end)
        total = end + 4 + (int(length[1]) if length else 0)
        if len(self._data) < total:
            return
        request, self._data = self._data[:total], self._data[total:]
        found = STREAM.search(request, end)
        refused = REFUSED.search(request, 0, end)
        if refused:
            self._transport.write(_REFUSALS[refused[0]])
        elif request.startswith(b"GET"):
            self._transport.write(_MODELS)
        elif found:
            self._stream(int(found[1]), int(found[2]), usage=bool(USAGE.search(request, end)))
        else:
            self._transport.write(_WHOLE)

    def _stream(self, chunks: int, ms: int, *, usage: bool) -> None:
        if ms == 0:
            self._transport.write(HEAD + b"".join(event(usage=usage) for _ in range(chunks)) + _ending(usage=usage))
            return
        self._transport.write(HEAD)
        loop = asyncio.get_running_loop()
        start = loop.time()

        def tick(number: int) -> None:
            last = number == chunks
            self._transport.write(event(usage=usage) + (_ending(usage=usage) if last else b""))
            self._timer = None if last else loop.call_at(start + (number + 1) * ms / 1000, tick, number + 1)

        self._timer = loop.call_at(start + ms / 1000, tick, 1)


def _chunked(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def _data(choices: str, tail: str) -> bytes:
    head = f'{{"id":"{ID}","object":"chat.completion.chunk","created":1760000000,"model":"bench"'
    return f'data: {head},"system_fingerprint":"fp_bench","choices":[{choices}]{tail}}}\n\n'.encode()


def event(*, usage: bool) -> bytes:
    """Return one event as it leaves: chunk framing around one piece of content."""
    delta = f'{{"index":0,"delta":{{"content":"{time.monotonic_ns()}"}},"logprobs":null,"finish_reason":null}}'
    return _chunked(_data(delta, ',"usage":null' if usage else ""))


def _ending(*, usage: bool) -> bytes:
    finish = '{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}'
    data = _data(finish, ',"usage":null' if usage else "")
    if usage:
        data += _data("", ',"usage":{"prompt_tokens":200,"completion_tokens":100,"total_tokens":300}')
    return _chunked(data + b"data: [DONE]\n\n") + b"0\r\n\r\n"


def _fixed(body: str) -> bytes:
    head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\n"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}".encode()


def _refusal(status: str, header: str) -> bytes:
    body = '{"error":{"message":"No.","type":"bench","param":null,"code":null}}'
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/json\r\n{header}content-length: {len(body)}\r\n\r\n"
    return f"{head}{body}".encode()


_REFUSALS = {
    FAILS.encode(): _refusal("408 Request Timeout", ""),
    RESTS.encode(): _refusal("429 Too Many Requests", "retry-after: 86400\r\n"),
}
_WHOLE = _fixed(
    f'{{\n  "id": "{ID}",\n  "object": "chat.completion",\n  "created": 1760000000,\n  "model": "bench",\n'
    '  "choices": [\n    {\n      "index": 0,\n'
    f'      "message": {{"role": "assistant", "content": "{"benchmark " * 61}", "refusal": null}},\n'
    '      "logprobs": null,\n      "finish_reason": "stop"\n    }\n  ],\n'
    '  "usage": {"prompt_tokens": 200, "completion_tokens": 100, "total_tokens": 300}\n}\n'
)
_MODELS = _fixed('{"object":"list","data":[{"id":"bench","object":"model","created":1760000000,"owned_by":"bench"}]}')


async def _serve() -> None:
    server = await asyncio.get_running_loop().create_server(_Connection, "127.0.0.1", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    try:
        import uvloop
    except ImportError:
        asyncio.run(_serve())
    else:
        uvloop.run(_serve())
