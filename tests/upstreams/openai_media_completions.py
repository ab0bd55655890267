"""OpenAI's legacy completions: a prompt and its continuation, whole and as a stream; several prompts at once."""

import json
import re
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from tests.upstreams import openai_chat
from tests.upstreams.answer import SSE, Frame, Refusal, Refused
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Ask, Dialect, Endpoint, Speaker, World, count_tokens, register
from tests.upstreams.ids import letters
from tests.upstreams.openai_media_forms import body_of
from tests.upstreams.refusals import invalid
from tests.upstreams.responses_errors import missing, outside, refused, text, wrong_type
from tests.upstreams.said import Counts, End, Said, ToolCall

# fmt: off
FIELDS = frozenset({
    "model", "prompt", "best_of", "echo", "frequency_penalty", "logit_bias", "logprobs", "max_tokens", "n",
    "presence_penalty", "seed", "stop", "stream", "stream_options", "suffix", "temperature", "top_p", "user",
})
# fmt: on
RANGES = {
    "temperature": (0, 2),
    "top_p": (0, 1),
    "n": (1, 128),
    "best_of": (1, 20),
    "logprobs": (0, 5),
    "max_tokens": (0, 10_000_000),
    "frequency_penalty": (-2, 2),
    "presence_penalty": (-2, 2),
}  # fmt: skip
WHOLE = {"n", "best_of", "logprobs", "max_tokens"}
REASONS = {"length": "length", "context_window": "length", "filter": "content_filter"}
DEFAULT_LIMIT = 16
PROMPTS = 2048


@dataclass(frozen=True, slots=True)
class CompletionAsk(Ask):
    """A request with the prompts that are echoed, one per choice."""

    echoed: tuple[str, ...] = ()
    usage_wanted: bool = False


def read(arrival: Arrival, _: World) -> CompletionAsk:
    """Read a request as OpenAI would; raise Refused with its 400. Imitators outside `/v1` take unknown members."""
    body = body_of(arrival)
    if body.get("model") is None:
        raise Refused(invalid("you must provide a model parameter"))
    for name in body if arrival.path.startswith("/v1") else ():
        if name not in FIELDS:
            raise Refused(invalid(f"Unrecognized request argument supplied: {name}"))
    _numbers(body)
    if body.get("stream_options") is not None and not body.get("stream"):
        raise refused("The 'stream_options' parameter is only allowed when 'stream' is enabled.", "stream_options")
    if not isinstance(body.get("stream_options") or {}, dict):
        raise wrong_type("stream_options", "an object", body["stream_options"])
    stops = body.get("stop") or ()
    if not isinstance(stops, str) and not (isinstance(stops, list | tuple) and all(isinstance(s, str) for s in stops)):
        raise wrong_type("stop", "a string or an array of strings", stops)
    if not isinstance(stops, str) and len(stops) > 4:
        raise refused("Invalid 'stop': at most 4 elements.", "stop", "array_above_max_length")
    prompts, count = _prompts(body.get("prompt", "<|endoftext|>")), body.get("n") or 1
    limit = body.get("max_tokens")
    words = [prompt if isinstance(prompt, str) else "" for prompt in prompts]
    return CompletionAsk(
        text(body["model"], "model"),
        stream=bool(body.get("stream")),
        text=words[-1],
        prompt_tokens=sum(len(one) if isinstance(one, list) else count_tokens(one) for one in prompts),
        choices=len(prompts) * count,
        limit=DEFAULT_LIMIT if limit is None else limit,
        stops=(stops,) if isinstance(stops, str) else tuple(stops),
        echoed=tuple(word for word in words for _ in range(count)) if body.get("echo") else (),
        usage_wanted=bool((body.get("stream_options") or {}).get("include_usage")),
    )


def _numbers(body: dict[str, Any]) -> None:
    for name, (least, most) in RANGES.items():
        value = body.get(name)
        if value is None:
            continue
        whole = name in WHOLE and not isinstance(value, int)
        if isinstance(value, bool) or not isinstance(value, int | float) or whole:
            raise wrong_type(name, "a number", value)
        if value < least:
            raise outside(name, value, least=least)
        if value > most:
            raise outside(name, value, most=most)


