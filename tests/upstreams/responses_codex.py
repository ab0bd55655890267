"""The ChatGPT backend that Codex talks to: Responses with narrower rules, event streams only, and plan limits.

Its own front refuses with `{"detail": ...}`; what lies behind it refuses as the platform does. Nothing is kept.
"""

import re
import time
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs

from tests.upstreams import openai_chat, responses_checks
from tests.upstreams.answer import Answer, Frame, Refused, whole
from tests.upstreams.connection import Arrival
from tests.upstreams.dialect import Dialect, Endpoint, Page, World, register
from tests.upstreams.ids import letters
from tests.upstreams.responses import COMPACTED, compaction
from tests.upstreams.responses_plan import PAGES, plan_of, taken
from tests.upstreams.responses_refusals import detail
from tests.upstreams.responses_requests import asked, body_of
from tests.upstreams.responses_speaker import ResponsesAsk, ResponsesSpeaker, sse
from tests.upstreams.responses_store import store_of

BASE = "/backend-api/codex"
LITE = "x-openai-internal-codex-responses-lite"
# fmt: off
REFUSED = (
    "background", "context_management", "conversation", "frequency_penalty", "logprobs", "max_completion_tokens",
    "max_output_tokens", "max_tokens", "max_tool_calls", "metadata", "moderation", "presence_penalty",
    "previous_response_id", "prompt", "prompt_cache_options", "prompt_cache_retention", "safety_identifier", "seed",
    "stop", "temperature", "top_logprobs", "top_p", "truncation", "user",
)
TOOLS = ("function", "custom", "web_search", "image_generation", "local_shell", "namespace", "tool_search")
# fmt: on
MODELS = re.compile(r"(gpt-|codex-|sim-).*")
OLDEST = (0, 98, 0)  # the first client version that is told of any model


def key(arrival: Arrival) -> str | None:
    """Return the token; whether the account must stand beside it depends on its plan."""
    return openai_chat.key(arrival)


def read(arrival: Arrival, world: World) -> ResponsesAsk:
    """Read a request as the backend would; raise Refused with its 400."""
    plan_of(arrival, world)
    body = body_of(arrival)
    _front(body)
    slim = (arrival.header(LITE) or "").lower() == "true"
    _slim(body, slim=slim)
    responses_checks.check(body, strict=True)
    account = f"account-{arrival.header('chatgpt-account-id')}"
    ask = asked(body, store_of(world), account=account, check_items=_items)
    return replace(ask, plan=taken(arrival, world))


class CodexSpeaker(ResponsesSpeaker):
    """One reply of the backend: always a stream, plan limits in headers and in an event, no output at the end."""

    phases = True

    def headers(self, request_id: str) -> tuple[tuple[str, str], ...]:
        """Return the state of the plan, and what pins the turn."""
        now = int(time.time())
        own = ("x-request-id", request_id), ("x-codex-turn-state", f"turn-{letters(16)}"), ("x-models-etag", ETAG)
        if self._ask.plan is not None:
            return (*own, *self._ask.plan.headers())
        return (
            *own,
            ("x-codex-active-limit", "codex"),
            ("x-codex-plan-type", "plus"),
            ("x-codex-primary-used-percent", "12"),
            ("x-codex-primary-window-minutes", "300"),
            ("x-codex-primary-reset-at", str(now + 3600)),
            ("x-codex-secondary-used-percent", "34"),
            ("x-codex-secondary-window-minutes", "10080"),
            ("x-codex-secondary-reset-at", str(now + 86400)),
            ("x-codex-credits-has-credits", "False"),
            ("x-codex-credits-unlimited", "False"),
            ("x-codex-credits-balance", "0"),
        )

    def open(self, choice: int) -> list[Frame]:
        """Begin the stream, and tell of the plan in an event that only Codex knows."""
        window = {"used_percent": 12, "window_minutes": 300, "reset_at": int(time.time()) + 3600}
        limits = {"allowed": True, "limit_reached": False, "primary": window, "secondary": None}
        event = {"type": "codex.rate_limits", "plan_type": "plus", "rate_limits": limits, "credits": None}
        return [*super().open(choice), Frame("open", sse("codex.rate_limits", event))]

    def comment(self) -> list[Frame]:
        """Return the event that keeps a line alive."""
        return [Frame("open", sse("keepalive", {"type": "keepalive"}))]

    def _last_word(self) -> dict[str, Any]:
        return {**super()._last_word(), "output": []}


