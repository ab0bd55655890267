"""Traffic to look at: a gentle mix of calls to a running proxx whose provider is the simulated one.

    python -m tests.upstreams.demo_traffic --base-url http://127.0.0.1:8789/v1 --key pxx_... --seconds 30

Whole answers, streams, reasoning, tool loops, cached tokens; now and then a refusal, a broken stream, a client that
leaves. With `--provider-url` (the simulated provider itself) some calls fail over: the provider is told to refuse the
first attempt. Bounded by time and by count, two calls a second unless told otherwise. Standard library only.
"""

import argparse
import http.client
import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import urlsplit

AT_ONCE = 8
TIMEOUT = 30
QUESTIONS = (
    "What does a gateway do when a provider is busy?",
    "Summarise the minutes of yesterday's meeting in three sentences.",
    "Write a haiku about retries.",
    "Which of these two functions is easier to read, and why?",
    "Translate 'good morning' into Norwegian.",
)
# Names that the simulated provider answers without listing them: a proxx that knows its list must be told of them.
PACED = ("sim-pace-40x30", "sim-pace-60x30")
CACHED = ("sim-usage-1212-90-512", "sim-usage-3260-410-2560", "sim-usage-8636-870-7936")
REFUSED = ("sim-fault-400-context",)
BROKEN = ("sim-fault-error-mid-stream", "sim-fault-cut-mid-frame")
UNLISTED = (*PACED, *CACHED, *REFUSED, *BROKEN)
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Look up the weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@dataclass(slots=True)
class Traffic:
    """Where the calls go, and what became of them."""

    base_url: str
    key: str
    provider_url: str = ""
    prefix: str = "openai/"
    dice: Random = field(default_factory=Random)

    def ask(self, model: str, **members: Any) -> tuple[int, Any]:
        """Ask for a whole answer; return its status and body."""
        messages = members.pop("messages", None) or [self.question()]
        body = {"model": self.prefix + model, "messages": messages, **members}
        connection = _connect(self.base_url)
        try:
            _post(connection, self.base_url, "/chat/completions", body, self.key)
            response = connection.getresponse()
            return response.status, _json(response.read())
        finally:
            connection.close()

    def stream(self, model: str, *, leave_after: int = 0, **members: Any) -> str:
        """Ask for a stream and read it, or leave after that many events; say how it ended."""
        body = {"model": self.prefix + model, "messages": [self.question()], "stream": True, **members}
        connection = _connect(self.base_url)
        try:
            _post(connection, self.base_url, "/chat/completions", body, self.key)
            response = connection.getresponse()
            if response.status != 200:
                response.read()
                return str(response.status)
            return _read_events(response, leave_after)
        finally:
            connection.close()

    def question(self) -> dict[str, str]:
        """Return a user message."""
        return {"role": "user", "content": self.dice.choice(QUESTIONS)}

    def tell_provider(self, rule: dict[str, Any]) -> None:
        """Script the simulated provider for one call."""
        connection = _connect(self.provider_url)
        try:
            connection.request("POST", "/sim/script", json.dumps(rule))
            connection.getresponse().read()
        finally:
            connection.close()


def run(traffic: Traffic, *, seconds: float, count: int, rate: float) -> Counter[str]:
    """Make calls until the time is over or the count is reached; return how they ended."""
    kinds = [kind for kind, weight in _MIX for _ in range(weight)]
    ended: Counter[str] = Counter()
    began = time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        calls = []
        for number in range(count):
            due = began + number / rate
            if due >= began + seconds:
                break
            time.sleep(max(0.0, due - time.monotonic()))
            calls.append(pool.submit(_one, traffic, traffic.dice.choice(kinds)))
        for call in calls:
            ended[call.result()] += 1
    return ended


def _one(traffic: Traffic, kind: Callable[[Traffic], str]) -> str:
    try:
        return f"{kind.__name__.strip('_')}: {kind(traffic)}"
    except (OSError, http.client.HTTPException) as error:
        return f"{kind.__name__.strip('_')}: {type(error).__name__}"


def _whole(traffic: Traffic) -> str:
    model = traffic.dice.choice(("gpt-x", "gpt-x-mini", "sim-echo", "glm-x"))
    return str(traffic.ask(model, temperature=0.3)[0])