def _prompts(given: Any) -> list[Any]:
    """Return the prompts: texts, or lists of token numbers."""
    if given is None:
        raise missing("prompt")
    if isinstance(given, str):
        return [given]
    if not isinstance(given, list) or not given or len(given) > PROMPTS:
        raise refused("Invalid value for 'prompt': expected a string, or an array of 1 to 2048 prompts.", "prompt")
    if all(isinstance(one, int) and not isinstance(one, bool) for one in given):
        return [given]
    for one in given:
        tokens = isinstance(one, list) and one and all(isinstance(token, int) for token in one)
        if not tokens and not isinstance(one, str):
            raise wrong_type("prompt", "a string", one)
    return given


class CompletionSpeaker(Speaker):
    """One reply of legacy completions."""

    stream_type = SSE

    def __init__(self, ask: CompletionAsk) -> None:
        self._ask = ask
        self._id = f"cmpl-{letters(29)}"
        self._created = int(time.time())

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return what OpenAI sends beside a good answer."""
        return (("x-request-id", request_id), ("openai-organization", "org-sim"), ("openai-version", "2020-10-01"))

    def open(self, choice: int) -> list[Frame]:
        """Begin a choice: with its prompt, if that shall be echoed."""
        return self.text(self._ask.echoed[choice], choice) if self._ask.echoed else []

    def text(self, piece: str, choice: int) -> list[Frame]:
        """Say a piece of text."""
        return [self._chunk("text", choice, piece, None)]

    def thought(self, piece: str, choice: int) -> list[Frame]:
        """Nobody thinks here."""
        return []

    def call(self, call: ToolCall, pieces: Sequence[str], choice: int) -> list[Frame]:
        """Nobody calls tools here."""
        return []

    def finish(self, end: End, choice: int) -> list[Frame]:
        """End a choice."""
        return [self._chunk("finish", choice, "", end.among(REASONS, "stop"))]

    def close(self, counts: Counts) -> list[Frame]:
        """End the stream: the usage if it was asked for, then the terminator."""
        frames = []
        if self._ask.usage_wanted:
            frames.append(Frame("usage", openai_chat.event({**self._head(), "choices": [], "usage": _usage(counts)})))
        return [*frames, Frame("end", b"data: [DONE]\n\n")]

    def error(self, refusal: Refusal) -> list[Frame]:
        """Say an error inside the stream."""
        body = refusal.body if isinstance(refusal.body, dict) else {"error": refusal.body}
        return [Frame("error", openai_chat.event(body))]

    def whole(self, said: Sequence[Said], counts: Counts) -> list[Frame]:
        """Return the reply as one body."""
        echoed = self._ask.echoed or [""] * len(said)
        choices = [
            _choice(index, before + one.text + one.declined, one.end.among(REASONS, "stop"))
            for index, (before, one) in enumerate(zip(echoed, said, strict=True))
        ]
        body = {**self._head(), "choices": choices, "usage": _usage(counts)}
        return [Frame("whole", json.dumps(body, indent=2, ensure_ascii=False).encode() + b"\n")]

    def _head(self) -> dict[str, Any]:
        return {"id": self._id, "object": "text_completion", "created": self._created, "model": self._ask.model}

    def _chunk(self, kind: str, choice: int, piece: str, reason: str | None) -> Frame:
        chunk: dict[str, Any] = {**self._head(), "choices": [_choice(choice, piece, reason)]}
        if self._ask.usage_wanted:
            chunk["usage"] = None
        return Frame(kind, openai_chat.event(chunk))


def _choice(index: int, words: str, reason: str | None) -> dict[str, Any]:
    return {"text": words, "index": index, "logprobs": None, "finish_reason": reason}


def _usage(counts: Counts) -> dict[str, int]:
    total = counts.prompt + counts.output
    return {"prompt_tokens": counts.prompt, "completion_tokens": counts.output, "total_tokens": total}


DIALECT = register(
    Dialect(
        name="openai_completions",
        manner="openai",
        endpoints=(Endpoint("POST", re.compile(openai_chat.BASE + "/completions"), read, CompletionSpeaker),),
        pages=(),
        key=openai_chat.key,
    )
)