def models(arrival: Arrival, world: World) -> Answer:
    """Return the catalogue for a client's version; an old client is told of nothing."""
    plan_of(arrival, world)
    version = parse_qs(arrival.query).get("client_version", [""])[0]
    if not version:
        fault = {"type": "missing", "loc": ["query", "client_version"], "msg": "Field required", "input": None}
        return detail([fault]).answer()
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:3])
    names = [name for name in world.models if MODELS.fullmatch(name)] if numbers >= OLDEST else []
    entries = [_entry(name, priority) for priority, name in enumerate(names)]
    return whole(200, {"models": entries}, ("etag", ETAG))


def compacted(arrival: Arrival, world: World) -> Answer:
    """Compact a conversation, the old way."""
    taken(arrival, world)
    body = body_of(arrival)
    responses_checks.check_fields(body, COMPACTED | {"parallel_tool_calls"})
    if not isinstance(body.get("input"), list):
        raise Refused(detail("Input must be a list"))
    account = f"account-{arrival.header('chatgpt-account-id')}"
    responses_checks.check(body, strict=True)
    made = compaction(asked({**body, "store": False}, store_of(world), account=account, check_items=_items))
    return whole(200, made)


ETAG = '"sim-models-1"'


def _front(body: dict[str, Any]) -> None:
    """Refuse what the front refuses, in its order."""
    for text, good in (
        ("Instructions are required", isinstance(body.get("instructions"), str)),
        ("Store must be set to false", body.get("store") is False),
        ("Stream must be set to true", body.get("stream") is True),
        ("Input must be a list", isinstance(body.get("input"), list)),
    ):
        if not good:
            raise Refused(detail(text))
    for name in REFUSED:
        if name in body:
            raise Refused(detail(f"Unsupported parameter: {name}"))
    options, tools = body.get("stream_options"), body.get("tools")
    for name in options if isinstance(options, dict) else ():
        if name != "reasoning_summary_delivery":
            raise Refused(detail(f"Unsupported parameter: stream_options.{name}"))
    if body.get("service_tier") not in (None, "priority"):
        raise Refused(detail(f"Unsupported service_tier: {body['service_tier']}"))
    for tool in tools if isinstance(tools, list) else ():
        kind = tool.get("type") if isinstance(tool, dict) else None
        if kind not in TOOLS:
            raise Refused(detail(f"Unsupported tool type: {kind}"))
    model = body.get("model")
    if isinstance(model, str) and not MODELS.fullmatch(model):
        raise Refused(detail(f"The '{model}' model is not supported when using Codex with a ChatGPT account."))


def _slim(body: dict[str, Any], *, slim: bool) -> None:
    """Refuse a slim body without its header, and the header with another body."""
    carried = [item for item in body["input"] if isinstance(item, dict) and item.get("type") == "additional_tools"]
    if carried and not slim:
        raise Refused(detail("additional_tools need the slim form"))
    for name in ("tools", "instructions", "parallel_tool_calls"):
        if slim and body.get(name):
            raise Refused(detail(f"Unsupported parameter: {name}"))


def _items(items: list[dict[str, Any]]) -> None:
    for item in items:
        if item.get("role") == "system":
            raise Refused(detail("System messages are not allowed"))
        marked = item.get("content") if isinstance(item.get("content"), list) else ()
        if any("prompt_cache_breakpoint" in part for part in marked or ()):
            raise Refused(detail("Unsupported parameter: prompt_cache_breakpoint"))


def _entry(name: str, priority: int) -> dict[str, Any]:
    levels = [{"effort": effort, "description": f"{effort} effort"} for effort in ("low", "medium", "high", "xhigh")]
    return {
        "slug": name,
        "display_name": name,
        "description": "A simulated model.",
        "default_reasoning_level": "medium",
        "supported_reasoning_levels": levels,
        "shell_type": "shell_command",
        "visibility": "list",
        "minimal_client_version": ".".join(str(number) for number in OLDEST),
        "supported_in_api": True,
        "priority": priority,
        "upgrade": None,
        "base_instructions": "You are simulated.",
        "supports_reasoning_summaries": True,
        "support_verbosity": True,
        "default_verbosity": "low",
        "apply_patch_tool_type": "freeform",
        "truncation_policy": {"mode": "tokens", "limit": 10000},
        "supports_parallel_tool_calls": True,
        "context_window": 272000,
        "input_modalities": ["text", "image"],
        "experimental_supported_tools": [],
    }


DIALECT = register(
    Dialect(
        name="codex",
        manner="codex",
        endpoints=(Endpoint("POST", re.compile(f"{BASE}/responses"), read, CodexSpeaker),),
        pages=(
            Page("POST", re.compile(f"{BASE}/responses/compact"), compacted),
            Page("GET", re.compile(f"{BASE}/models"), models),
            *PAGES,
        ),
        key=key,
        no_key="401-missing",
    )
)