def _streamed(traffic: Traffic) -> str:
    model = traffic.dice.choice(("gpt-x", "sim-slow", PACED[0]))
    return traffic.stream(model, stream_options={"include_usage": True})


def _reasoning(traffic: Traffic) -> str:
    return traffic.stream("sim-think")


def _cached(traffic: Traffic) -> str:
    return str(traffic.ask(traffic.dice.choice(CACHED))[0])


def _tools(traffic: Traffic) -> str:
    question = {"role": "user", "content": "What is the weather in Oslo?"}
    status, first = traffic.ask("sim-tools", messages=[question], tools=[WEATHER])
    if status != 200:
        return str(status)
    message = first["choices"][0]["message"]
    answers = [{"role": "tool", "tool_call_id": call["id"], "content": "4 °C, rain"} for call in message["tool_calls"]]
    said = {"role": "assistant", "content": None, "tool_calls": message["tool_calls"]}
    return str(traffic.ask("sim-tools", messages=[question, said, *answers], tools=[WEATHER])[0])


def _failed_over(traffic: Traffic) -> str:
    if traffic.provider_url:
        fault = traffic.dice.choice(("429", "500", "503-retry", "close"))
        traffic.tell_provider({"steps": [{"fail": fault, "retry_after": 1}], "model": "gpt-x", "times": 1})
    return str(traffic.ask("gpt-x")[0])


def _refused(traffic: Traffic) -> str:
    if traffic.dice.random() < 0.5:
        return str(traffic.ask(REFUSED[0])[0])
    return str(traffic.ask("gpt-x", temperature=7)[0])


def _broken(traffic: Traffic) -> str:
    return traffic.stream(traffic.dice.choice(BROKEN))


def _left(traffic: Traffic) -> str:
    return traffic.stream(PACED[1], leave_after=5)


def _read_events(response: http.client.HTTPResponse, leave_after: int) -> str:
    seen, end = 0, "cut"
    try:
        for line in response:
            if not line.startswith(b"data: "):
                continue
            seen += 1
            if line.startswith(b"data: [DONE]"):
                end = "complete"
            elif line.startswith(b'data: {"error"'):
                end = "error in the stream"
            if leave_after and seen >= leave_after:
                return "left"
    except (OSError, http.client.HTTPException):
        return "cut"
    return end


def _connect(url: str) -> http.client.HTTPConnection:
    parts = urlsplit(url)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    return kind(parts.hostname or "127.0.0.1", parts.port, timeout=TIMEOUT)


def _post(connection: http.client.HTTPConnection, base_url: str, path: str, body: Any, key: str) -> None:
    headers = {"authorization": f"Bearer {key}", "content-type": "application/json", "user-agent": "proxx-demo"}
    connection.request("POST", urlsplit(base_url).path.rstrip("/") + path, json.dumps(body), headers)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return None


# How often each kind of call is made, of thirty.
_MIX: tuple[tuple[Callable[[Traffic], str], int], ...] = (
    (_whole, 8),
    (_streamed, 8),
    (_reasoning, 3),
    (_tools, 3),
    (_cached, 3),
    (_failed_over, 2),
    (_refused, 1),
    (_broken, 1),
    (_left, 1),
)


def main() -> int:
    """Read the command line, make the calls, say how they ended; 1 if none was good."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstreams.demo_traffic", description=__doc__)
    parser.add_argument("--base-url", required=True, help="of proxx, with /v1")
    parser.add_argument("--key", default=os.environ.get("PROXX_KEY", ""), help="a client key of proxx, or PROXX_KEY")
    parser.add_argument("--seconds", type=float, default=30.0)
    parser.add_argument("--count", type=int, default=600, help="never more calls than this")
    parser.add_argument("--rate", type=float, default=2.0, help="calls a second")
    parser.add_argument("--provider-url", default="", help="the simulated provider, to make calls fail over")
    parser.add_argument("--prefix", default="openai/", help="what stands before each model name")
    options = parser.parse_args()
    traffic = Traffic(options.base_url, options.key, options.provider_url, options.prefix)
    ended = run(traffic, seconds=options.seconds, count=options.count, rate=options.rate)
    for what, times in sorted(ended.items()):
        print(f"  {times:4}  {what}")
    return 0 if any(what.endswith((": 200", ": complete")) for what in ended) else 1


if __name__ == "__main__":
    sys.exit(main())
